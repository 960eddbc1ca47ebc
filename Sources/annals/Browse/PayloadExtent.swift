internal import ArgumentParser
internal import EventStore

/// How much of the payloads, the metadata and the states a page shows: other people may see the same screen.
enum PayloadExtent: String, CaseIterable, ExpressibleByArgument, Sendable {
  case none
  /// The names of members, with null in place of each value.
  case keys
  case full

  /// The part of a JSON text that is shown.
  func json(_ text: String) -> String {
    switch self {
    case .none: "null"
    case .keys: JSONKeys.only(text)
    case .full: text
    }
  }

  func event(_ event: Event) -> Event {
    var event = event
    event.data = json(event.data)
    event.metadata = event.metadata.map(json)
    return event
  }

  /// The fields of records that are left out: values of payloads, and texts that may quote one, such as server
  /// messages.
  var hiddenFields: Set<String> {
    let values: Set = [
      "state", "state_before", "state_after", "value", "old", "new", "example", "message", "detail", "error",
      "query",
    ]
    switch self {
    case .full: return []
    case .keys: return values
    case .none: return values.union(["event_data", "metadata"])
    }
  }
}

/// JSON without its values.
enum JSONKeys {
  /// - Parameter json: as PostgreSQL prints it.
  static func only(_ json: String) -> String {
    let bytes = Array(json.utf8)
    var (keys, index) = ([UInt8](), 0)
    while index < bytes.count {
      let byte = bytes[index]
      if [0x7B, 0x7D, 0x5B, 0x5D, 0x2C, 0x3A, 0x20].contains(byte) {
        keys.append(byte)
        index += 1
        continue
      }
      let end = byte == 0x22 ? endOfString(bytes, index) : endOfWord(bytes, index)
      let isKey = byte == 0x22 && end < bytes.count && bytes[end] == 0x3A
      keys += isKey ? Array(bytes[index..<end]) : Array("null".utf8)
      index = end
    }
    return String(decoding: keys, as: UTF8.self)
  }

  private static func endOfString(_ bytes: [UInt8], _ start: Int) -> Int {
    var index = start + 1
    while index < bytes.count, bytes[index] != 0x22 { index += bytes[index] == 0x5C ? 2 : 1 }
    return min(index + 1, bytes.count)
  }

  private static func endOfWord(_ bytes: [UInt8], _ start: Int) -> Int {
    bytes[start...].firstIndex { [0x2C, 0x7D, 0x5D, 0x20].contains($0) } ?? bytes.count
  }
}
