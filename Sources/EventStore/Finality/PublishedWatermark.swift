internal import LibPQ

/// The position up to which history was final on the primary, published for readers on standbys.
///
/// A standby does not see the transactions of its primary that may still add events below the last one. The row is
/// written on the primary after all events that it covers were committed, and a standby replays commits in their order:
/// if it shows the row, it shows everything up to the position.
public struct PublishedWatermark: Sendable, Hashable {
  /// The last final position; nil if the store was empty.
  public let position: Int64?
  /// Seconds since it was published, by the clock of the server that was asked.
  public let ageSeconds: Double
}

extension StoreConnection {
  func publishWatermark() throws -> PublishedWatermark {
    if try readHead().isReplayed {
      throw EventStoreError(
        .permissionDenied,
        "this server is a standby, which cannot tell which positions are final",
        hint: "Connect to the primary to publish."
      )
    }
    try requireSchema()
    try proveFinality()
    let final = try finalPosition()
    let sql = SQLTemplate.publishWatermark.filled(["events": relation])
    _ = try connection.query(sql, [.text(table.description), .int8(final)])
    guard let published = try publishedWatermark() else {
      throw EventStoreError(.failed, "the watermark of \(table) was deleted")
    }
    return published
  }

  /// The published watermark of this store; nil if there is none, or the role may not read it.
  ///
  /// - Throws: ``EventStoreError`` with code `checkpointAhead` when the store no longer has the event that was there.
  func publishedWatermark() throws -> PublishedWatermark? {
    let (published, isThere) = try lastPublished()
    guard let published, !isThere else { return published }
    throw EventStoreError(
      .checkpointAhead,
      "the watermark of \(table) was published at position \(published.position ?? 0), and its event is gone",
      detail: "The table was truncated, replaced or restored since.",
      hint: "Run \(.publishWatermark) on the primary once more."
    )
  }

  /// The same, and whether the store still has the event that was there.
  func lastPublished() throws -> (PublishedWatermark?, isThere: Bool) {
    guard try connection.canReadOwnTables(["watermarks"]) else { return (nil, false) }
    let sql = SQLTemplate.publishedWatermark.filled(["events": relation])
    let found = try connection.query(sql, [.text(table.description)])
    guard !found.isEmpty else { return (nil, false) }
    let published = PublishedWatermark(
      position: found[0].optionalInt64("position"),
      ageSeconds: found[0].float64("age_seconds")
    )
    return (published, found[0].bool("is_there"))
  }

  /// Where a read in the order of positions ends on a standby: at the published watermark, or at the last event.
  ///
  /// Without a published watermark, events that are in flight on the primary may be missing below the last one. No
  /// reader continues from such a read, and it is meant to show what was replayed. So it only gives a notice, and only
  /// if the standby knows of a transaction that writes. It knows only those whose records have come, which are not all.
  func replayedEnd(upTo head: Int64) throws -> Int64 {
    if let published = try publishedWatermark() { return try end(of: published, upTo: head) }
    // In recovery the list of a snapshot is empty, but the range between its ends is not.
    let isWritten = try connection.query(
      "SELECT pg_snapshot_xmin(s) < pg_snapshot_xmax(s) AS is_written FROM pg_current_snapshot() AS s"
    )
    if isWritten[0].bool("is_written") {
      notifyOnce(
        .writersOfPrimary,
        "this server is a standby, and a transaction of its primary may still add events below position \(head); "
          + "a watermark that is published there would end this read before them"
      )
    }
    return head
  }

  /// Where a reader that continues from a position ends on a standby.
  func followedEnd(upTo head: Int64) throws -> Int64 {
    guard let published = try publishedWatermark() else { throw Self.notPublished }
    return try end(of: published, upTo: head)
  }

  private func end(of published: PublishedWatermark, upTo head: Int64) throws -> Int64 {
    let end = published.position ?? .min
    guard end < head else { return head }
    try requireFresh(published)
    if published.ageSeconds > Self.longestSilence {
      notifyOnce(
        .oldWatermark,
        "this server is a standby, where events are read up to position \(published.position ?? 0), as published "
          + "\(Int(clamping: published.ageSeconds)) s ago; there are more up to \(head)"
      )
    }
    return min(head, end)
  }

  /// Longer than a regular publisher waits between two times.
  private static let longestSilence = 60.0

  /// The error of a follower when it cannot be known what is final.
  static let notPublished = EventStoreError(
    .permissionDenied,
    "this server is a standby, which cannot tell whether events may still appear below the last one",
    detail:
      "A standby does not see the transactions in progress on its primary; a reader that continues "
      + "from a position would skip their events. No watermark is published, or this role cannot read it.",
    hint:
      "Run \(.publishWatermark) on the primary, and give the role SELECT on annals.watermarks; or follow on the primary."
  )
}
