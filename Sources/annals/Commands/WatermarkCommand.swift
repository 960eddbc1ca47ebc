internal import ArgumentParser
internal import EventStore

struct WatermarkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watermark",
    abstract: "Show how far history is final, and what blocks it.",
    discussion: """
        annals watermark
        annals watermark -o json | jq .[0].watermark
        annals watermark --publish --every 1s    (for followers on standbys)

      Positions are assigned before commit: while a transaction writes, events may still appear below the last \
      position. Readers with a checkpoint wait for such transactions.
      """
  )

  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Store the watermark; readers of standbys follow up to it.")
  var publish = false

  @Option(help: ArgumentHelp("Publish at this interval until interrupted.", valueName: "duration"))
  var every: DurationArgument?

  @OptionGroup var wait: WaitOptions
  @OptionGroup var retry: RetryOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try output.checkFields(of: WatermarkRecord.self)
    if every != nil, !publish { throw ValidationError("--every needs --publish") }
    try every?.requirePositive("--every")
  }

  func run() async throws {
    let store = try await connection.store()
    await wait.apply(to: store)
    if let every {
      Interruption.isTheEnd()
      try await store.publishWatermark(every: every.duration, retryTimeout: retry.timeout)
    }
    if publish {
      let published = try await store.publishWatermark()
      let end = published.position.map { "final up to position \($0)" } ?? "there is no event"
      return StandardError.note("published: \(end)")
    }
    let watermark = try await store.watermark()
    output.print(WatermarkRecord.records(of: watermark))
    if watermark.isReplayed, watermark.published == nil, output.format == .table {
      StandardError.warn("this is a standby: events in flight on the primary may still appear below the head")
    }
  }
}

/// The head, once for each transaction that may still add events below it.
struct WatermarkRecord: Record {
  let watermark: Watermark
  let writer: OpenTransaction?

  static let columns: [Column<Self>] = [
    Column("head") { Field($0.watermark.head) },
    Column("watermark", .high) { Field($0.watermark.position) },
    Column("process", .high) { Field($0.writer?.processID) },
    Column("gid", .high) { Field($0.writer?.preparedAs) },
    Column("user", .high) { Field($0.writer?.user) },
    Column("application") { Field($0.writer?.application) },
    Column("age_seconds", .high) { Field($0.writer?.ageSeconds.map { Int64($0) }) },
    Column("query", .low) { Field($0.writer?.query) },
    Column("published") { Field($0.watermark.published?.position) },
    Column("published_seconds") { Field($0.watermark.published.map { Int64(Int(clamping: $0.ageSeconds)) }) },
  ]

  static func records(of watermark: Watermark) -> [WatermarkRecord] {
    guard !watermark.writers.isEmpty else { return [WatermarkRecord(watermark: watermark, writer: nil)] }
    return watermark.writers.map { WatermarkRecord(watermark: watermark, writer: $0) }
  }
}
