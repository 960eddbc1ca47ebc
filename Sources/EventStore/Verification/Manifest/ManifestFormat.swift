internal import LibPQ

/// The lines of a manifest; annals-verify-versions(1), "Manifest", describes them.
///
/// Between the header and the footer is one line for each stream, in the order of the aggregates' bytes. The root in
/// the footer is the SHA-256 of those lines, so `sed '1d;$d' FILE | sha256sum` prints it.
enum ManifestFormat {
  /// The format that this version reads and writes.
  static let format = 1

  static func header(store: String, createdAt: Timestamp, headPosition: Int64?) -> [UInt8] {
    var text =
      "{\"annals_manifest\":\(format),\"store\":\(quoted(Array(store.utf8))),\"created_at\":\"\(createdAt)\""
    if let headPosition { text += ",\"head_position\":\(headPosition)" }
    return Array("\(text)}\n".utf8)
  }

  static func line(_ stream: StreamDigest) -> [UInt8] {
    var line = Array("{\"aggregate_id\":\(quoted(stream.aggregateID)),\"events\":\(stream.events.count)".utf8)
    line += ",\"versions\":\"\(runs(of: stream.events))\",\"chain\":\"\(stream.chain)\",\"digests\":\"".utf8
    line.reserveCapacity(line.count + stream.events.count * EventDigest.prefixDigits + 3)
    for event in stream.events {
      for shift in stride(from: UInt64(44), through: 0, by: -4) {
        line.append(hexadecimalDigit(UInt8(truncatingIfNeeded: event.prefix >> shift) & 0xF))
      }
    }
    line += "\"}\n".utf8
    return line
  }

  static func footer(aggregates: Int64, events: Int64, root: SHA256.Digest) -> [UInt8] {
    Array("{\"aggregates\":\(aggregates),\"events\":\(events),\"root\":\"\(root)\"}\n".utf8)
  }

  static func quoted(_ text: [UInt8]) -> String {
    let bytes = [UInt8](capacity: text.count * 6 + 2) { $0.append(jsonString: text.span) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Consecutive versions as `1..10`, others after commas.
  private static func runs(of events: [EventDigest]) -> String {
    var runs: [(first: Int32, last: Int32)] = []
    for event in events {
      if let last = runs.last?.last, last < .max, event.version == last + 1 {
        runs[runs.count - 1].last = event.version
      } else {
        runs.append((event.version, event.version))
      }
    }
    return runs.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)..\($0.last)" }.joined(separator: ",")
  }

  /// The members of a line; values without the quotes.
  static func members(of line: Span<UInt8>) throws(JSONError) -> [ByteString: [UInt8]] {
    var members: [ByteString: [UInt8]] = [:]
    var scanner = JSONScanner()
    var index = JSONScanner.skipWhitespace(in: line, from: 0)
    guard index < line.count, line[index] == UInt8(ascii: "{") else {
      throw JSONError(at: 0, "not a JSON object")
    }
    index += 1
    repeat {
      let (key, next) = try JSONScanner.scanKey(in: line, from: index)
      let value = try scanner.scanValue(in: line, from: next)
      index = try JSONScanner.scanSeparator(in: line, from: value.upperBound, closing: UInt8(ascii: "}"))
      let name = String(decoding: JSONScanner.decodeString(key, in: line), as: UTF8.self)
      members[ByteString(name)] =
        line[value.lowerBound] == UInt8(ascii: "\"")
        ? JSONScanner.decodeString(value, in: line)
        : [UInt8](capacity: value.count) { $0.append(copying: line.extracting(value)) }
    } while line[index - 1] == UInt8(ascii: ",")
    return members
  }

  /// Reads a stream's line; nil when it is not one.
  static func stream(_ members: [ByteString: [UInt8]]) -> StreamDigest? {
    guard let aggregateID = members["aggregate_id"],
      let chain = members["chain"].flatMap({ SHA256.Digest(hexadecimal: $0) }),
      let digests = members["digests"],
      let versions = members["versions"].flatMap({
        Self.versions(String(decoding: $0, as: UTF8.self), count: digests.count / EventDigest.prefixDigits)
      }),
      digests.count == versions.count * EventDigest.prefixDigits
    else { return nil }
    var events: [EventDigest] = []
    events.reserveCapacity(versions.count)
    for (index, version) in versions.enumerated() {
      let start = index * EventDigest.prefixDigits
      guard let prefix = hexadecimal(digests[start..<start + EventDigest.prefixDigits]) else { return nil }
      events.append(EventDigest(version: version, prefix: prefix))
    }
    return StreamDigest(aggregateID: aggregateID, chain: chain, events: events)
  }

  /// The versions of runs; nil for more than there can be, whatever a damaged line says.
  private static func versions(_ text: String, count: Int) -> [Int32]? {
    var versions: [Int32] = []
    for run in text.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = run.split(separator: "..".unicodeScalars).map { Int32(String($0)) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last else {
        return nil
      }
      guard Int(last) - Int(first) < count - versions.count else { return nil }
      versions += first...last
    }
    return versions
  }

  fileprivate static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      guard let digit = hexadecimalValue(digit) else { return nil }
      value = value << 4 | UInt64(digit)
    }
    return value
  }
}

extension SHA256.Digest {
  init?(hexadecimal digits: [UInt8]) {
    guard digits.count == 64 else { return nil }
    words = InlineArray(repeating: 0)
    for index in words.indices {
      guard let word = ManifestFormat.hexadecimal(digits[index * 8..<index * 8 + 8]) else { return nil }
      words[index] = UInt32(word)
    }
  }
}
