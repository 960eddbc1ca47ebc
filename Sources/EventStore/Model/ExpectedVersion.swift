/// What a writer expects of a stream before an append; otherwise nothing is appended.
public enum ExpectedVersion: Sendable, Hashable {
  /// Any state.
  case any
  /// No event yet.
  case noStream
  /// At least one event.
  case exists
  /// The last event has this version, 1 or above.
  case version(Int)
}
