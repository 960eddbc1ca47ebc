internal import ArgumentParser
internal import EventStore

struct Append: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "append",
    abstract: "Append an event, or those of an NDJSON file.",
    usage: """
      annals append [options] AGGREGATE_ID EVENT_TYPE [JSON|-|@FILE]
      annals append [options] --from FILE|-
      """,
    discussion: """
        annals append order-42 OrderShipped '{"carrier": "DHL"}' --expected-version 3
        annals append --from events.ndjson
        annals replay | annals append -d copy --from -

      A line is an object with aggregate_id, event_type and event_data, and may have id, version or \
      expected_version, timestamp and metadata.
      """
  )

  @Argument(help: "The aggregate whose stream gets the event.", completion: .aggregateID)
  var aggregateID: String?

  @Argument(help: "The event type.", completion: .eventType)
  var eventType: String?

  @Argument(help: "The payload, {} when left out; - is standard input, @FILE a file.")
  var payload: String?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup(title: "One event") var event: NewEventOptions
  @OptionGroup(title: "Many events") var bulk: BulkOptions
  @OptionGroup(title: "Many events") var progress: ProgressOptions

  @Flag(help: "Print a record of each event; so do -o, -x, --fields.")
  var receipts = false

  @OptionGroup var output: OutputOptions

  @OptionGroup var retry: RetryOptions

  @Flag(name: [.customShort("n"), .long], help: "Check everything, and change nothing.")
  var dryRun = false

  private enum Input {
    case event(aggregateID: String, type: String)
    case lines(path: String)
  }

  private var input: Input {
    get throws {
      if let path = bulk.from {
        guard aggregateID == nil, event.isEmpty else {
          throw ValidationError("with --from, give these values in the lines of the file")
        }
        return .lines(path: path)
      }
      if progress.progress != nil { throw ValidationError("--progress needs --from") }
      guard let aggregateID, let eventType else {
        throw ValidationError("name the stream and the type of the event, or a file with --from")
      }
      return .event(aggregateID: aggregateID, type: eventType)
    }
  }

  func validate() throws {
    _ = try input
    try output.checkFields(of: AppendReceipt.self)
  }

  private var printsReceipts: Bool { receipts || output.isGiven }

  func run() async throws {
    let store = try await connection.store()
    switch try input {
    case .lines(let path): try await appendLines(of: path, store)
    case .event(let aggregateID, let type): try await appendEvent(to: aggregateID, type: type, store)
    }
  }

  private func appendEvent(to aggregateID: String, type: String, _ store: EventStore) async throws {
    let event = try event.event(type: type, data: try Append.payload(payload ?? "{}"))
    let expected = self.event.expectedVersion ?? .any
    let receipts =
      dryRun
      ? try await store.previewAppend([event], to: aggregateID, expecting: expected)
      : try await store.append(
        [event],
        to: aggregateID,
        expecting: expected,
        retryTimeout: retry.timeout
      )
    if printsReceipts {
      output.print(receipts)
    } else if StandardOutput.isTerminal || dryRun {
      for receipt in receipts { StandardOutput.print(receipt.summary(isDryRun: dryRun)) }
      StandardOutput.flush()
    }
  }

  /// The payload that an argument gives.
  private static func payload(_ argument: String) throws -> String {
    guard argument == "-" || argument.utf8.first == UInt8(ascii: "@") else { return argument }
    let path = argument == "-" ? argument : String(argument.unicodeScalars.dropFirst())
    let bytes = try InputFile.read(path, .payload)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandError(.badInput, "the payload is not UTF-8", code: "invalidInput")
    }
    return text
  }

  private func appendLines(of path: String, _ store: EventStore) async throws {
    let line = progress.line("appending", rest: nil)
    defer { line.finish() }
    let input = try EventInput(path, line)
    let report = AppendReport(
      style: printsReceipts ? output.style : nil,
      bulk: bulk,
      noticeInterval: progress.progress?.duration
    )
    var options = bulk.options
    options.isDryRun = dryRun
    options.retryTimeout = retry.timeout
    try report.attach(to: &options, input: input.file)
    let result: BulkAppendResult
    do {
      result = try await store.append(lines: { try input.next() }, options: options)
    } catch is CancellationError {
      line.finish()
      report.printInterruption(of: options)
      throw CancellationError()
    }
    line.finish()
    try report.finish(result, isDryRun: dryRun)
    if result.rejectedCount > 0 { throw EndWithStatus(status: .partlyDone) }
  }
}
