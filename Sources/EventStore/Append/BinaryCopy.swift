internal import LibPQ

/// The header and the end of COPY's binary format (manual, COPY, "Binary Format").
enum BinaryCopy {
  /// The signature, no flags, no header extension.
  static let header: [UInt8] =
    Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0] + [0, 0, 0, 0]
  static let trailer: Int16 = -1
}

extension [UInt8] {
  /// Appends an event as a row of that format: the number of fields, then the length and the bytes of each field.
  ///
  /// - Parameters:
  ///   - metadata: nil if the table has no such column; a nil in it if the event has none.
  ///   - position: nil if the server assigns it.
  mutating func appendRow(
    id: EventID,
    aggregateID: [UInt8],
    eventType: [UInt8],
    data: ArraySlice<UInt8>,
    version: Int32,
    timestamp: Timestamp,
    metadata: ArraySlice<UInt8>??,
    position: Int64? = nil
  ) {
    append(bigEndian: 6 + (metadata == nil ? 0 : 1) + (position == nil ? 0 : 1) as Int16)
    append(bigEndian: 16 as Int32)
    append(bigEndian: id.high)
    append(bigEndian: id.low)
    appendText(aggregateID)
    appendText(eventType)
    appendJSON(data)
    append(bigEndian: 4 as Int32)
    append(bigEndian: version)
    append(bigEndian: 8 as Int32)
    append(bigEndian: timestamp.microseconds)
    switch metadata {
    case .none: break
    case .some(.none): append(bigEndian: -1 as Int32)
    case .some(.some(let metadata)): appendJSON(metadata)
    }
    if let position {
      append(bigEndian: 8 as Int32)
      append(bigEndian: position)
    }
  }

  private mutating func appendText(_ text: [UInt8]) {
    append(bigEndian: Int32(text.count))
    self += text
  }

  private mutating func appendJSON(_ json: ArraySlice<UInt8>) {
    append(bigEndian: Int32(json.count + 1))
    append(Parameter.jsonbVersion)
    self += json
  }
}
