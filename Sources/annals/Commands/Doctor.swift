internal import ArgumentParser
internal import EventStore
internal import LibPQ

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check the setup of annals, the server and the store.",
    discussion: """
        annals doctor
        annals doctor -o ndjson | jq -r 'select(.status == "problem").advice'

      It changes nothing and needs no privileges. The exit status is 2 when there is a problem.
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws { try output.checkFields(of: DiagnosisRecord.self) }

  func run() async throws {
    let store = try await connection.store()
    var (items, failure): ([DiagnosisItem], (any Error)?) = ([], nil)
    do { items = try await store.diagnose() } catch { failure = error }
    // Also without a connection: then the settings that were tried are what helps.
    let settings = await store.connectionSettings().map(DiagnosisRecord.init)
    let mirrored = try mirroredSettings(layout: store.foreign)
    output.print(DiagnosisRecord.versions + settings + mirrored + items.map { DiagnosisRecord(item: $0) })
    if let failure { throw failure }
    if items.contains(where: { $0.status == .problem }) { throw EndWithStatus(status: .findings) }
  }

  private func mirroredSettings(layout: Layout?) throws -> [DiagnosisRecord] {
    try MirroredOption.allCases.compactMap { option in
      switch option {
      case .table:
        DiagnosisRecord(option, "\(try connection.table)", isGiven: connection.givenTable != nil)
      case .layout:
        layout.map {
          DiagnosisRecord(
            option,
            String("\($0.name) \($0.parameterText)".trimmed),
            isGiven: connection.givenLayout != nil
          )
        }
      case .output:
        DiagnosisRecord(option, output.format.rawValue, isGiven: output.givenFormat != nil)
      case .upcasters:
        option.variableText.map { DiagnosisRecord(option, $0, isGiven: false) }
      }
    }
  }
}

/// A line of the output of `doctor`.
struct DiagnosisRecord: Record {
  var item: DiagnosisItem
  /// The source of a setting.
  var source: String?
  /// What to do, as this program's commands and as SQL.
  private var advice: String? { item.advice.map(Advice.text) }

  static let columns: [Column<Self>] = [
    Column("area") { .text($0.item.area.rawValue) },
    Column("name", .high) { .text($0.item.name) },
    Column("value", .high) { .text($0.item.value) },
    Column("source", .low) { Field($0.source) },
    Column("status", .high) { .text($0.item.status.rawValue) },
    Column("advice", style: .aside) { Field($0.advice) },
  ]

  var lines: [String] { advice.map { ["-> " + $0] } ?? [] }
  /// Truncated advice would be useless.
  static var cutsLines: Bool { false }

  static var versions: [DiagnosisRecord] {
    [("annals", Annals.version), ("libpq", VersionRecord.libpq)].map { name, version in
      DiagnosisRecord(item: DiagnosisItem(.versions, name, version))
    }
  }
}

extension DiagnosisRecord {
  fileprivate init(_ option: MirroredOption, _ value: String, isGiven: Bool) {
    item = DiagnosisItem(.settings, String(option.rawValue.dropFirst(2)), value)
    source = option.source(isGiven: isGiven)
  }

  fileprivate init(_ setting: ConnectionSetting) {
    item = DiagnosisItem(.settings, setting.keyword, setting.value)
    source =
      switch setting.source {
      case .option: setting.keyword == "user" ? "--username" : "--\(setting.keyword)"
      case .connectionString: "connection string"
      case .serviceFile: "service file"
      case .environment(let variable): variable
      case .standard: "default"
      }
  }
}
