internal import LibPQ

/// The result of a test.
public struct TestResult: Sendable, Hashable {
  /// How it ended.
  public enum Status: String, Sendable, Hashable {
    /// Everything was as expected.
    case passed
    /// Something differed.
    case failed
    /// The test, or a file that it names, is wrong.
    case wrong
    /// The result has rows that the file does not have, and that are to be written into it.
    case recorded
  }

  /// The file of the test.
  public let path: String
  /// The words after `@test`.
  public let name: String
  /// The line of the file on which the test begins.
  public let line: Int
  /// How it ended.
  public internal(set) var status = Status.passed
  /// What was not as expected, in the order of the file.
  public internal(set) var failures: [TestFailure] = []
  /// How long it took.
  public internal(set) var duration = Duration.zero
  /// The rows to write into the file, each with the lines, counted from 0, that they replace.
  var recorded: [RecordedRows] = []

  init(of test: TestCase) { (path, name, line) = (test.path, test.name, test.line) }

  mutating func add(_ failure: TestFailure, _ status: Status = .failed) {
    failures.append(failure)
    if self.status != .wrong { self.status = status }
  }
}

struct RecordedRows: Sendable, Hashable {
  let place: Range<Int>
  let lines: [String]
}

/// A difference from what a test expects.
public struct TestFailure: Sendable, Hashable {
  /// An expected row that is missing, or a row that was not expected.
  public struct Row: Sendable, Hashable {
    /// Whether it was expected.
    public let isExpected: Bool
    /// Its values as text, in the form of a test file.
    public let values: [String]
  }

  /// The difference, with the place in the file before it.
  public internal(set) var message: String
  /// More about it.
  public internal(set) var detail: String?
  /// What to do about it.
  public internal(set) var hint: Hint?
  /// The names of the query's columns; empty if it is not about rows.
  public internal(set) var columns: [String] = []
  /// The rows that differ.
  public internal(set) var rows: [Row] = []

  init(_ message: String, detail: String? = nil, hint: Hint? = nil) {
    (self.message, self.detail, self.hint) = (message, detail, hint)
  }

  init(_ error: EventStoreError) { self.init(error.message, detail: error.detail, hint: error.hint) }

  /// The rows that differ as a table for people: `-` before a missing row, `+` before one that is not expected.
  package var difference: [String] {
    guard !rows.isEmpty else { return [] }
    let table = RowTable.lines(
      columns.map { ByteString($0) },
      rows.map { $0.values.map { ByteString($0) } }
    )
    return zip([" ", " "] + rows.map { $0.isExpected ? "-" : "+" }, table).map { "\($0) \($1)" }
  }
}

extension TestFailure {
  /// The rows that differ; nil if all are as expected.
  init?(
    expected: [[ByteString]],
    found: [[ByteString]],
    isOrdered: Bool,
    _ columns: [ByteString],
    _ message: (String) -> String
  ) {
    let rows = isOrdered ? Self.inOrder(expected, found) : Self.inAnyOrder(expected, found)
    guard !rows.isEmpty else { return nil }
    let areSame = Self.inAnyOrder(expected, found).isEmpty
    self.init(message(areSame ? "the rows come in another order" : "the rows differ"))
    self.columns = columns.map(\.string)
    self.rows = rows
  }

  private static func row(_ values: [ByteString], isExpected: Bool) -> Row {
    Row(isExpected: isExpected, values: values.map(\.string))
  }

  /// The shortest edit (Myers, "An O(ND) Difference Algorithm", 1986), in the order of the rows.
  private static func inOrder(_ expected: [[ByteString]], _ found: [[ByteString]]) -> [Row] {
    let difference = found.difference(from: expected)
    var (removed, inserted): (Set<Int>, Set<Int>) = ([], [])
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var rows: [Row] = []
    var (old, new) = (0, 0)
    while old < expected.count || new < found.count {
      if removed.contains(old) {
        rows.append(row(expected[old], isExpected: true))
        old += 1
      } else if inserted.contains(new) {
        rows.append(row(found[new], isExpected: false))
        new += 1
      } else {
        (old, new) = (old + 1, new + 1)
      }
    }
    return rows
  }

  private static func inAnyOrder(_ expected: [[ByteString]], _ found: [[ByteString]]) -> [Row] {
    var counts: [[ByteString]: Int] = [:]
    for values in found { counts[values, default: 0] += 1 }
    var rows: [Row] = []
    for values in expected {
      if let count = counts[values], count > 0 {
        counts[values] = count - 1
      } else {
        rows.append(row(values, isExpected: true))
      }
    }
    for values in found {
      guard let count = counts[values], count > 0 else { continue }
      counts[values] = count - 1
      rows.append(row(values, isExpected: false))
    }
    return rows
  }
}

extension TestFile {
  /// The file with the actual rows in place of its own.
  ///
  /// - Parameter results: of its tests, run with `recording`.
  public func recording(_ results: [TestResult]) -> [UInt8] {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
    // From the end, so that the earlier places do not change.
    for rows in results.flatMap(\.recorded).sorted(by: { $0.place.lowerBound > $1.place.lowerBound }) {
      let query = lines[rows.place.lowerBound - 1]
      let ending = query.last == UInt8(ascii: "\r") ? "\r" : ""
      var text = rows.lines.map { Array("-- \($0)\(ending)".utf8) }
      // Here the last line of a file has no line feed.
      if rows.place.upperBound == lines.count { text.append([]) }
      lines.replaceSubrange(rows.place, with: text)
    }
    return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
  }
}
