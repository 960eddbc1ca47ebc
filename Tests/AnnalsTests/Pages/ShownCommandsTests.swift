import FoundationEssentials
import TestSupport
import Testing

/// Every command line of README and of the manual's EXAMPLES does what it is shown for.
@Suite struct ShownCommandsTests {
  /// They change the machine.
  private static let notRun: Set = [
    "make demo    # sets up what is missing, builds, and runs the main job on example orders in a private PostgreSQL",
    "make test    # sets up what is missing, and runs all tests",
    "make release",
    "sudo make install                  # PREFIX=/usr/local, DESTDIR for packagers; make uninstall removes it",
  ]

  /// They are shown for what they find.
  private static let statuses: [String: Int32] = [
    "annals dead-letters list orders": 2,
    "annals restore --missing shop.ndjson": 2,
    "annals archive --before '2 years ago'": 2,
    "annals archive --stream order-1001": 2,
    "annals redact --stream order-1001 --path .customer": 2,
    "annals redact --stream order-1001 --path .customer --yes --reason 'request 12'": 5,
    "annals redact --data customer=olga.ivanova --path .customer --hash-with key": 2,
    "annals project --once --attempts 1 orders.sql": 5,
  ]

  /// They go on until somebody ends them.
  private static let endless: Set = [
    "annals project orders.sql activity.sql",
    "annals project --standby orders.sql activity.sql",
    "annals stream --follow --last 10",
    "annals browse --http-port 0",
    "annals watermark --publish --every 1s",
  ]

