internal import LibPQ

/// How far a standby is behind its primary.
public struct StandbyReplay: Sendable, Hashable {
  /// Whether somebody paused it.
  public let isPaused: Bool
  /// Seconds since the primary committed the last replayed transaction, or 0 when all received WAL is replayed; nil
  /// when nothing was replayed since the standby was started.
  public let delaySeconds: Double?

  /// Such as "3 s behind its primary, replay is paused".
  package var description: String {
    let delay = delaySeconds.map { "\(Int(clamping: $0)) s behind its primary" } ?? "its delay is not known"
    return isPaused ? "\(delay), replay is paused" : delay
  }
}

extension StoreConnection {
  /// How far the server is behind its primary; nil if it is not a standby.
  func standbyReplay() throws(PostgresError) -> StandbyReplay? {
    let result = try connection.query(SQLTemplate.standbyReplay.sql, [])
    guard !result.isEmpty else { return nil }
    return StandbyReplay(
      isPaused: result[0].bool("is_paused"),
      delaySeconds: result[0].optionalFloat64("delay_seconds")
    )
  }

  /// Refuses a standby that is further behind its primary than allowed, or whose delay is not known.
  func requireFresh() throws {
    guard let mostStaleness, let replay = try standbyReplay() else { return }
    let delay = replay.delaySeconds ?? .infinity
    guard replay.isPaused || delay > mostStaleness / .seconds(1) else { return }
    throw stale(
      "this server is a standby: \(replay.description)",
      hint: replay.isPaused
        ? "Resume replay with pg_wal_replay_resume(), or read from the primary."
        : "Wait until the standby has caught up, or read from the primary."
    )
  }

  /// Refuses a standby that does not have yet what another server has shown.
  func requireReplayed(upTo position: Int64) throws {
    let (head, isReplayed) = try readHead()
    let end = head ?? .min
    guard isReplayed, end < position else { return }
    throw EventStoreError(
      .stale,
      "the new connection is to a standby that has events up to position \(end), and they were read from a server that has "
        + "them up to \(position)",
      detail: "The missing events would be skipped.",
      hint: "Run the command again when the standby has caught up."
    )
  }

  /// Refuses to end at a watermark that was published longer ago than allowed.
  func requireFresh(_ published: PublishedWatermark) throws {
    guard let mostStaleness, published.ageSeconds > mostStaleness / .seconds(1) else { return }
    throw stale(
      "this server is a standby, and the watermark that events are read up to was published "
        + "\(Int(clamping: published.ageSeconds)) s ago",
      hint: "Run \(.publishWatermark) on the primary, or read from the primary."
    )
  }

  private func stale(_ message: String, hint: Hint) -> EventStoreError {
    let most = mostStaleness.map { $0 / .seconds(1) } ?? 0
    return EventStoreError(.stale, message, detail: "At most \(most) s are allowed.", hint: hint)
  }

  /// Adds to an error that something is missing what a standby may not have yet.
  func addingReplay(to error: EventStoreError) -> EventStoreError {
    guard error.code == .notFound, let replay = try? standbyReplay() else { return error }
    var error = error
    let behind = "This server is a standby: \(replay.description)."
    error.detail = error.detail.map { "\($0) \(behind)" } ?? behind
    return error
  }
}
