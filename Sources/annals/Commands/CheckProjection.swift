internal import ArgumentParser
internal import EventStore

struct CheckProjection: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-projection",
    abstract: "Check projection files for errors.",
    discussion: """
        annals check-projection projections/*.sql

      It compiles each file and runs it on no events, in a transaction that is rolled back.
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions

  @Flag(help: "Exit with 2 when the store has no event of a type that a handler names.")
  var strict = false

  @Argument(help: "Projections: see annals-projection(5).", completion: .file(extensions: ["sql"]))
  var files: [String]

  func run() async throws {
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    var (failures, unknownTypes) = (0, 0)
    for path in files {
      do {
        let projection = try Projection(path: path, bytes: try InputFile.read(path))
        let checked = try await store.checkProjection(projection)
        StandardError.note("\(path): projection \(checked.name), \(checked.objects.joined(separator: ", "))")
        let coverage = try await store.typeCoverage(of: projection)
        coverage.report(path: path)
        unknownTypes += coverage.unknown.count
      } catch let error as EventStoreError where error.code == .invalidDefinition && files.count > 1 {
        // All files are checked, so that one run shows all mistakes.
        StandardError.warn(error.message)
        failures += 1
      }
    }
    if failures > 0 { throw EndWithStatus(status: .badDefinition) }
    if strict, unknownTypes > 0 { throw EndWithStatus(status: .findings) }
  }
}
