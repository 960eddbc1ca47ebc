import Testing

@testable import EventStore

private let id = EventID(high: 0xA0EE_BC99_9C0B_4EF8, low: 0xBB6D_6BB9_BD38_0A11)

private func write(position: Int64?, aggregateID: String, eventType: String, metadata: [UInt8]?) -> String {
  var output: [UInt8] = []
  EventJSONWriter.append(
    position: position,
    aggregateID: Array(aggregateID.utf8).span,
    version: 2_147_483_647,
    eventType: Array(eventType.utf8).span,
    timestamp: Timestamp(microseconds: 526_338_919_500_000),
    id: id,
    data: Array(#"{"é": 1e5}"#.utf8).span,
    metadata: metadata?.span,
    to: &output
  )
  return String(decoding: output, as: UTF8.self)
}

@Suite struct EventJSONWriterTests {
  @Test func writesTheFieldsInOrder() {
    let line = write(position: 9, aggregateID: "order-42", eventType: "T", metadata: Array(#"{"m": 1}"#.utf8))
    #expect(
      line == #"{"position":9,"aggregate_id":"order-42","version":2147483647,"event_type":"T","#
        + #""timestamp":"2016-09-04T21:15:19.500Z","id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","#
        + #""event_data":{"é": 1e5},"metadata":{"m": 1}}"# + "\n"
    )
  }

  @Test func leavesOutWhatIsNotThere() {
    let line = write(position: nil, aggregateID: "a", eventType: "T", metadata: nil)
    #expect(line.hasPrefix(#"{"aggregate_id":"a","#))
    #expect(line.hasSuffix(#","event_data":{"é": 1e5}}"# + "\n"))
  }

  @Test func writesTheLargestPosition() {
    let line = write(position: .max, aggregateID: "a", eventType: "T", metadata: nil)
    #expect(line.hasPrefix(#"{"position":9223372036854775807,"#))
  }

  @Test func whatIsWrittenCanBeRead() throws {
    let texts = ["\"\\\u{1}\u{1F}\u{7F}\n\r\t/", "é日😀\u{202E}", String(repeating: "\u{2}", count: 100)]
    for text in texts {
      let line = Array(
        write(position: 1, aggregateID: text, eventType: text, metadata: Array("[]".utf8)).utf8
      )
      var parser = EventLineParser()
      let event = try parser.parse(line.span, line: 1)
      #expect(event.aggregateID == Array(text.utf8))
      #expect(event.eventType == Array(text.utf8))
      #expect(event.id == id)
      #expect(event.timestamp == Timestamp(microseconds: 526_338_919_500_000))
      #expect(event.version == 2_147_483_647)
    }
  }
}
