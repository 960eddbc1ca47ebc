internal import EventStore

extension TypeCoverage {
  /// Reports handlers for types without events, and on a terminal events that no handler takes.
  func report(path: String) {
    reportUnknown(path: path)
    if !unhandled.isEmpty {
      let types = unhandled.map { "'\($0)'" }.joined(separator: ", ")
      StandardError.note("\(path): no handler takes \(types)")
    }
  }

  /// Reports handlers for types without events.
  func reportUnknown(path: String) {
    for unknown in unknown {
      let question = unknown.nearest.map { "; did you mean '\($0)'?" } ?? ""
      StandardError.warn(
        "\(path):\(unknown.line): the store has no event of type '\(unknown.type)'\(question)"
      )
    }
  }
}
