extension Layout {
  /// What makes the positions of a store final, so that a reader may continue from one.
  enum Positions: Sendable, Hashable {
    /// Waiting for writers: each locks the table before it takes a position.
    case final
    /// Nothing does.
    case late
    /// They have no permanent holes: a missing position comes, or it is lost once this time has passed and all
    /// transactions that were under way have ended.
    case dense(grace: Duration)
  }
}

extension Layout.Positions {
  /// The StaleSequenceThreshold of Marten's daemon, after which the daemon passes a hole.
  private static let grace = Duration.seconds(3)

  /// Reads the words after `@positions`; nil for others.
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
