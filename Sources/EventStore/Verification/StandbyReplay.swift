internal import LibPQ

/// How far a standby is behind its primary.
public struct StandbyReplay: Sendable, Hashable {
  /// Whether somebody paused it.
  public let isPaused: Bool
  /// Seconds since the last transaction that was replayed was committed on the primary, or 0 when all that comes is
  /// replayed; nil when nothing was replayed since the standby was started.
  public let delaySeconds: Double?

  /// As "3 s behind its primary, replay is paused".
  package var description: String {
    let delay = delaySeconds.map { "\(Int(clamping: $0)) s behind its primary" } ?? "its delay is not known"
    return isPaused ? "\(delay), replay is paused" : delay
  }
}

extension StoreConnection {
  /// How far the server is behind its primary; nil when it is none's standby.
  func standbyReplay() throws(PostgresError) -> StandbyReplay? {
    let result = try connection.query(SQLTemplate.standbyReplay.sql, [])
    guard !result.isEmpty else { return nil }
    return StandbyReplay(
      isPaused: result[0].bool("is_paused"),
      delaySeconds: result[0].optionalFloat64("delay_seconds")
    )
  }

  /// Adds to an error that says there is none of something what a standby may not have yet.
  func addingReplay(to error: EventStoreError) -> EventStoreError {
    guard error.code == .notFound, let replay = try? standbyReplay() else { return error }
    var error = error
    let behind = "This server is a standby: \(replay.description)."
    error.detail = error.detail.map { "\($0) \(behind)" } ?? behind
    return error
  }
}
