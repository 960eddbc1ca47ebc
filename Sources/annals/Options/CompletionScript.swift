internal import ArgumentParser

/// The script that makes a shell complete `annals`.
enum CompletionScript {
  /// The script that a command line asks for with `--generate-completion-script SHELL`.
  static func requested(in arguments: [String]) -> String? {
    guard arguments.count == 2, arguments[0] == "--generate-completion-script" else { return nil }
    return CompletionShell(rawValue: arguments[1]).map(text)
  }

  /// ArgumentParser does not expect an option that a shell takes for a wildcard, as -? is. In fish it cannot even
  /// be parsed, so there --help alone is offered.
  private static func text(for shell: CompletionShell) -> String {
    let script = Annals.completionScript(for: shell)
    return switch shell {
    case .fish:
      script.replacing("'?/help'", with: "'help'").replacing(" ? help'", with: " help'")
        .replacing(" -s '?'", with: "")
    case .zsh: script.replacing("{-?,--help}", with: "{'-?',--help}")
    default: script.replacing(" -? --help)", with: " '-?' --help)")
    }
  }
}
