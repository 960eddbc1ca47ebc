import FoundationEssentials
import TestSupport
import Testing

@testable import annals

/// Names from the database, completed in real shells: a line is typed with a tab and entered, and the arguments that
/// the command then gets are compared.
@Suite struct LiveCompletionTests {
  /// Ids that end a word, a quote or a program in one shell or another.
  static let ids = [
    "order:1:a", #"it's "q" $(touch pwned) `touch pwned` \b"#, "two words", "cart-1", "cart-10", "café 日本",
    #"back\:slash"#, "*", "~", "a,b;c|d&e<f>",
    "zz`\u{600}`;touch pwned", "yy\u{600}'\u{301}\"\u{301}$(touch pwned)\u{200D}`touch pwned`",
    "xx!\u{FE0F}!-1 !!",
    "-h/tmp/nowhere", #"ww'"#, #"vv""#,
  ]

  /// The typed text, and the id that it must become.
  static let lines = [
    ("order:", ids[0]), ("order:1:", ids[0]), (#""order:1"#, ids[0]), ("it", ids[1]), ("'it", ids[1]),
    (#""it"#, ids[1]), ("tw", ids[2]), (#"two\ w"#, ids[2]), ("'two ", ids[2]), ("ca", "cart-1"),
    ("caf", ids[5]),
    ("back", ids[6]), ("a,", ids[9]), ("--type Type:", ids[0]),
    ("zz", ids[10]), (#""zz"#, ids[10]), ("'zz", ids[10]), ("yy", ids[11]), (#""yy"#, ids[11]),
    ("'yy", ids[11]),
    ("xx", ids[12]), (#""xx"#, ids[12]), ("'xx", ids[12]), ("'ww", ids[14]), (#""vv"#, ids[15]),
  ]

  @Test(arguments: ["bash", "zsh", "fish"]) func aLineIsCompleted(shell: String) async throws {
    try await withEvents { db, _ in
      let rows = Self.ids.enumerated().map { index, id in
        "($$\(id)$$, '\(index == 0 ? "Type:a" : "T")', '{}', 1)"
      }
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES \(rows.joined(separator: ", "))"
      )
      for (typed, id) in Self.lines {
        // zsh searches its history for what follows an exclamation mark, and is not offered such names.
        if shell == "zsh", id.unicodeScalars.contains("!") { continue }
        // Of two candidates, a shell types what they share.
        let line = typed == "ca" ? "annals stream cart" : "annals stream \(typed)"
        let screen = try await type(line, into: shell, db)
        #expect(screen.contains(#""aggregate_id":\#(JSONObject.quote(id)),"#), "\(shell): \(line)\n\(screen)")
      }
    }
  }

  /// - Returns: what the terminal showed.
  private func type(_ line: String, into shell: String, _ db: TestDatabase) async throws -> String {
    let look = try await runShell("command -v \(shell)")
    try #require(look.exitCode == 0, "\(shell) is not there; make setup installs it")
    let folder = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
    let script = """
      mkdir '\(folder)' && cd '\(folder)' && ln -s '\(AnnalsBinary.path)' annals
      cat > bash.rc <<'END'
      PS1=
      source "$COMPLETIONS/annals.bash"
      echo ready
      END
      cat > zsh.rc <<'END'
      PROMPT=
      fpath=($COMPLETIONS $fpath)
      autoload -Uz compinit
      compinit -u -D
      bindkey '^I' complete-word
      echo ready
      END
      cat > fish.rc <<'END'
      function fish_prompt; end
      source $COMPLETIONS/annals.fish
      echo ready
      END
      cat > typist <<'END'
      zmodload zsh/zpty
      case $SHELL_NAME in
        bash) zpty typist 'bash --norc --noprofile -i' ;;
        zsh) zpty typist 'zsh -f -i' ;;
        fish) zpty typist 'fish --no-config -i' ;;
      esac
      zpty -w typist "source ./$SHELL_NAME.rc"
      until [[ $answer == *ready* ]]; do zpty -r typist answer || exit 1; done
      zpty -w -n typist "$LINE"$'\\t\\n'
      zpty -w typist exit
      while zpty -r typist answer; do print -rn -- $answer; done
      END
      PATH="$PWD:$PATH" timeout 60 zsh -f typist
      ls pwned 2> /dev/null
      cd / && rm -r '\(folder)'
      """
    let environment = [
      "COMPLETIONS": SourceTree.path("completions"), "LINE": line, "SHELL_NAME": shell, "TERM": "dumb",
      "ANNALS_OUTPUT": "ndjson", "ANNALS_COMPLETION_TIMEOUT": "60000",
    ]
    let run = try await runShell(script, environment: db.environment.merging(environment) { $1 })
    #expect(!run.standardOutput.contains("\npwned\n"))
    return run.standardOutput
  }

  @Test func onlyWhatBeginsSo() async throws {
    try await withEvents { db, _ in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
          SELECT 'order-' || a, 'Type' || a % 3, '{}', v FROM generate_series(1, 200) a, generate_series(1, 3) v;
        CREATE TABLE native (LIKE events INCLUDING DEFAULTS);
        \(sortingIDsByLocale(in: "native"))
        INSERT INTO native (aggregate_id, event_type, event_data, version, position)
          SELECT aggregate_id, event_type, event_data, version, position FROM events;
        """
      )
      func names(_ argument: String, _ line: String) async throws -> [Substring] {
        try await complete("stream", argument, "annals stream \(line)", db)
      }
      #expect(try await names("positional@0", "order-19").count == 11)
      #expect(try await names("positional@0", "").count == 50)
      #expect(try await names("positional@0", "nonesuch").isEmpty)
      // It would be an option, which says where to connect.
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('-hx', 'X', '{}', 1)"
      )
      #expect(try await names("positional@0", "-").isEmpty)
      #expect(try await names("positional@0", "-- -") == ["-hx"])
      #expect(try await names("--category", "--category o") == ["order"])
      #expect(try await names("--type", "--type T") == ["Type0", "Type1", "Type2"])
      #expect(try await Set(names("positional@0", "--table native order-19")).count == 11)
      #expect(try await names("positional@0", "--table=nonesuch o").isEmpty)
      #expect(try await names("positional@0", "-d nonesuch o").isEmpty)
    }
  }

  /// A shell inserts what all candidates have in common: that must be true of the omitted ones, too.
  @Test func whatIsLeftOutCountsForWhatAllHaveInCommon() async throws {
    try await withEvents { db, _ in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
          SELECT 'order-' || to_hex(a) || '-x', 'Type-' || to_hex(a), '{}', 1
          FROM (SELECT generate_series(0, 60) UNION ALL SELECT generate_series(240, 255)) AS numbers (a);
        INSERT INTO events (aggregate_id, event_type, event_data, version)
          SELECT 'many' || a || '-1', 'T', '{}', 1 FROM generate_series(100, 199) a;
        CREATE TABLE native (LIKE events INCLUDING DEFAULTS);
        \(sortingIDsByLocale(in: "native"))
        INSERT INTO native (aggregate_id, event_type, event_data, version, position)
          SELECT aggregate_id, event_type, event_data, version, position FROM events;
        INSERT INTO annals.checkpoints (store, name, filter)
          SELECT 'public.events', 'mail-' || to_char(n, 'FM000'), '' FROM generate_series(0, 120) n;
        """
      )
      for (command, argument, line, typed) in [
        ("stream", "positional@0", "order-", "order-"), ("stream", "positional@0", "or", "order-"),
        ("stream", "--type", "--type Type-", "Type-"), ("stream", "--category", "--category m", "many1"),
        ("stream", "positional@0", "--table native order-", "order-"),
        ("replay", "--checkpoint", "--checkpoint ma", "mail-"),
      ] {
        let names = try await complete(command, argument, "annals \(command) \(line)", db)
        #expect(names.count == 50, "\(line)")
        let shared = names.dropFirst().reduce(Array(names[0].utf8)) { shared, name in
          zip(shared, name.utf8).prefix { $0 == $1 }.map(\.0)
        }
        #expect(shared == Array(typed.utf8), "\(line)")
      }
    }
  }

  @Test func namesOfAnnalsOwn() async throws {
    try await withEvents { db, _ in
      try await db.psql(
        """
        INSERT INTO annals.projections (name, store, live_schema) VALUES ('orders', 'public.events', 'public');
        INSERT INTO annals.generations (projection, number, version, schema_name, definition, definition_hash, state)
          VALUES ('orders', 1, 1, 'annals_orders_1', '', '', 'live'), ('orders', 2, 1, 'annals_orders_2', '', '', 'ready');
        INSERT INTO annals.dead_letters (projection, generation, position, aggregate_id, version, event_type, attempts,
          sqlstate, message)
          VALUES ('orders', 1, 12, 'a', 1, 't', 1, '', ''), ('orders', 1, 34, 'a', 2, 't', 1, '', '');
        INSERT INTO annals.checkpoints (store, name, filter) VALUES ('public.events', 'mailer', '');
        """
      )
      #expect(
        try await complete("projections drop", "positional@0", "annals projections drop or", db) == ["orders"]
      )
      #expect(try await complete("replay", "--checkpoint", "annals replay --checkpoint ", db) == ["mailer"])
      let discard = "annals projections discard orders "
      #expect(try await complete("projections discard", "positional@1", discard, db) == ["2"])
      let letters = "annals dead-letters show"
      #expect(
        try await complete("dead-letters show", "positional@1", "\(letters) orders ", db) == ["12", "34"]
      )
      #expect(try await complete("dead-letters show", "positional@1", "\(letters) other 1", db).isEmpty)
    }
  }

