internal import EventStore
internal import LibPQ
internal import PostgresSandbox
internal import Synchronization

/// The advice of the store's hints, as command lines of this program.
///
/// A command repeats the options that tell where the store is, so that it can be pasted: without them it would use
/// another store.
enum Advice {
  /// The options as they were given, quoted for a shell, each after a blank.
  private struct Given {
    var server = ""
    var table = ""
    var sandbox = ""
  }

  private static let given = Mutex(Given())

  /// Notes the options of the command line, without passwords.
  static func repeatOptions(
    of parameters: ConnectionParameters,
    table: QualifiedName?,
    layout: String?,
    setting values: [LayoutParameter],
    columns: [LayoutParameter]? = nil
  ) {
    let shown = parameters.withoutPasswords
    let server = [("-h", shown?.host), ("-p", shown?.port), ("-U", shown?.user), ("-d", shown?.database)]
    let named = columns?.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
    let tables =
      options([("--table", table?.description), ("--columns", named), ("--layout", layout)]) + setting(values)
    given.withLock { $0 = Given(server: options(server), table: tables) }
  }

  /// Notes where the sandbox is, for the hints about it.
  static func repeatOptions(ofSandbox directory: String?) {
    given.withLock { $0.sandbox = options([("--directory", directory)]) }
  }

  static func text(_ hint: SandboxHint) -> String {
    switch hint {
    case .text(let text): text
    case .start: "Start it: \(sandbox("start"))"
    case .installOrReset(let version):
      "Install PostgreSQL \(version), or start again with: \(sandbox("reset"))"
    case .nameFolder: "Name one with --directory, or in ANNALS_SANDBOX_DIR."
    case .chooseReachableFolder:
      "Choose a folder that this user can reach: --directory, or ANNALS_SANDBOX_DIR."
    case .removeOrChooseFolder: "Remove it, or choose another folder with --directory."
    }
  }

  /// A command line of the sandbox, bare: it ends the sentence.
  static func sandbox(_ subcommand: String) -> String {
    "annals sandbox \(subcommand)" + given.withLock(\.sandbox)
  }

  /// The options that name a layout, quoted for a shell, with a blank before each.
  static func layoutOptions(_ layout: String, setting values: [LayoutParameter]) -> String {
    options([("--layout", layout)]) + setting(values)
  }

  private static func setting(_ values: [LayoutParameter]) -> String {
    values.map { " --set \($0.name)=\(quoteShell($0.value))" }.joined()
  }

  private static func options(_ options: [(name: String, value: String?)]) -> String {
    options.map { name, value in value.map { " \(name) \(quoteShell($0))" } ?? "" }.joined()
  }

  static func text(_ hint: Hint) -> String { hint.text(naming: name) }

  private static func name(_ remedy: Remedy) -> String {
    switch remedy {
    case .connection: "-h, -p, -U, -d and the PG* variables"
    case .table(let name): "--table \(name.map(quoteShell) ?? "schema.name")"
    case .layout: "--layout"
    case .columns: "--columns"
    case .upcasters: "--upcasters"
    case .rawEvents: "--raw"
    case .includedArchive: "--with-archive"
    case .unarchive: command("archive", "--undo")
    case .initialize: command("init")
    case .addPosition: command("init", "--add-position")
    case .addPositionOnline: command("init", "--add-position --online")
    case .previewAddPosition: "'--add-position --dry-run'"
    case .diagnose(let layout, let values):
      quoted("annals doctor" + given.withLock(\.server) + layoutOptions(layout, setting: values))
    case .doctor: command("doctor")
    case .layouts: "'annals layouts'"
    case .protect: command("protect")
    case .stream(let aggregateID): line("stream", quoteShellOperand(aggregateID))
    case .types: command("types")
    case .append(let expected): "--expected-version \(expected == .noStream ? "none" : version(expected))"
    case .appendBatches(let lines): "--batch-size \(lines)"
    case .skipLines(let lines): "--skip-lines \(lines)"
    case .runID(let run): "--run-id" + (run.map { " " + quoteShell($0) } ?? "")
    case .restoreMissing: "--missing"
    case .replay(nil): command("replay")
    case .replay(let position?): command("replay", "--from-position \(position)")
    case .rebuild(let path): command("rebuild-projection", path.map(quoteShell) ?? "FILE")
    case .restartRebuild: "--restart"
    case .projections(nil): command("projections")
    case .projections(let name?): command("projections", quoteShellOperand(name))
    case .projectionFile(let name, let generation):
      command("projections show", "\(quoteShellOperand(name)) --generation \(generation) --file")
    case .dropProjection(let name): command("projections drop", quoteShellOperand(name))
    case .checkpoints: command("checkpoints")
    case .deadLetters: command("dead-letters list")
    case .retryByCommand: "--exec COMMAND"
    case .skippedEvents: command("dead-letters skipped")
    case .snapshots: command("snapshot list")
    case .takeSnapshots: command("snapshot take")
    case .verify(nil): command("verify-versions")
    case .verify(let kind?): command("verify-versions", "--only \(kind)")
    // Without the options of the server, since this is for another server.
    case .publishWatermark: "'annals watermark --publish'"
    case .checkEvolution: command("evolve check")
    case .planEvolution(let path): command("evolve plan", "FILE --out \(quoteShell(path))")
    case .applyEvolution: command("evolve apply")
    case .copyName: "--into"
    case .withoutSwap: "--swap"
    case .recordTests: "--record"
    case .testTimeout: "--timeout"
    case .rollBackEvolution(let copy): command("evolve rollback", "--into \(quoteShell(copy))")
    case .manual(.layoutFiles): "annals-layout(5)"
    case .manual(.upcasterFiles): "annals-upcaster(5)"
    case .manual(.initialization): "annals-init(1)"
    case .manual(.diagnosis): "annals-doctor(1)"
    }
  }

  /// A command line within a sentence.
  static func command(_ subcommand: String, _ arguments: String = "") -> String {
    quoted(line(subcommand, arguments))
  }

  /// A command line without quotes, at the end of the sentence.
  static func line(_ subcommand: String, _ arguments: String) -> String {
    let options = given.withLock { $0.server + $0.table }
    return "annals \(subcommand)\(options)" + (arguments.isEmpty ? "" : " \(arguments)")
  }

  /// In quotes of a kind that it does not contain.
  private static func quoted(_ line: String) -> String {
    let quote = ["'", "\""].first { (quote: Unicode.Scalar) in !line.unicodeScalars.contains(quote) }
    return quote.map { "\($0)\(line)\($0)" } ?? line
  }

  private static func version(_ expected: ExpectedVersion) -> String {
    if case .version(let version) = expected { String(version) } else { "any" }
  }
}
