internal import ArgumentParser
internal import EventStore

/// How `append --from` reads its input.
struct BulkOptions: ParsableArguments {
  @Option(help: "Append an NDJSON file; - is standard input.", completion: .file())
  var from: String?

  @Option(help: ArgumentHelp("Commit after every n lines, not all or nothing.", valueName: "n"))
  var batchSize: Int?

  @Option(
    help:
      "Connections to append over; needs --batch-size."
  )
  var workers: Int?

  @Option(help: ArgumentHelp("Skip the first n lines, which were committed before.", valueName: "n"))
  var skipLines: Int?

  @Option(
    help: ArgumentHelp(
      "Make missing ids from this member of the payload.",
      valueName: "member"
    )
  )
  var idFrom: String?

  @Option(help: ArgumentHelp("Make missing ids from this name and the line's number.", valueName: "name"))
  var runID: String?

  @Option(help: ArgumentHelp("Set aside up to n bad lines; exit with 5.", valueName: "n"))
  var maxErrors: Int?

  @Option(help: "New file for bad lines; --skip-lines adds to it.", completion: .file())
  var rejects: String?

  func validate() throws {
    for (name, value) in [
      ("--batch-size", batchSize), ("--max-errors", maxErrors), ("--workers", workers),
    ] {
      if let value, value < 1 { throw ValidationError("\(name) must be 1 or more") }
    }
    if let skipLines, skipLines < 0 { throw ValidationError("--skip-lines cannot be negative") }
    if (maxErrors == nil) != (rejects == nil) {
      throw ValidationError("--max-errors and --rejects belong together")
    }
    if let workers, workers > 1 {
      let largest = BulkAppendOptions.maximumSharedBatchSize
      guard let batchSize, batchSize <= largest else {
        throw ValidationError("--workers needs a --batch-size of at most \(largest)")
      }
    }
    if let runID, runID == "" || runID.utf8.first == UInt8(ascii: "-") {
      throw ValidationError("--run-id must be a name, and not begin with -")
    }
    if runID != nil, idFrom != nil { throw ValidationError("--run-id and --id-from cannot be combined") }
    guard from == nil else { return }
    let given: [(String, Bool)] = [
      ("--batch-size", batchSize != nil), ("--skip-lines", skipLines != nil), ("--id-from", idFrom != nil),
      ("--max-errors", maxErrors != nil), ("--workers", workers != nil),
      ("--run-id", runID != nil),
    ]
    for (name, isGiven) in given where isGiven { throw ValidationError("\(name) goes with --from") }
  }

  var options: BulkAppendOptions {
    var options = BulkAppendOptions()
    options.batchSize = batchSize
    options.workers = workers ?? 1
    options.skippedLines = skipLines ?? 0
    options.idField = idFrom
    options.runID = runID ?? (idFrom == nil ? EventID().description : nil)
    options.maximumRejects = maxErrors ?? 0
    return options
  }
}
