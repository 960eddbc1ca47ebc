import Testing

@testable import EventStore

private func parse(_ text: String, line: Int = 1) throws(EventLineError) -> EventLine {
  var parser = EventLineParser()
  return try parser.parse(Array(text.utf8).span, line: line)
}

private func error(_ text: String) -> EventLineError? {
  do {
    _ = try parse(text)
    return nil
  } catch { return error }
}

/// A line with its required fields and another one.
private func line(with field: String) -> String {
  #"{"aggregate_id":"a","event_type":"T","event_data":{},\#(field)}"#
}

@Suite struct EventLineTests {
  @Test func readsEveryField() throws {
    let text = """
       {"position":7,"aggregate_id":"order-42","version":3,"event_type":"OrderSubmitted",\
      "timestamp":"2016-09-04T21:15:19Z","id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",\
      "event_data" : {"a": [1, 2]} ,"metadata":{"correlation_id":"x"}} \r
      """
    let event = try parse(text)
    let bytes = Array(text.utf8)
    #expect(event.aggregateID == Array("order-42".utf8))
    #expect(event.eventType == Array("OrderSubmitted".utf8))
    #expect(event.version == 3)
    #expect(event.expectedVersion == nil)
    #expect(event.timestamp?.description == "2016-09-04T21:15:19Z")
    #expect(event.id?.description == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
    #expect(String(decoding: bytes[event.data], as: UTF8.self) == #"{"a": [1, 2]}"#)
    #expect(
      String(decoding: bytes[try #require(event.metadata)], as: UTF8.self) == #"{"correlation_id":"x"}"#
    )
  }

  @Test func optionalFieldsMayBeNull() throws {
    let fields = ["id", "version", "expected_version", "timestamp", "metadata", "position"]
    let event = try parse(line(with: fields.map { "\"\($0)\":null" }.joined(separator: ",")))
    #expect(event.id == nil && event.version == nil && event.expectedVersion == nil)
    #expect(event.timestamp == nil && event.metadata == nil)
  }

  @Test func decodesEscapesInNamesAndTexts() throws {
    let event = try parse(#"{"aggregate\u005fid":"\u00e9\n","event_type":"T","event_data":1}"#)
    #expect(event.aggregateID == Array("é\n".utf8))
  }

  @Test func countsCharactersNotBytes() throws {
    let id = String(repeating: "é", count: 255)
    let type = String(repeating: "😀", count: 100)
    let event = try parse(#"{"aggregate_id":"\#(id)","event_type":"\#(type)","event_data":[]}"#)
    #expect(event.aggregateID.count == 510)
    #expect(event.eventType.count == 400)
  }

  @Test func doesNotNormalizeText() throws {
    let composed = try parse(#"{"aggregate_id":"\u00e9","event_type":"T","event_data":1}"#)
    let decomposed = try parse(#"{"aggregate_id":"e\u0301","event_type":"T","event_data":1}"#)
    #expect(composed.aggregateID != decomposed.aggregateID)
  }

  @Test(
    arguments: [
      ("0", .noStream), ("1", .version(1)), ("2147483647", .version(2_147_483_647)), ("\"any\"", .any),
      ("\"none\"", .noStream), ("\"exists\"", .exists),
    ] as [(String, ExpectedVersion)]
  )
  func readsExpectedVersions(_ json: String, _ expected: ExpectedVersion) throws {
    #expect(try parse(line(with: "\"expected_version\":\(json)")).expectedVersion == expected)
  }

  @Test(arguments: [
    ("", nil, "not a JSON object"),
    ("[1]", nil, "not a JSON object"),
    ("\"x\"", nil, "not a JSON object"),
    ("{} {}", nil, "text after the object"),
    ("{}", "aggregate_id", "the field is missing"),
    (#"{"aggregate_id":"a","event_data":{}}"#, "event_type", "the field is missing"),
    (#"{"aggregate_id":"a","event_type":"T"}"#, "event_data", "the field is missing"),
    (#"{"aggregate_id":null,"event_type":"T","event_data":{}}"#, "aggregate_id", "must not be null"),
    (#"{"aggregate_id":"a","event_type":"T","event_data":null}"#, "event_data", "must not be null"),
    (#"{"aggregate_id":"","event_type":"T","event_data":{}}"#, "aggregate_id", "must not be empty"),
    (#"{"aggregate_id":42,"event_type":"T","event_data":{}}"#, "aggregate_id", "must be a string, not 42"),
    (
      #"{"aggregate_id":"a","event_type":["T"],"event_data":{}}"#, "event_type",
      "must be a string, not an array"
    ),
    (
      #"{"aggregate_id":"a\u0000","event_type":"T","event_data":{}}"#, "aggregate_id",
      #"\u0000 in a string: PostgreSQL cannot store the NUL character"#
    ),
    (
      #"{"aggregate_id":"a","event_type":"T","event_data":{"a":01}}"#, "event_data",
      "a number must not begin with 0"
    ),
    (#"{"aggregate_id":"a""#, "aggregate_id", #"the line ends where "," or "}" was expected"#),
    (#"{"aggregate_id":"a",}"#, nil, #"unexpected "}", expected a field name in double quotes"#),
  ])
  func refusesLines(_ text: String, _ field: String?, _ message: String) {
    let error = error(text)
    #expect(error?.field == field)
    #expect(error?.message == message)
  }

  @Test(arguments: [
    (#""type":"T""#, "type", "unknown field"),
    (#""correlation_id":"x""#, "correlation_id", "unknown field"),
    (#""Version":1"#, "Version", "unknown field"),
    (#""":1"#, "", "unknown field"),
    (#""event_type":"U""#, "event_type", "the field occurs twice"),
    (#""event\u005ftype":"U""#, "event_type", "the field occurs twice"),
    (#""version":0"#, "version", "must be a whole number from 1 to 2147483647, not 0"),
    (#""version":-1"#, "version", "must be a whole number from 1 to 2147483647, not -1"),
    (#""version":2147483648"#, "version", "must be a whole number from 1 to 2147483647, not 2147483648"),
    (
      #""version":99999999999999999999"#, "version",
      "must be a whole number from 1 to 2147483647, not 99999999999999999999"
    ),
    (#""version":1.0"#, "version", "must be a whole number from 1 to 2147483647, not 1.0"),
    (#""version":1e0"#, "version", "must be a whole number from 1 to 2147483647, not 1e0"),
    (#""version":"1""#, "version", "must be a whole number from 1 to 2147483647, not a string"),
    (#""version":true"#, "version", "must be a whole number from 1 to 2147483647, not a boolean"),
    (
      #""expected_version":-1"#, "expected_version",
      #"must be a whole number from 0 to 2147483647, "any", "none" or "exists", not -1"#
    ),
    (
      #""expected_version":"Any""#, "expected_version",
      #"must be a whole number from 0 to 2147483647, "any", "none" or "exists", not a string"#
    ),
    (#""version":2,"expected_version":1"#, "expected_version", "given beside version"),
    (#""id":1"#, "id", "must be a string, not 1"),
    (#""id":"a0eebc999c0b4ef8bb6d6bb9bd380a11""#, "id", "not a UUID"),
    (#""timestamp":1473023719"#, "timestamp", "must be a string, not 1473023719"),
    (#""timestamp":"2016-09-04T21:15:19""#, "timestamp", "a time without a zone"),
    (
      #""metadata":{"a":"\ud800"}"#, "metadata",
      "high surrogate without the low surrogate that must follow it"
    ),
  ])
  func refusesFields(_ json: String, _ field: String, _ message: String) {
    let error = error(line(with: json))
    #expect(error?.field == field)
    #expect(error?.message == message)
  }

  @Test(arguments: [("aggregate_id", 255), ("event_type", 100)])
  func refusesLongText(_ field: String, _ limit: Int) {
    let text = String(repeating: "é", count: limit + 1)
    let values = ["aggregate_id": "a", "event_type": "T"].merging([field: text]) { $1 }
    let line = values.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",")
    #expect(
      error("{\(line),\"event_data\":1}")?.message == "longer than \(limit) characters: it has \(limit + 1)"
    )
  }

  @Test func namesThePlaceInCharactersAndBytes() throws {
    var parser = EventLineParser()
    let text = Array(#"{"aggregate_id":"é😀","event_type":7,"event_data":1}"#.utf8)
    let error = #expect(throws: EventLineError.self) { try parser.parse(text.span, line: 12) }
    #expect(error?.line == 12)
    #expect(error?.field == "event_type")
    #expect(error?.column == 35)
    #expect(error?.byteColumn == 39)
  }
}
