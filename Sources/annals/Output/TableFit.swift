/// How the columns of a table share the width of a terminal.
///
/// If the table is too wide, the less important columns are made narrower, down to what can still be read, and then
/// left out, from the right. The most important ones are also made narrower before one of normal importance is left
/// out, but they are never left out.
struct TableFit {
  struct Space {
    let importance: Importance
    /// The width that the column needs to show everything.
    let natural: Int
    /// The width that it needs to be useful.
    let minimum: Int
    /// The width that it needs to be read well; it gets more only if there is room left.
    let wanted: Int
    /// The width that it gets if all columns have less than their minimum.
    let least: Int

    init(_ importance: Importance, natural: Int, _ widths: ClosedRange<Int>) {
      (self.importance, self.natural) = (importance, natural)
      (minimum, wanted) = (min(natural, widths.lowerBound), min(natural, widths.upperBound))
      least = 1
    }

    /// For numbers, which are shown whole or not at all.
    init(_ importance: Importance, number width: Int) {
      self.importance = importance
      (natural, minimum, wanted, least) = (width, width, width, width)
    }
  }

  /// The text between two columns.
  static let gap = "  "

  /// The width of each column; nil if it is left out.
  private(set) var widths: [Int?]
  private let spaces: [Space]
  private let room: Int

  init(_ spaces: [Space], in room: Int) {
    (self.spaces, self.room) = (spaces, room)
    widths = spaces.map(\.natural)
    if excess <= 0 { return }
    widths = spaces.map(\.wanted)
    for importance in [Importance.least, .low] { shrink(importance) }
    for importance in [Importance.least, .low] { leaveOut(importance) }
    shrink(.normal)
    shrink(.high)
    leaveOut(.normal)
    shrink(.high, beyondMinimum: true)
    for limit in [\Space.wanted, \.natural] {
      for importance in [Importance.high, .normal, .low, .least] { widen(importance, to: limit) }
    }
  }

  /// By how much the table is too wide; if it is below 0, there is room left.
  private var excess: Int {
    let shown = widths.compactMap(\.self)
    return shown.reduce(0, +) + Self.gap.count * max(0, shown.count - 1) - room
  }

  /// Takes from the widest column first, so that no column is short while another has too much.
  private mutating func shrink(_ importance: Importance, beyondMinimum: Bool = false) {
    for _ in 0..<max(0, excess) {
      let wide = spaces.indices.filter {
        spaces[$0].importance == importance
          && (widths[$0] ?? 0) > (beyondMinimum ? spaces[$0].least : spaces[$0].minimum)
      }
      guard let widest = wide.max(by: { widths[$0] ?? 0 < widths[$1] ?? 0 }), let width = widths[widest]
      else { return }
      widths[widest] = width - 1
    }
  }

  private mutating func leaveOut(_ importance: Importance) {
    for index in spaces.indices.reversed() where spaces[index].importance == importance && excess > 0 {
      widths[index] = nil
    }
  }

  /// Gives to the narrowest column first.
  private mutating func widen(_ importance: Importance, to limit: KeyPath<Space, Int>) {
    for _ in 0..<max(0, -excess) {
      let narrow = spaces.indices.filter { index in
        spaces[index].importance == importance
          && widths[index].map { $0 < spaces[index][keyPath: limit] } == true
      }
      guard let narrowest = narrow.min(by: { widths[$0] ?? 0 < widths[$1] ?? 0 }),
        let width = widths[narrowest]
      else { return }
      widths[narrowest] = width + 1
    }
  }
}
