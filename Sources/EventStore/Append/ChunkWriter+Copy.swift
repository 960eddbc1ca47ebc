internal import LibPQ

extension ChunkWriter {
  /// Sends events with COPY, straight into the table. Payloads are sent as they came; the server parses them.
  ///
  /// - Parameter meanwhile: is called while the server still works.
  /// - Returns: how many rows the server says it stored.
  func copy(
    _ chunk: EventChunk,
    _ indexes: ArraySlice<Int>,
    _ places: [Place],
    meanwhile: () -> Void
  ) throws -> Int {
    try connection.copyIn(
      statements.copyEvents,
      { write in
        var buffer = BinaryCopy.header
        for index in indexes {
          appendRow(chunk, index, version: places[index].version, to: &buffer)
          if buffer.count >= pieceSize {
            try write(buffer)
            buffer.removeAll(keepingCapacity: true)
          }
        }
        buffer.append(bigEndian: BinaryCopy.trailer)
        try write(buffer)
      },
      meanwhile: meanwhile
    )
  }

  private func appendRow(_ chunk: EventChunk, _ index: Int, version: Int32, to buffer: inout [UInt8]) {
    let entry = chunk.entries[index]
    buffer.appendRow(
      id: entry.id,
      aggregateID: entry.aggregateID,
      eventType: entry.eventType,
      data: chunk.bytes[entry.data],
      version: version,
      timestamp: entry.timestamp ?? currentTime,
      metadata: statements.table.hasMetadata ? .some(entry.metadata.map { chunk.bytes[$0] }) : .none
    )
  }
}

/// How many bytes are sent to the server at once.
private let pieceSize = 1 << 16

/// The row, from 1, at which COPY failed, read from the error's context ("COPY events, line 3, column event_data").
///
/// The words are in the server's language; in each language the number is the first one after the table's name.
func failedCopyRow(_ error: PostgresError, table: String) -> Int? {
  guard let context = error.context else { return nil }
  let prefix = "COPY \(table),".unicodeScalars
  let lines = context.unicodeScalars.split(separator: "\n")
  guard let line = lines.first(where: { $0.starts(with: prefix) }) else { return nil }
  let isDigit = { ("0"..."9").contains($0 as Unicode.Scalar) }
  return Int(String(line.dropFirst(prefix.count).drop { !isDigit($0) }.prefix(while: isDigit)))
}
