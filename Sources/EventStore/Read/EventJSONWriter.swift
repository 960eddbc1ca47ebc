/// Writes events as lines of NDJSON from the bytes that the server sent; payloads are copied as they are.
///
/// ``EventLineParser`` reads these lines.
package enum EventJSONWriter {
  /// Longest part of a line that is neither text of the event nor payload: names, punctuation and numbers.
  private static let maximumFixedBytes = 256

  // Arrays, since safely reading a StaticString makes a String each time: a fifth of a replay's time.
  private static let position = Array(#"{"position":"#.utf8)
  private static let nextAggregateID = Array(#","aggregate_id":"#.utf8)
  private static let aggregateID = Array(#"{"aggregate_id":"#.utf8)
  private static let version = Array(#","version":"#.utf8)
  private static let eventType = Array(#","event_type":"#.utf8)
  private static let timestamp = Array(#","timestamp":""#.utf8)
  private static let id = Array(#"","id":""#.utf8)
  private static let data = Array(#"","event_data":"#.utf8)
  private static let metadata = Array(#","metadata":"#.utf8)

  /// Appends one event and a line feed. A nil position or metadata is left out, to keep lines short.
  ///
  /// - Parameters:
  ///   - aggregateID: UTF-8, escaped here; `eventType` likewise.
  ///   - data: JSON without line feeds, as jsonb prints it; `metadata` likewise.
  package static func append(
    position: Int64?,
    aggregateID: Span<UInt8>,
    version: Int32,
    eventType: Span<UInt8>,
    timestamp: Timestamp,
    id: EventID,
    data: Span<UInt8>,
    metadata: Span<UInt8>?,
    to output: inout [UInt8]
  ) {
    let metadataBytes = metadata?.count ?? 0
    let textBytes = (aggregateID.count + eventType.count) * OutputSpan.maximumEscapedBytes
    output.append(addingCapacity: maximumFixedBytes + textBytes + data.count + metadataBytes) { line in
      if let position {
        line.append(copying: Self.position.span)
        line.append(decimal: position)
        line.append(copying: Self.nextAggregateID.span)
      } else {
        line.append(copying: Self.aggregateID.span)
      }
      line.append(jsonString: aggregateID)
      line.append(copying: Self.version.span)
      line.append(decimal: Int64(version))
      line.append(copying: Self.eventType.span)
      line.append(jsonString: eventType)
      line.append(copying: Self.timestamp.span)
      timestamp.append(to: &line)
      line.append(copying: Self.id.span)
      id.append(to: &line)
      line.append(copying: Self.data.span)
      line.append(copying: data)
      if let metadata {
        line.append(copying: Self.metadata.span)
        line.append(copying: metadata)
      }
      line.append(UInt8(ascii: "}"))
      line.append(UInt8(ascii: "\n"))
    }
  }
}
