internal import ArgumentParser
internal import EventStore
internal import Glibc
internal import PostgresSandbox

/// The output of a command that fails: PostgreSQL's three lines, or one JSON line, on stderr.
struct Failure {
  var status: ExitStatus
  /// A stable word for programs.
  var code = "failed"
  var message: String
  var detail: String?
  var hint: String?
  var sqlState: String?
  /// The option that was probably meant.
  var suggestion: String?
  /// Whether message and detail come from libpq or a server's log, which may have several lines. In all others a line
  /// break is part of an id or a payload, and must not begin a line.
  private var hasSeveralLines = false

  /// Every error becomes its exit status here and nowhere else.
  init(_ error: any Error) {
    switch error {
    case let error as EndWithStatus:
      (status, message) = (error.status, "")
    case let error as EventStoreError:
      status = ExitStatus(error.code)
      (code, message, detail) = (error.code.rawValue, error.message, error.detail)
      (hint, sqlState) = (error.hint.map(Advice.text), error.sqlState)
      hasSeveralLines = error.code == .cannotConnect
    case let error as CommandError:
      (status, code, message, detail) = (error.status, error.code, error.message, error.detail)
      hint = error.hint
    case let error as SandboxError:
      (status, code) = (ExitStatus(error.code), error.code.rawValue)
      (message, detail, hint) = (error.message, error.detail, error.hint.map(Advice.text))
      hasSeveralLines = true
    case is CancellationError:
      status = Interruption.status ?? .interrupted
      (code, message) = ("interrupted", Interruption.isUnexpected ? "interrupted" : "")
      detail = Self.afterInterruption
    case _ where Annals.exitCode(for: error).isSuccess:
      // Help and version, which ArgumentParser throws too, are not failures.
      (status, message) = (.done, "")
      StandardOutput.writeRaw(Self.shortened(Annals.fullMessage(for: error)) + "\n")
    case _ where Annals.exitCode(for: error) == .validationFailure:
      // ArgumentParser writes sentences; ours begin in lower case and end without a full stop.
      let lines = Annals.message(for: error).unicodeScalars.split(separator: "\n").map {
        String($0.drop { $0 == " " })
      }
      let sentence = lines.joined(separator: ", ")
      let isName = sentence.dropFirst().first?.isUppercase == true
      let begin = isName ? String(sentence.prefix(1)) : sentence.prefix(1).lowercased()
      (status, code, message) = (.usage, "usage", begin + sentence.dropFirst())
      if message.utf8.last == UInt8(ascii: ".") { message.unicodeScalars.removeLast() }
      if message.utf8.suffix(10).elementsEqual("duration>'".utf8) { suggestion = DurationArgument.hint }
      takeSuggestion()
    default:
      (status, message) = (.failure, String(describing: error))
    }
    if status == .usage { message = Self.withoutPasswords(message) }
  }

  /// Hides the place of a password in a URI: a wrong command line is repeated, wherever the URI is in it.
  private static func withoutPasswords(_ text: String) -> String {
    text.replacing(/:[^ ]*@/.matchingSemantics(.unicodeScalar), with: ":***@")
      .replacing(/password=[^ ']*/.matchingSemantics(.unicodeScalar), with: "password=***")
  }

  /// Also true if the server could not be told.
  static let afterInterruption = "What was not committed is rolled back."

  /// ArgumentParser writes up to a dozen options into the line of USAGE, whatever its length, and does not know
  /// `help -k`.
  private static func shortened(_ help: String) -> String {
    let lines = help.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let line = Substring(line)
      if line.utf8.elementsEqual("  See 'annals help <subcommand>' for detailed help.".utf8) {
        return "  See 'annals help <subcommand>' for details, 'annals help -k <word>' to search."
      }
      guard line.utf8.starts(with: "USAGE: ".utf8), line.count > 80 else { return String(line) }
      let options = /( \[--[^\]]*\])+/
      guard let first = line.firstMatch(of: options) else { return String(line) }
      return line[..<first.range.lowerBound] + " [<options>]"
        + line[first.range.upperBound...].replacing(options, with: "")
    }
    return lines.joined(separator: "\n")
  }

  /// ArgumentParser ends the sentence with the most similar option, which may not be similar at all.
  private mutating func takeSuggestion() {
    let parts = message.unicodeScalars.split(separator: ". Did you mean ".unicodeScalars)
    guard parts.count == 2, let given = Self.quoted(parts[0]), let meant = Self.quoted(parts[1]) else {
      return
    }
    message = String(parts[0])
    if SectionFile.nearest(to: given, among: [meant]) != nil { suggestion = "Did you mean '\(meant)'?" }
  }

  /// The text between the first two apostrophes.
  private static func quoted(_ scalars: Substring.UnicodeScalarView) -> String? {
    scalars.split(separator: "'", omittingEmptySubsequences: false).dropFirst().first.map(String.init)
  }

  /// Prints, as JSON if the output was requested as JSON, and ends the process.
  func report(asJSON: Bool) -> Never {
    print(asJSON: asJSON)
    Interruption.dieBySignal(status)
    exit(status.rawValue)
  }

  /// Prints without ending the process, for a command that continues with other work.
  func print(asJSON: Bool) {
    StandardOutput.flush()
    if message.isEmpty { return }
    if asJSON { StandardError.printJSON(json) } else { StandardError.print(lines: lines) }
  }

  private var lines: [String] {
    let parts = [("annals: error: ", message), ("DETAIL:  ", detail), ("HINT:  ", hint)]
    return parts.flatMap { label, text -> [String] in
      guard let text else { return [] }
      guard hasSeveralLines else { return [label + text] }
      let lines = text.unicodeScalars.split(separator: "\n").map { String($0.drop { $0 == "\t" }) }
      // The lines after the first are indented, so that none can look like a label.
      return lines.enumerated().map { ($0 == 0 ? label : "    ") + $1 }
    }
  }

  private var json: String {
    var object = JSONObject()
    object.add("error", message)
    object.add("code", code)
    object.add("exit", Int64(status.rawValue))
    if let sqlState { object.add("sqlstate", sqlState) }
    if let detail { object.add("detail", detail) }
    if let hint { object.add("hint", hint) }
    return object.text
  }
}

/// A failure that the executable itself found (a file that cannot be read, a folder that is not a sandbox).
struct CommandError: Error {
  var status: ExitStatus
  var code: String
  var message: String
  var detail: String?
  var hint: String?

  init(_ status: ExitStatus, _ message: String, code: String, detail: String? = nil, hint: String? = nil) {
    (self.status, self.message, self.code) = (status, message, code)
    (self.detail, self.hint) = (detail, hint)
  }
}
