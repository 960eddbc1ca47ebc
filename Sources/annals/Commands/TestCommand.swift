internal import ArgumentParser
internal import EventStore
internal import LibPQ
internal import PostgresSandbox

struct TestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Test projections, reducers, upcasters and layouts.",
    discussion: """
        annals test --sandbox Examples/orders
        annals test --record orders.test.sql

      A test names the file under test, the given events and the expected rows: see annals-test(5). Each test runs \
      in a transaction that is rolled back. The exit status is 2 when a test fails.
      """
  )

  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Run in the sandbox of 'annals sandbox'; start it if needed.")
  var sandbox = false

  @Flag(help: "Write the actual rows into the files.")
  var record = false

  @Option(help: ArgumentHelp("Time limit of each statement.", valueName: "duration"))
  var timeout: DurationArgument = "30s"

  @Flag(help: "Print the Test Anything Protocol (TAP).")
  var tap = false

  @OptionGroup var output: OutputOptions

  @Argument(
    help: ArgumentHelp("Test files, or folders of files *.test.sql.", valueName: "file"),
    completion: .file(extensions: ["sql"])
  )
  var paths: [String]

  func validate() throws {
    try timeout.requirePositive("--timeout")
    try output.checkFields(of: TestRecord.self)
    if tap, output.isGiven { throw ValidationError("--tap excludes -o, -x and --fields") }
    try connection.requireNoTable("a test names its layout itself")
    if sandbox { try connection.requireNoServer("--sandbox") }
    if record, paths.contains(where: { $0 == "-" }) {
      throw ValidationError("--record cannot write to standard input")
    }
  }

  func run() async throws {
    let files = try TestFiles.read(paths)
    let store = try await store()
    var report = TestReport(count: files.reduce(0) { $0 + $1.tests.count }, tap: tap, output.style)
    for file in files {
      var results: [TestResult] = []
      for test in file.tests {
        let result = try await store.run(test, timeout: timeout.duration, recording: record)
        report.add(result)
        results.append(result)
      }
      guard results.contains(where: { $0.status == .recorded }) else { continue }
      let written = try OutputFile(file.path)
      try written.write(file.recording(results))
      try written.finish()
    }
    report.finish()
    if let status = report.status { throw EndWithStatus(status: status) }
  }

  private func store() async throws -> EventStore {
    guard sandbox else { return try await connection.storeWithoutTable() }
    let sandbox = try await Sandbox(directory: nil)
    try await sandbox.start()
    for name in Sandbox.conflictingVariables { CLibrary.unset(name) }
    return try connection.store(of: try sandbox.environment())
  }
}
