internal import Glibc
internal import SystemPackage

/// Questions to the person at the terminal.
enum Confirmation {
  /// Asks before data is destroyed, and returns only with permission.
  ///
  /// - Parameters:
  ///   - question: what would be done, such as "Delete all data in /srv/x?"
  ///   - yes: the option `--yes`: do not ask.
  /// - Throws: when the answer is no, and when standard input is not a terminal: piped data is not an answer.
  static func require(_ question: String, yes: Bool) throws {
    if yes { return }
    guard isatty(STDIN_FILENO) == 1 else {
      throw CommandError(
        .usage,
        "cannot ask without a terminal: \(question)",
        code: "notConfirmed",
        hint: "Use --yes to confirm."
      )
    }
    StandardError.ask("\(question) [y/N]")
    // A blocking read would not react to Ctrl-C, which only cancels the task.
    while try !CLibrary.isReadable(.standardInput, withinMilliseconds: 100) { try Task.checkCancellation() }
    guard ["y", "yes"].contains(readLine()?.lowercased()) else { throw EndWithStatus(status: .failure) }
  }
}
