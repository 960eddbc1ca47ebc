internal import LibPQ

/// A checkpoint moves only from the position that was read. A lock can be lost with its session; this cannot.
enum CheckpointFence {
  /// - Parameters:
  ///   - update: moves the checkpoint if it is still at the position that was read.
  ///   - moved: is thrown if it is elsewhere; see ``moved(_:from:consequence:hint:)``.
  static func pass(
    _ update: SQL,
    _ connection: Connection,
    orThrow moved: @autoclosure () -> EventStoreError
  ) throws {
    guard try connection.query(update, prepared: true).affectedRows == 1 else { throw moved() }
  }

  /// Another session has moved a checkpoint that was at this position.
  static func moved(
    _ checkpoint: String,
    from position: Int64,
    consequence: String = "The later work of this session is rolled back.",
    hint: Hint
  ) -> EventStoreError {
    EventStoreError(
      .locked,
      "\(checkpoint) is no longer at position \(position): another session moved it",
      detail: consequence,
      hint: hint
    )
  }
}
