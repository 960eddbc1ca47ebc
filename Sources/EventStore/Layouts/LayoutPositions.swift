extension Layout {
  /// What makes the positions of a store final, so that a reader may go on from one.
  enum Positions: Sendable, Hashable {
    /// A writer holds a lock on the table before it takes a position: waiting for writers does.
    case final
    /// Nothing does.
    case late
    /// They have no holes for good: a position that is missing comes, or nobody has it any more after this time and with
    /// the end of all transactions that were under way.
    case dense(grace: Duration)
  }
}

extension Layout.Positions {
  /// The StaleSequenceThreshold of Marten's daemon, after which that passes a hole.
  private static let grace = Duration.seconds(3)

  /// Reads the words behind `@positions`; nil for others.
  init?(_ text: String) {
    let words = text.unicodeScalars.split(separator: " ").map(String.init)
    switch (words.first, words.count) {
    case ("final", 1): self = .final
    case ("late", 1): self = .late
    case ("dense", 1): self = .dense(grace: Self.grace)
    case ("dense", 2):
      guard let seconds = Int(words[1]), (0...86_400).contains(seconds) else { return nil }
      self = .dense(grace: .seconds(seconds))
    default: return nil
    }
  }
}
