internal import EventStore

/// What the store's hints advise, in the words of this program's command line.
///
/// A command stands in quotes, unless it holds some itself: there it ends the sentence.
enum Advice {
  static func text(_ hint: Hint) -> String { hint.text(naming: name) }

  private static func name(_ remedy: Remedy) -> String {
    switch remedy {
    case .connection: "-h, -p, -U, -d and the PG* variables"
    case .table(let name): "--table \(name.map(quoteShell) ?? "schema.name")"
    case .layout: "--layout"
    case .upcasters: "--upcasters"
    case .rawEvents: "--raw"
    case .initialize: "'annals init'"
    case .addPosition: "'annals init --add-position'"
    case .previewAddPosition: "'--add-position --dry-run'"
    case .diagnose(let layout): "'annals doctor --layout \(layout)'"
    case .stream(let aggregateID): "annals stream \(quoteShellOperand(aggregateID))"
    case .types: "'annals types'"
    case .append(let expected): "--expected-version \(expected == .noStream ? "none" : version(expected))"
    case .appendBatches(let lines): "--batch-size \(lines)"
    case .skipLines(let lines): "--skip-lines \(lines)"
    case .runID(let run): "--run-id" + (run.map { " " + quoteShell($0) } ?? "")
    case .replay(nil): "'annals replay'"
    case .replay(let position?): "'annals replay --from-position \(position)'"
    case .rebuild(let path): "'annals rebuild-projection \(path.map(quoteShell) ?? "FILE")'"
    case .restartRebuild: "--restart"
    case .projections(nil): "'annals projections'"
    case .projections(let name?): "'annals projections \(name)'"
    case .dropProjection(let name): "'annals projections drop \(name)'"
    case .deadLetters: "'annals dead-letters list'"
    case .retryByCommand: "--exec COMMAND"
    case .snapshots: "'annals snapshot list'"
    case .takeSnapshots: "'annals snapshot take'"
    case .verify(nil): "'annals verify-versions'"
    case .verify(let kind?): "'annals verify-versions --only \(kind)'"
    case .checkEvolution: "'annals evolve check'"
    case .planEvolution(let path): "'annals evolve plan FILE --out \(quoteShell(path))'"
    case .applyEvolution: "'annals evolve apply'"
    case .copyName: "--into"
    case .withoutSwap: "--swap"
    case .rollBackEvolution(let copy): "'annals evolve rollback --into \(quoteShell(copy))'"
    }
  }

  private static func version(_ expected: ExpectedVersion) -> String {
    if case .version(let version) = expected { String(version) } else { "any" }
  }
}
