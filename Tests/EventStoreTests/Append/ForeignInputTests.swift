import EventStore
import TestSupport
import Testing

/// An input that is not NDJSON is reported once, with its format.
@Suite struct ForeignInputTests {
  private static let inputs: [(bytes: [UInt8], what: String, remedy: String)] = [
    ([0x1F, 0x8B, 0x08, 0x00, 0x0A], "compressed with gzip", "gzip -dc"),
    ([0x28, 0xB5, 0x2F, 0xFD, 0x0A, 0x7B], "compressed with zstd", "zstd -dc"),
    (Array("BZh91AY".utf8), "compressed with bzip2", "bzip2 -dc"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x01], "compressed with xz", "xz -dc"),
    (Array("PK\u{3}\u{4}x".utf8), "compressed with zip", "unzip -p"),
    ([0xFF, 0xFE, 0x7B, 0x00, 0x0A, 0x00], "UTF-16", "iconv"),
    (Array("\n  [{\"aggregate_id\": \"a\"}]\n".utf8), "a JSON array", "jq -c '.[]'"),
    (Array("[\n".utf8), "a JSON array", "jq -c '.[]'"),
    (Array("<events>\n".utf8), "XML", "JSON object"),
    (Array("aggregate_id,event_type,event_data\r\na,T,{}\n".utf8), "CSV", "mlr"),
    (Array("\u{FEFF}\"id\";\"aggregate_id\"\n".utf8), "CSV", "mlr"),
  ]

  @Test(arguments: inputs.indices, [0, 9])
  func isNamed(index: Int, maximumRejects: Int) async throws {
    let input = Self.inputs[index]
    try await withStore { database, store in
      let pieces = Pieces(input.bytes)
      let options = Self.options(maximumRejects: maximumRejects)
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(lines: { pieces.next() }, options: options)
      }
      #expect(error.code == .invalidInput)
      #expect(error.message == "the input is \(input.what), and not NDJSON")
      #expect(error.hint?.description.contains(input.remedy) == true)
      #expect(error.detail?.hasSuffix("Nothing was appended.") == true)
    }
  }

  private static func options(maximumRejects: Int) -> BulkAppendOptions {
    var options = BulkAppendOptions()
    options.maximumRejects = maximumRejects
    options.onReject = { _ in Issue.record("no line of it is bad by itself") }
    return options
  }

  /// A bad line is no other format.
  @Test(arguments: ["text", "1", "\"aggregate_id\"", "a,b", "{\"aggregate_id\"", "null"])
  func aBadLineIsThat(line: String) async throws {
    try await withStore { _, store in
      let error = try await #require(throws: EventStoreError.self) { try await store.append(text: line) }
      #expect(error.message.hasPrefix("line 1, column "), "\(error)")
    }
  }
}
