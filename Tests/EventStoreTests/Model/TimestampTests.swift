import Testing

@testable import EventStore

@Suite struct TimestampTests {
  /// Microseconds as PostgreSQL 15 gives them: `extract(epoch from t - '2000-01-01Z') * 1000000`.
  @Test(
    arguments: [
      ("2000-01-01T00:00:00Z", 0),
      ("2016-09-04T21:15:19Z", 526_338_919_000_000),
      ("2016-09-04T21:15:19.500Z", 526_338_919_500_000),
      ("2016-09-04T21:15:19.123456Z", 526_338_919_123_456),
      ("1999-12-31T23:59:59.999999Z", -1),
      ("1970-01-01T00:00:00Z", -946_684_800_000_000),
      ("2024-02-29T00:00:00Z", 762_480_000_000_000),
      ("9999-12-31T23:59:59Z", 252_455_615_999_000_000),
      ("+10000-01-01T00:00:00Z", 252_455_616_000_000_000),
      ("0001-01-01T00:00:00Z", -63_082_281_600_000_000),
      ("0000-12-31T00:00:00Z", -63_082_368_000_000_000),
      ("-0043-03-15T12:00:00Z", -64_464_465_600_000_000),
      ("-4713-11-24T00:00:00Z", -211_813_488_000_000_000),
      ("+294276-12-31T23:59:59.999999Z", 9_223_371_331_199_999_999),
      ("infinity", .max),
      ("-infinity", .min),
    ] as [(String, Int64)]
  )
  func readsAndWrites(_ text: String, _ microseconds: Int64) throws {
    #expect(try Timestamp(iso8601: text).microseconds == microseconds)
    #expect(Timestamp(microseconds: microseconds).description == text)
  }

  @Test(arguments: [
    ("2016-12-31 12:00:00Z", "2016-12-31T12:00:00Z"),
    ("2016-12-31t12:00:00z", "2016-12-31T12:00:00Z"),
    ("2016-12-31T12:00Z", "2016-12-31T12:00:00Z"),
    ("2016-12-31T12:00:00+02", "2016-12-31T10:00:00Z"),
    ("2016-12-31T12:00:00+0530", "2016-12-31T06:30:00Z"),
    ("2016-12-31T23:00:00-03:30", "2017-01-01T02:30:00Z"),
    ("2016-12-31T12:00:00-00:00", "2016-12-31T12:00:00Z"),
    ("2016-12-31T12:00:00+15:59", "2016-12-30T20:01:00Z"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ("2016-12-31T24:00:00Z", "2017-01-01T00:00:00Z"),
    ("2016-12-31T12:00:00.000Z", "2016-12-31T12:00:00Z"),
    ("2016-12-31T12:00:00.5Z", "2016-12-31T12:00:00.500Z"),
    ("2016-12-31T12:00:00.1234567Z", "2016-12-31T12:00:00.123457Z"),
    ("2016-12-31T12:00:00.1234565Z", "2016-12-31T12:00:00.123456Z"),
    ("2016-12-31T12:00:00.1234575000Z", "2016-12-31T12:00:00.123458Z"),
    ("2016-12-31T12:00:00.123456500001Z", "2016-12-31T12:00:00.123457Z"),
    ("2016-12-31T23:59:59.9999995Z", "2017-01-01T00:00:00Z"),
  ])
  func readsAsPostgreSQLDoes(_ text: String, _ expected: String) throws {
    #expect(try Timestamp(iso8601: text).description == expected)
  }

  @Test(arguments: [
    ("2016-12-31T12:00:00", "a time without a zone"),
    ("2016-12-31T12:00", "a time without a zone"),
    ("2016-12-31", "a date without a time"),
    ("", "not an ISO 8601 time: the date is malformed"),
    ("now", "not an ISO 8601 time: the date is malformed"),
    ("1473023719", "not an ISO 8601 time: the date is malformed"),
    ("31.12.2016 12:00:00Z", "not an ISO 8601 time: the date is malformed"),
    ("2016-1-1T12:00:00Z", "not an ISO 8601 time: the date is malformed"),
    ("10000-01-01T12:00:00Z", "not an ISO 8601 time: the date is malformed"),
    ("2016-12-31_12:00:00Z", "not an ISO 8601 time: the date is malformed"),
    ("2016-12-31T12Z", "not an ISO 8601 time: the time is malformed"),
    ("2016-12-31T12:00:00.Z", "not an ISO 8601 time: the time is malformed"),
    ("2016-12-31T12:00:00,5Z", "not an ISO 8601 time: the time is malformed"),
    ("2016-12-31T12:00:00+1", "not an ISO 8601 time: the zone is malformed"),
    ("2016-12-31T12:00:00+01:00:00", "not an ISO 8601 time: the zone is malformed"),
    ("2016-12-31T12:00:00+01:", "not an ISO 8601 time: the zone is malformed"),
    ("2016-12-31T12:00:00Z ", "not an ISO 8601 time: the zone is malformed"),
    ("2016-12-31T12:00:00+16:00", "a zone that does not exist"),
    ("2016-12-31T12:00:00+01:60", "a zone that does not exist"),
    ("2023-02-29T12:00:00Z", "a day that does not exist"),
    ("1900-02-29T12:00:00Z", "a day that does not exist"),
    ("2016-13-01T12:00:00Z", "a day that does not exist"),
    ("2016-00-01T12:00:00Z", "a day that does not exist"),
    ("2016-04-31T12:00:00Z", "a day that does not exist"),
    ("2016-12-31T24:00:01Z", "a time of day that does not exist"),
    ("2016-12-31T25:00:00Z", "a time of day that does not exist"),
    ("2016-12-31T12:60:00Z", "a time of day that does not exist"),
    ("2016-12-31T12:00:61Z", "a time of day that does not exist"),
    ("2016-12-31T12:00:60.5Z", "a time of day that does not exist"),
    ("+294277-01-01T00:00:00Z", "a time out of range"),
    ("+294276-12-31T23:59:59-00:01", "a time out of range"),
    ("-4713-11-23T23:59:59Z", "a time out of range"),
    ("+999999-01-01T00:00:00Z", "a time out of range"),
    ("-999999-01-01T00:00:00Z", "a time out of range"),
  ])
  func refuses(_ text: String, _ message: String) {
    #expect(throws: TimestampError.self) { try Timestamp(iso8601: text) }
    do { _ = try Timestamp(iso8601: text) } catch { #expect(error.message == message) }
  }

  @Test func everyDayIsTheDayAfterTheOneBefore() {
    var previous = CivilDate(daysSince1970: -800_000)
    for days in Int64(-799_999)...800_000 {
      let date = CivilDate(daysSince1970: days)
      if date.daysSince1970 != days { Issue.record("\(date) is not day \(days)") }
      let follows = date.day == previous.day + 1 || date.day == 1 && previous.day >= 28
      if !follows { Issue.record("\(date) does not follow \(previous)") }
      previous = date
    }
  }

  @Test func ordersByTime() {
    let points: [Timestamp] = [
      .infinity, Timestamp(microseconds: 0), .negativeInfinity, Timestamp(microseconds: -1),
    ]
    #expect(points.sorted().map(\.microseconds) == [.min, -1, 0, .max])
  }
}
