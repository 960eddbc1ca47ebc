/// What a writer expects of a stream before an append; when it is otherwise, nothing is appended.
public enum ExpectedVersion: Sendable, Hashable {
  /// Whatever is there.
  case any
  /// No event yet.
  case noStream
  /// At least one event.
  case exists
  /// The last event has this version, 1 or above.
  case version(Int)
}
