internal import EventStore

/// A test and its result.
struct TestRecord: Record {
  static let columns: [Column<Self>] = [
    Column("status") { .text($0.result.status.rawValue) },
    Column("test", .high) { .text($0.result.name) },
    Column("file") { .text($0.result.path) },
    Column("line", .low) { Field($0.result.line) },
    Column("milliseconds", .low) { Field(Int64($0.result.duration / .milliseconds(1))) },
    Column("failures", style: .aside) { .json("[\($0.result.failures.map(\.json).joined(separator: ","))]") },
  ]
  static let cutsLines = false

  let result: TestResult

  var lines: [String] { result.failures.flatMap(\.lines) }
}

extension TestFailure {
  /// For people.
  fileprivate var lines: [String] {
    let about = [("DETAIL:  ", detail), ("HINT:  ", hint.map(Advice.text))].compactMap { label, text in
      text.map { label + $0 }
    }
    return [message] + about + difference.map { "  \($0)" }
  }

  fileprivate var json: String {
    var object = JSONObject()
    object.add("message", message)
    if let detail { object.add("detail", detail) }
    if let hint { object.add("hint", Advice.text(hint)) }
    if !rows.isEmpty {
      func list(_ texts: [String]) -> String { "[\(texts.map(JSONObject.quote).joined(separator: ","))]" }
      func lists(_ isExpected: Bool) -> String {
        let chosen = rows.filter { $0.isExpected == isExpected }
        return "[\(chosen.map { list($0.values) }.joined(separator: ","))]"
      }
      object.add("columns", json: list(columns))
      object.add("missing", json: lists(true))
      object.add("unexpected", json: lists(false))
    }
    return object.text
  }
}

/// Prints the results of tests, as they end.
struct TestReport {
  private let isTAP: Bool
  private var printer: RecordPrinter<TestRecord>
  private var counts: [TestResult.Status: Int] = [:]
  private var number = 0

  init(count: Int, tap: Bool, _ style: RecordStyle) {
    isTAP = tap
    printer = RecordPrinter(style)
    // prove(1) of older Perls does not know later versions.
    if tap { for line in ["TAP version 13", "1..\(count)"] { StandardOutput.print(line) } }
  }

  mutating func add(_ result: TestResult) {
    counts[result.status, default: 0] += 1
    number += 1
    if isTAP { printTAP(result) } else { printer.print(TestRecord(result: result)) }
  }

  mutating func finish() {
    if isTAP { StandardOutput.flush() } else { printer.finish() }
    let parts = [TestResult.Status.passed, .recorded, .failed, .wrong].compactMap { status in
      counts[status].map { "\(Field.grouped(Int64($0))) \(status.rawValue)" }
    }
    StandardError.note("\(Field.counted(number, "test")): \(parts.joined(separator: ", "))")
  }

  /// The exit status of the command; nil if all tests passed.
  var status: ExitStatus? {
    if counts[.wrong] != nil { return .badDefinition }
    return counts[.failed] == nil ? nil : .findings
  }

  /// A line of the Test Anything Protocol, with the failures as a block of YAML, whose strings are JSON strings.
  private func printTAP(_ result: TestResult) {
    let isGood = result.failures.isEmpty
    StandardOutput.print("\(isGood ? "ok" : "not ok") \(number) - \(Self.description(of: result))")
    if isGood { return }
    StandardOutput.print("  ---")
    StandardOutput.print("  at: \(JSONObject.quote("\(result.path):\(result.line)"))")
    StandardOutput.print("  status: \(result.status.rawValue)")
    StandardOutput.print("  failures:")
    for failure in result.failures {
      StandardOutput.print("    - message: \(JSONObject.quote(failure.message))")
      if let detail = failure.detail { StandardOutput.print("      detail: \(JSONObject.quote(detail))") }
      if let hint = failure.hint {
        StandardOutput.print("      hint: \(JSONObject.quote(Advice.text(hint)))")
      }
      if failure.rows.isEmpty { continue }
      // Strings, since prove(1) cannot read a block whose first line begins with blanks.
      StandardOutput.print("      difference:")
      for line in failure.difference { StandardOutput.print("        - \(JSONObject.quote(line))") }
    }
    StandardOutput.print("  ...")
  }

  /// A `#` would begin a directive.
  private static func description(of result: TestResult) -> String {
    var text = String.UnicodeScalarView()
    for scalar in "\(result.path): \(result.name)".unicodeScalars {
      if scalar == "#" || scalar == "\\" { text.append("\\") }
      text.append(scalar)
    }
    return String(text)
  }
}