  private static func isEndless(_ command: String) -> Bool {
    endless.contains(command.replacing(/\s+# .*$/, with: ""))
  }

  @Test func theTablesHoldNothingElse() throws {
    let pages = try ShownPage.all()
    let shown = Set(pages.flatMap(\.commands).map(\.text))
    for listed in [Self.notRun, Set(Self.statuses.keys), Self.endless] {
      #expect(listed.subtracting(shown).isEmpty)
    }
    #expect(Set(Self.preparations.keys).subtracting(pages.map(\.name)).isEmpty)
    #expect(pages.flatMap(\.unknown).isEmpty, "teach ShownPage to read these blocks")
  }

  /// In mdoc a quotation mark at the beginning of a word vanishes.
  @Test(arguments: try ShownPage.all().filter { $0.name.hasPrefix("man/") })
  func isShownAsItIsWritten(page: ShownPage) async throws {
    let text = try await runShell("mandoc -T utf8 -O width=160 '\(SourceTree.path(page.name))'")
      .standardOutput
    let shown = page.commands.map(\.text) + page.files + page.commands.flatMap(\.output)
    for line in shown.flatMap({ $0.split(separator: "\n") }) {
      #expect(text.contains(line))
    }
  }

  @Test func everyRecipeHasACommandAndAPageThatSaysMore() throws {
    let recipes = try SourceTree.read(ShownPage.cookbook).split(separator: "\n.Sh SEE ALSO")[0]
      .split(separator: "\n.Ss ").dropFirst()
    #expect(recipes.count >= 30)
    for recipe in recipes {
      for needed in ["\n.Bd ", "\n.Xr "] { #expect(recipe.contains(needed), "\(recipe)") }
      #expect(recipe.contains("\n$ annals ") || recipe.contains("\n* * * * * annals "), "\(recipe)")
    }
  }

  @Test(arguments: try ShownPage.all().filter { !$0.commands.isEmpty || !$0.files.isEmpty })
  func doesWhatItIsShownFor(page: ShownPage) async throws {
    // The commands of a page may be about its files.
    let commands = page.files.map(Self.proof(of:)) + page.commands.filter { !Self.notRun.contains($0.text) }
    try await TestCluster.withDatabase { shop in
      let folder = "/tmp/annals-test-\(shop.name)"
      let script =
        Self.setUp + (Self.preparations[page.name] ?? Self.load)
        + commands.map { Self.call($0.text, shop: shop) }.joined()
        + "annals sandbox reset --yes"
      let variables = [
        "SOURCE": SourceTree.path(""), "FOLDER": folder, "HOME": folder,
        "ANNALS_SANDBOX_DIR": "\(folder)/sandbox", "ANNALS": "\(AnnalsBinary.path)",
      ]
      let run = try await runShell(script, environment: shop.environment.merging(variables) { $1 })
      #expect(run.exitCode == 0, "\(run.standardError)")
      for (number, command) in commands.enumerated() {
        try expect(command, in: "\(folder)/results/\(number)")
      }
      try FileManager.default.removeItem(atPath: folder)
    }
  }

  @Test func theHandlerIsThatOfTheExample() throws {
    let lines = try SourceTree.read("Examples/orders/notify").split(separator: "\n")
    let code = lines.filter { $0.hasPrefix("#!") || !$0.hasPrefix("#") }.map { $0 + "\n" }.joined()
    #expect(try ShownPage.manual("man/annals-replay.1").files == [code])
  }

  @Test func theConsumersAreThoseOfTheExample() throws {
    let file = try SourceTree.read("Examples/orders/shop.consumers.sql")
    let shown = try ShownPage.manual("man/annals-run.1").files
    #expect(shown.count == 1 && file.hasSuffix("\n\n" + (shown.first ?? "?")))
  }

  private func expect(_ command: ShownCommand, in results: String) throws {
    let output = try String(contentsOfFile: results + ".output", encoding: .utf8)
    let status = try String(contentsOfFile: results + ".status", encoding: .utf8)
    let expected = Self.isEndless(command.text) ? 130 : Self.statuses[command.text] ?? 0
    #expect(status == "\(expected)\n", "\(command.text)\n\(output)")
    guard !command.output.isEmpty else { return }
    // CSV ends its lines with both.
    let lines = output.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(Self.trimmed(lines) == Self.trimmed(command.output.map { $0[...] }), "\(command.text)")
  }

  /// Without spaces at the ends of lines, and without empty lines at the end.
  private static func trimmed(_ lines: [Substring]) -> [String] {
    let lines = lines.map { String($0.reversed().drop { $0 == " " }.reversed()) }
    return lines.reversed().drop(while: \.isEmpty).reversed()
  }

  /// A command that fails when the file that is shown is wrong.
  private static func proof(of file: String) -> ShownCommand {
    let command =
      switch file.split(separator: " ").dropFirst().first {
      case "@projection": "annals check-projection -"
      case "@reducer": "annals snapshot show order-1007 --reducer -"
      case "@upcaster": "annals evolve check /dev/stdin"
      case "@test": "annals test -"
      case "@consumer": "{ cat > shown.sql; annals run -n shown.sql; }"
      case "@layout": "{ cat > audit.sql; annals types --layout ./audit.sql; }"
      default: "sh"
      }
    return ShownCommand(text: "\(command) <<'FILE'\n\(file)FILE")
  }

  /// The database of the documents is called shop.
  private static func call(_ command: String, shop: TestDatabase) -> String {
    let text = command.replacing("-d shop", with: "-d '\(shop.conninfo)'")
    return """
      command=$(cat <<'END'
      \(text)
      END
      )
      call \(isEndless(command) ? stopping : "\"$command\"")

      """
  }

  /// Sends the signal of Ctrl-C, long after the command has settled down.
  private static let stopping = #"'timeout --preserve-status --signal=INT 3 sh -c "$command"'"#

  /// A folder with the files of the example.
  private static let setUp = """
    PATH=${ANNALS%/*}:$PATH
    number=0
    call() {
      eval "$1" > "$FOLDER/results/$number.output" 2>&1 < /dev/null
      echo $? > "$FOLDER/results/$number.status"
      number=$((number + 1))
    }
    mkdir "$FOLDER" "$FOLDER/results" "$FOLDER/Examples" && cp -R "$SOURCE/Examples/orders" "$FOLDER/Examples" &&
      cd "$FOLDER/Examples/orders" || exit

    """

  /// The basis of most pages: a read model with a generation for a rollback.
  private static let load = """
    annals init && annals append --from events.ndjson && annals rebuild-projection orders.sql &&
      annals rebuild-projection --restart orders.sql || exit

    """

  /// Stores that layouts read.
  private static let othersStores = """
    psql -q <<'END' || exit
    CREATE SCHEMA app;
    CREATE TABLE app.audit (number bigserial PRIMARY KEY, uid uuid DEFAULT gen_random_uuid(), entity text, action text,
      payload json, revision integer, at_ms bigint);
    INSERT INTO app.audit (entity, action, payload, revision, at_ms) VALUES ('order-42', 'Paid', '{}', 1, 1767225600000);
    CREATE TABLE app.log (id text, entity uuid, event_type text, payload json, revision bigint, timestamp timestamptz);
    CREATE SCHEMA message_store;
    CREATE TABLE message_store.messages (global_position bigserial PRIMARY KEY, position bigint NOT NULL, id uuid,
      time timestamp, stream_name text NOT NULL, type text NOT NULL, data jsonb, metadata jsonb);
    CREATE TABLE mt_events (seq_id bigint PRIMARY KEY, id uuid NOT NULL, stream_id uuid, version bigint NOT NULL,
      data jsonb NOT NULL, type varchar(500) NOT NULL, timestamp timestamptz);
    END

    """

  /// The stores of the other pages.
  private static let preparations = [
    "README.md": """
    annals init && annals append --from events.ndjson &&
      psql -qc 'CREATE SCHEMA sales; CREATE TABLE sales.order_events AS TABLE events; DROP SCHEMA annals CASCADE' &&
      cd ../.. || exit

    """,
    ShownPage.cookbook: "cd ../..\n",
    "man/annals.1": "",
    "man/annals-init.1": "psql -qc 'CREATE SCHEMA sales'\n",
    "man/annals-sandbox.1": "",
    "man/annals-checkpoints.1": load + "annals replay --checkpoint mail > /dev/null || exit\n",
    "man/annals-test.1": "",
    "man/annals-test.5": "",
    "man/annals-verify-versions.1": load + "export ANNALS_MANIFESTS=.\n",
    "man/annals-layout.5": othersStores,
    "man/annals-layouts.1": othersStores,
    // A file with a mistake, which the page mends.
    "man/annals-dead-letters.1": """
    annals init && annals append --from events.ndjson &&
      sed "s/'cancelled'/CASE WHEN event.position < 1895 THEN & END/" orders.sql > mistaken.sql &&
      annals rebuild-projection mistaken.sql && annals append order-1003 OrderCancelled || exit
    annals project --once --attempts 1 --retry-delay 1ms mistaken.sql
    annals replay --limit 1 --checkpoint mail --park --retries 0 --exec 'exit 1'

    """,
  ]
}
