/// Writes events as lines of NDJSON from the bytes that the server sent; payloads are copied as they stand.
///
/// ``EventLineParser`` reads what comes out.
package enum EventJSONWriter {
  /// Longest part of a line that is neither text of the event nor payload: names, punctuation and numbers.
  private static let maximumFixedBytes = 256

  /// Appends one event and a line feed. A position or metadata that is nil is left out, to keep lines short.
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
      line.append("{")
      if let position {
        line.append(#""position":"#)
        line.append(decimal: position)
        line.append(",")
      }
      line.append(#""aggregate_id":"#)
      line.append(jsonString: aggregateID)
      line.append(#","version":"#)
      line.append(decimal: Int64(version))
      line.append(#","event_type":"#)
      line.append(jsonString: eventType)
      line.append(#","timestamp":""#)
      timestamp.append(to: &line)
      line.append(#"","id":""#)
      id.append(to: &line)
      line.append(#"","event_data":"#)
      line.append(copying: data)
      if let metadata {
        line.append(#","metadata":"#)
        line.append(copying: metadata)
      }
      line.append("}\n")
    }
  }
}
