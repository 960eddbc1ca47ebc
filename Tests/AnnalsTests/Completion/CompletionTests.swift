import FoundationEssentials
import TestSupport
import Testing

@testable import annals

/// The committed completions are those of the program, and the shells understand them.
@Suite struct CompletionTests {
  @Test(arguments: [("bash", "annals.bash"), ("zsh", "_annals"), ("fish", "annals.fish")])
  func scriptIsThatOfTheProgram(shell: String, file: String) async throws {
    let run = try await AnnalsBinary.run(["--generate-completion-script", shell])
    #expect(run.exitCode == 0)
    let difference = try SourceTree.difference(of: run.standardOutput, from: "completions/\(file)")
    if let difference { Issue.record("\(difference.prefix(100))") }
  }

  /// If ArgumentParser writes another script, an edit could miss its place, or change a wrong one.
  @Test func anEditThatHitsMoreOrLessOftenThanItMustStopsTheGeneration() async {
    #expect("a -? b".edited("-?", with: "'-?'") == "a '-?' b")
    #expect("-? -?".edited("-?", times: 2, with: "h") == "h h")
    await #expect(processExitsWith: .failure) { _ = "a b".edited("-?", with: "h") }
    await #expect(processExitsWith: .failure) { _ = "-? -?".edited("-?", with: "h") }
  }

  /// Lines with what a shell must offer at their end.
  private static let lines: [(line: String, offers: Set<String>)] = [
    ("annals ini", ["init"]),
    ("annals init --add", ["--add-position"]),
    ("annals stream -o ", ["table", "ndjson", "json", "csv"]),
    ("annals sandbox sta", ["start", "status"]),
    ("annals help -", ["--version", "-k"]),
    ("annals layouts show sequ", ["sequent", "sequent-ordered"]),
    ("annals rebuild-projection orders", ["orders.sql"]),
    ("annals stream --layout au", ["auto"]),
    ("annals stream --layout message", ["message-db", "message-db-eventide", "message-db-protean"]),
    ("annals stream --layout orders", ["orders.sql"]),
  ]

  @Test(arguments: lines) func bash(line: String, offers: Set<String>) async throws {
    try await expect(offers, from: "bash", line: line) {
      """
      exec bash --norc -c '
        source "$COMPLETIONS/annals.bash"
        read -ra COMP_WORDS <<< "$LINE"
        [[ $LINE = *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$LINE COMP_POINT=${#LINE}
        _annals annals "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf "%s\\n" "${COMPREPLY[@]}"'
      """
    }
  }

  @Test(arguments: lines) func fish(line: String, offers: Set<String>) async throws {
    try await expect(offers, from: "fish", line: line) {
      """
      exec fish --no-config -c 'source $COMPLETIONS/annals.fish
        complete -C $LINE | string replace -r "\\t.*" ""'
      """
    }
  }

  /// Types the line and a tab into an interactive zsh, in which `compadd` tells what it was given.
  @Test(arguments: lines) func zsh(line: String, offers: Set<String>) async throws {
    try await expect(offers, from: "zsh", line: line) {
      """
      cat > inner <<'END'
      PROMPT=
      fpath=($COMPLETIONS $fpath)
      autoload -Uz compinit
      compinit -u -D
      bindkey '^I' complete-word
      compadd() {
        if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
        local -a found
        builtin compadd -O found "$@"
        print -rl -- $found >> found
        builtin compadd "$@"
      }
      comppostfuncs=(exit)
      echo ready
      END
      cat > typist <<'END'
      zmodload zsh/zpty
      zpty typist 'zsh -f -i'
      zpty -w typist 'source ./inner'
      until [[ $answer == *ready* ]]; do zpty -r typist answer || exit 1; done
      zpty -w -n typist "$LINE"$'\t'
      while zpty -r typist answer; do done
      END
      timeout 60 zsh -f typist
      grep . found
      """
    }
  }

  private func expect(
    _ offers: Set<String>,
    from shell: String,
    line: String,
    script: () -> String
  ) async throws {
    let look = try await runShell("command -v \(shell)")
    try #require(look.exitCode == 0, "\(shell) is not there; make setup installs it")
    let folder = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
    let setUp = "mkdir '\(folder)' && cd '\(folder)' && touch orders.sql orders.txt\n"
    let environment = ["COMPLETIONS": SourceTree.path("completions"), "LINE": line, "TERM": "dumb"]
    let run = try await runShell(setUp + script(), environment: environment)
    try FileManager.default.removeItem(atPath: folder)
    #expect(Set(run.standardOutput.split(separator: "\n").map(String.init)) == offers)
    #expect(run.standardError == "")
  }
}