  /// What a shell would be offered at the end of the line.
  private func complete(
    _ command: String,
    _ argument: String,
    _ line: String,
    _ db: TestDatabase
  ) async throws -> [Substring] {
    let path = command.split(separator: " ").map(String.init)
    let run = try await AnnalsBinary.run(
      ["---completion"] + path + ["--", argument, "0", "0", line],
      environment: db.environment.merging(["ANNALS_COMPLETION_TIMEOUT": "60000"]) { $1 }
    )
    return run.standardOutput.split(separator: "\n")
  }

  @Test(arguments: ["-h /nonesuch", "-p 1 -h localhost", "-d 'service=nonesuch'", "--table a.b.c", "--table"])
  func failureIsSilent(options: String) async throws {
    let run = try await AnnalsBinary.run(
      ["---completion", "stream", "--", "positional@0", "0", "0", "annals stream \(options) o"],
      environment: ["ANNALS_COMPLETION_TIMEOUT": "60000"]
    )
    #expect(run.exitCode == 0)
    #expect(run.standardOutput == "\n")
    #expect(run.standardError == "")
  }

  @Test(arguments: [
    ("annals stream ", ["annals", "stream", ""]),
    ("annals  stream  or", ["annals", "stream", "or"]),
    (#"a "b c" 'd "e' f\ g "h\"i\j"#, ["a", "b c", "d \"e", "f g", #"h"i\j"#]),
    ("a ''", ["a", ""]),
  ])
  func words(line: String, words: [String]) {
    #expect(ShellLine(line).words == words)
  }
}
