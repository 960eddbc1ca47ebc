internal import LibPQ

extension ChunkWriter {
  /// Sends events with COPY, straight into the table. Payloads go as they came; the server parses them.
  ///
  /// - Parameter meanwhile: is called while the server is still at work.
  /// - Returns: how many rows the server says that it stored.
  func copy(
    _ chunk: EventChunk,
    _ indexes: ArraySlice<Int>,
    _ places: [Place],
    meanwhile: () -> Void
  ) throws -> Int {
    try connection.copyIn(
      statements.copyEvents,
      { write in
        var buffer = binaryCopyHeader
        for index in indexes {
          appendRow(chunk, index, version: places[index].version, to: &buffer)
          if buffer.count >= pieceSize {
            try write(buffer)
            buffer.removeAll(keepingCapacity: true)
          }
        }
        buffer.append(bigEndian: binaryCopyTrailer)
        try write(buffer)
      },
      meanwhile: meanwhile
    )
  }

  /// One row in COPY's binary format (manual, COPY, "Binary Format"): the number of fields, and each with its length.
  private func appendRow(_ chunk: EventChunk, _ index: Int, version: Int32, to buffer: inout [UInt8]) {
    let entry = chunk.entries[index]
    let hasMetadata = statements.table.hasMetadata
    buffer.append(bigEndian: hasMetadata ? 7 as Int16 : 6)
    buffer.append(bigEndian: 16 as Int32)
    buffer.append(bigEndian: entry.id.high)
    buffer.append(bigEndian: entry.id.low)
    appendText(entry.aggregateID, to: &buffer)
    appendText(entry.eventType, to: &buffer)
    appendJSON(chunk.bytes[entry.data], to: &buffer)
    buffer.append(bigEndian: 4 as Int32)
    buffer.append(bigEndian: version)
    buffer.append(bigEndian: 8 as Int32)
    buffer.append(bigEndian: (entry.timestamp ?? transactionTime).microseconds)
    guard hasMetadata else { return }
    if let metadata = entry.metadata {
      appendJSON(chunk.bytes[metadata], to: &buffer)
    } else {
      buffer.append(bigEndian: -1 as Int32)
    }
  }

  private func appendText(_ text: [UInt8], to buffer: inout [UInt8]) {
    buffer.append(bigEndian: Int32(text.count))
    buffer += text
  }

  private func appendJSON(_ json: ArraySlice<UInt8>, to buffer: inout [UInt8]) {
    buffer.append(bigEndian: Int32(json.count + 1))
    buffer.append(Parameter.jsonbVersion)
    buffer += json
  }
}

/// The bytes that go to the server at once.
private let pieceSize = 1 << 16

/// The signature, no flags, no header extension.
private let binaryCopyHeader: [UInt8] =
  Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0] + [0, 0, 0, 0]
private let binaryCopyTrailer: Int16 = -1

/// The row, from 1, at which COPY failed, read from the error's context ("COPY events, line 3, column event_data").
///
/// The words are in the server's language; the number stands first after the table's name in each.
func failedCopyRow(_ error: PostgresError, table: String) -> Int? {
  guard let context = error.context else { return nil }
  let prefix = "COPY \(table),".unicodeScalars
  let lines = context.unicodeScalars.split(separator: "\n")
  guard let line = lines.first(where: { $0.starts(with: prefix) }) else { return nil }
  let isDigit = { ("0"..."9").contains($0 as Unicode.Scalar) }
  return Int(String(line.dropFirst(prefix.count).drop { !isDigit($0) }.prefix(while: isDigit)))
}
