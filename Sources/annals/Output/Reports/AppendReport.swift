internal import EventStore
internal import Synchronization
internal import SystemPackage

extension AppendReceipt: Record {
  static let columns: [Column<Self>] = [
    Column("aggregate_id", .high) { .text($0.aggregateID) },
    Column("version", .high) { Field($0.version) },
    Column("position") { Field($0.position) },
    Column("id", .low) { .text("\($0.id)") },
    Column("status") { .text($0.status.rawValue) },
  ]
}

extension AppendReceipt {
  /// For people: `order-42 version 3 (position 1,234)`.
  func summary(isDryRun: Bool) -> String {
    let place = position.map { " (position \(Field.grouped($0)))" } ?? ""
    let verb = isDryRun && status == .appended ? "would be " : ""
    let note = status == .existing ? ", which was stored before" : ""
    return "\(aggregateID) \(verb)version \(version)\(place)\(note)"
  }
}

/// Reports a bulk append: receipts on standard output, commits and bad lines on standard error.
final class AppendReport: Sendable {
  private struct State {
    var printer: RecordPrinter<AppendReceipt>?
    var lastCommittedLine = 0
    var lastNotice = ContinuousClock.now
  }

  private let bulk: BulkOptions
  private let noticeInterval: Duration?
  private let state: Mutex<State>

  /// - Parameters:
  ///   - style: of the receipts; nil prints none.
  ///   - noticeInterval: how often to report what is committed; nil reports it only at the end.
  init(style: RecordStyle?, bulk: BulkOptions, noticeInterval: Duration?) {
    self.bulk = bulk
    self.noticeInterval = noticeInterval
    state = Mutex(State(printer: style.map { RecordPrinter($0) }, lastCommittedLine: bulk.skipLines ?? 0))
  }

  /// - Parameter input: the source of the events.
  func attach(to options: inout BulkAppendOptions, input: FileDescriptor) throws {
    if state.withLock({ $0.printer != nil }) {
      options.onReceipts = { receipts in
        self.state.withLock { state in
          for receipt in receipts { state.printer?.print(receipt) }
        }
      }
    }
    printRun(options)
    if options.batchSize != nil { options.onCommit = { self.noteCommit($0) } }
    // A transaction of several chunks reports each one before it is committed.
    if options.batchSize ?? .max > BulkAppendOptions.maximumSharedBatchSize, options.onReceipts != nil {
      try StandardOutput.hold()
      options.onCommit = { line in
        self.noteCommit(line)
        do {
          try StandardOutput.release()
          try StandardOutput.hold()
        } catch {
          StandardError.warn("cannot keep the receipts: \(error)")
        }
      }
    }
    if let path = bulk.rejects {
      let file =
        options.isDryRun
        ? nil : try RejectsFile(path, isResumed: options.skippedLines > 0, input: input)
      options.onReject = { line in
        try file?.write(line.bytes)
        StandardError.warn("line \(line.line), \(line.reason)")
      }
    }
  }

  /// Reports what is committed, but not too often: there can be thousands of commits in a second.
  private func noteCommit(_ line: Int) {
    state.withLock { state in
      state.lastCommittedLine = line
      guard bulk.batchSize != nil, let noticeInterval else { return }
      guard ContinuousClock.now - state.lastNotice >= noticeInterval else { return }
      state.lastNotice = .now
      StandardError.warn("lines 1 to \(line) are committed")
    }
  }

  /// Says how to continue. It names the run, since lines without ids may be stored beyond the last reported one.
  func printInterruption(of options: BulkAppendOptions) {
    guard options.batchSize != nil, !options.isDryRun else { return }
    let line = state.withLock { $0.lastCommittedLine }
    var facts = line > 0 ? "lines 1 to \(line) are committed" : ""
    if options.workers > 1 {
      facts += line > 0 ? ", and perhaps some after them" : "some lines may be committed"
    }
    guard facts != "" else { return }
    let run = options.runID.map { " --run-id \(quoteShell($0))" } ?? ""
    let skip = line > 0 ? " --skip-lines \(line)" : ""
    guard run + skip != "" else { return StandardError.warn("\(facts); to continue, run the command again") }
    StandardError.warn("\(facts); to continue, add\(run)\(skip)")
  }

  /// Reports the name of a run with several batches: after a crash, nobody could report it.
  private func printRun(_ options: BulkAppendOptions) {
    guard bulk.runID == nil, options.batchSize != nil, !options.isDryRun, let run = options.runID else {
      return
    }
    let text = "if this run is interrupted, append the lines without an id again with --run-id \(run)"
    if noticeInterval == nil { StandardError.note(text) } else { StandardError.warn(text) }
  }

  func finish(_ result: BulkAppendResult, isDryRun: Bool) throws {
    try StandardOutput.release()
    state.withLock { $0.printer?.finish() }
    var text = "\(Field.counted(result.appendedCount, "event")) "
    text += isDryRun ? "would be appended" : "appended"
    if result.existingCount > 0 {
      text +=
        ", \(Field.grouped(Int64(result.existingCount))) \(result.existingCount == 1 ? "was" : "were") stored before"
    }
    if result.rejectedCount > 0 { text += ", \(Field.counted(result.rejectedCount, "line")) set aside" }
    if isDryRun { StandardError.warn(text) } else { StandardError.note(text) }
  }
}
