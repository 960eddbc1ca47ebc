internal import LibPQ

/// Turns the handlers of a projection into PL/pgSQL functions in `pg_temp`.
///
/// `pg_temp.annals_apply(after, upto)` runs the handlers over the events with `after < position <= upto`, in order
/// (NULL is before all of them). It returns how many it handled, with the sum of the hashes of their ids. It runs under
/// the caller's search path.
///
/// Events handled by `@batch` are taken in runs. Sections that share a type share their runs; an event that
/// any other section handles ends the run. So the order between sections without a common type is kept,
/// whatever the size of the chunk. Within a run the sections go in the order of the file, each with only its own
/// types, so a section may find `events` empty.
package struct ProjectionCompiler {
  private let file: Projection
  private let source: String
  private let filter: String?
  private let groups: [Group]

  /// Handlers that see the same runs of events; group 0 holds those that run event by event.
  private struct Group {
    var handlers: [Projection.Handler]
    var types: Set<ByteString> { Set(handlers.flatMap(\.types)) }
  }

  /// - Parameters:
  ///   - source: a FROM item with the columns of the events table: a quoted name, or a subquery in parentheses.
  ///   - filter: a condition on the columns of the source, for workers that share the events.
  package init(_ file: Projection, source: String, filter: String? = nil) {
    self.file = file
    self.source = source
    self.filter = filter
    groups = Self.groups(of: file.handlers)
  }

  /// - Parameter name: of the function, for a connection on which several projections are applied.
  package func applyFunction(named name: String = "annals_apply") -> GeneratedCode {
    var code = GeneratedCode.Builder()
    code.add(
      """
      #variable_conflict use_column
      DECLARE
        event record;
        annals_row record;
        annals_count bigint := 0;
        annals_hash bigint := 0;
        annals_group integer := 0;
        annals_first bigint := coalesce(annals_after + 1, \(Int64.min));
        annals_last bigint := annals_upto;
        annals_detail text;
        annals_hint text;
        annals_context text;
      BEGIN
      \(emptyEvent)
      BEGIN
      annals_events := 0;
      annals_seen := 0;
      """
    )
    if groups.count == 1 {
      addEventLoop(to: &code)
    } else {
      addRunLoop(to: &code)
    }
    code.add(
      """
      RETURN;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS annals_detail = PG_EXCEPTION_DETAIL,
          annals_hint = PG_EXCEPTION_HINT, annals_context = PG_EXCEPTION_CONTEXT;
        RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM, DETAIL = jsonb_build_object(
          'first_position', CASE annals_group WHEN 0 THEN event.position ELSE annals_first END,
          'last_position', CASE annals_group WHEN 0 THEN event.position ELSE annals_last END,
          'aggregate_id', event.aggregate_id, 'version', event.version, 'event_type', event.event_type,
          'detail', nullif(annals_detail, ''), 'hint', nullif(annals_hint, ''), 'context', annals_context);
      END;
      END
      """
    )
    return code.function(
      name,
      arguments: "annals_after bigint, annals_upto bigint, OUT annals_events bigint, OUT annals_seen bigint",
      returns: "record",
      file: file.path
    )
  }

  /// `pg_temp.annals_check()` plans every statement of the handlers and checks without running any, so that a wrong
  /// name is found without an event. TRUNCATE and CALL cannot be planned: for TRUNCATE the tables are locked, for CALL
  /// the syntax is checked.
  ///
  /// - Parameter handlers: of the file; all when nil.
  package func checkFunction(of handlers: [Projection.Handler]? = nil) -> GeneratedCode {
    var code = GeneratedCode.Builder()
    code.add(
      """
      #variable_conflict use_column
      DECLARE
        event record;
        annals_row record;
        annals_first bigint := 0;
        annals_last bigint := 0;
      BEGIN
      \(emptyEvent)
      """
    )
    for handler in handlers ?? file.handlers {
      for statement in handler.statements {
        if statement.keyword == "CALL" {
          code.add(statement, prefix: ["IF false THEN"], suffix: "; END IF;")
        } else if statement.keyword == "TRUNCATE" {
          // Names the tables as LOCK does, which does not block appends.
          let blanked = statement.optionsOfTruncate
          code.add(statement, prefix: ["LOCK"], blanked: blanked, suffix: " IN ROW EXCLUSIVE MODE;")
        } else {
          let with = handler.mode == .batch ? withEvents(of: handler, before: statement) : ([], [])
          addLoop(over: statement, prefix: ["EXPLAIN"] + with.0, blanked: with.1, to: &code)
        }
      }
    }
    for statement in file.checks.flatMap(\.statements) {
      addLoop(over: statement, prefix: ["EXPLAIN"], to: &code)
    }
    code.add("END")
    return code.function("annals_check", arguments: "", returns: "void", file: file.path)
  }
}

extension ProjectionCompiler {
  private static func groups(of handlers: [Projection.Handler]) -> [Group] {
    var eventByEvent = Group(handlers: [])
    var runs: [Group] = []
    for handler in handlers {
      if handler.mode == .on {
        eventByEvent.handlers.append(handler)
        continue
      }
      let shared = runs.indices.filter { !runs[$0].types.isDisjoint(with: handler.types) }
      let merged = Group(handlers: shared.flatMap { runs[$0].handlers } + [handler])
      for index in shared.reversed() { runs.remove(at: index) }
      runs.append(merged)
    }
    return [eventByEvent] + runs
  }

  private func addEventLoop(to code: inout GeneratedCode.Builder) {
    code.add(
      """
      FOR event IN
        SELECT \(Self.columns)
        FROM \(source) AS annals_source
        WHERE \(condition(types(of: groups[0])))
        ORDER BY annals_source.position
      LOOP
        annals_events := annals_events + 1;
        annals_seen := annals_seen + \(Self.hash("event"));
      """
    )
    let branches = branches(of: groups[0].handlers)
    // PL/pgSQL accepts no CASE that has only an ELSE.
    let isForEveryType = branches.count == 1 && branches[0].types == [SectionFile.anyType]
    if !isForEveryType { code.add("CASE event.event_type") }
    for (types, handlers) in branches {
      if !isForEveryType { code.add(types == [SectionFile.anyType] ? "ELSE" : "WHEN \(list(types)) THEN") }
      for statement in handlers.flatMap(\.statements) { addForEvent(statement, to: &code) }
    }
    code.add("\(isForEveryType ? "" : "END CASE;\n")END LOOP;")
  }

  /// Types with the same handlers share a branch; `*` comes last.
  private func branches(
    of handlers: [Projection.Handler]
  ) -> [(types: [ByteString], handlers: [Projection.Handler])] {
    var branches: [(types: [ByteString], handlers: [Projection.Handler])] = []
    var lines: [[Int]] = []
    var seen: Set<ByteString> = []
    for type in handlers.flatMap(\.types) where seen.insert(type).inserted {
      let own = handlers.filter { $0.types.contains(type) }
      let ownLines = own.map(\.location.line)
      if type != SectionFile.anyType, let index = lines.firstIndex(of: ownLines) {
        branches[index].types.append(type)
      } else {
        branches.append(([type], own))
        lines.append(ownLines)
      }
    }
    // PL/pgSQL fails in a CASE without ELSE if no branch matches; only handled types come here.
    let anyBranches = branches.filter { $0.types == [SectionFile.anyType] }
    return branches.filter { $0.types != [SectionFile.anyType] } + anyBranches
  }

  private func addRunLoop(to code: inout GeneratedCode.Builder) {
    code.add("FOR annals_group, annals_first, annals_last, annals_count, annals_hash IN\n\(runs)\nLOOP")
    code.add("CASE annals_group")
    if !groups[0].handlers.isEmpty {
      code.add("WHEN 0 THEN")
      addEventLoop(to: &code)
    }
    for (index, group) in groups.enumerated().dropFirst() {
      code.add("WHEN \(index) THEN")
      for handler in group.handlers {
        for statement in handler.statements { addForRun(statement, of: handler, to: &code) }
      }
      code.add("annals_events := annals_events + annals_count;\nannals_seen := annals_seen + annals_hash;")
    }
    code.add("END CASE;\nEND LOOP;")
  }

  /// The runs of a chunk, in order. The window functions mark where the group changes and number the runs.
  private var runs: String {
    let all = condition(groups.map(types(of:)).reduce(.none, +))
    if groups.count == 2, groups[0].handlers.isEmpty {
      return """
        SELECT 1, min(annals_source.position), max(annals_source.position), count(*),
               sum(\(Self.hash("annals_source")))
        FROM \(source) AS annals_source WHERE \(all) HAVING count(*) > 0
        """
    }
    let cases = groups.enumerated().map { index, group in
      let types = group.types.subtracting([SectionFile.anyType]).sorted()
      return types.isEmpty ? "" : " WHEN annals_source.event_type IN (\(list(types))) THEN \(index)"
    }
    let any = groups.firstIndex { $0.types.contains(SectionFile.anyType) } ?? 0
    return """
      SELECT kind, min(position), max(position), count(*), sum(hash) FROM (
        SELECT kind, position, hash, count(*) FILTER (WHERE changed) OVER (ORDER BY position) AS run FROM (
          SELECT kind, position, hash, lag(kind) OVER (ORDER BY position) IS DISTINCT FROM kind AS changed FROM (
            SELECT annals_source.position, \(Self.hash("annals_source")) AS hash,
                   CASE\(cases.joined()) ELSE \(any) END AS kind
            FROM \(source) AS annals_source WHERE \(all)
          ) AS kinds
        ) AS changes
      ) AS runs GROUP BY run, kind ORDER BY run
      """
  }

  /// A SELECT becomes PERFORM, since PL/pgSQL refuses a query without a use for its result. A loop runs what PERFORM
  /// cannot run: a WITH query, VALUES, and statements with RETURNING.
  private func addForEvent(_ statement: SQLStatement, to code: inout GeneratedCode.Builder) {
    if statement.keyword == "SELECT" {
      code.add(statement, prefix: ["PERFORM"], blanked: Array(statement.words.prefix(1)))
    } else if statement.returnsRows {
      addLoop(over: statement, to: &code)
    } else {
      code.add(statement)
    }
  }

  private func addForRun(
    _ statement: SQLStatement,
    of handler: Projection.Handler,
    to code: inout GeneratedCode.Builder
  ) {
    guard !["TRUNCATE", "CALL"].contains(statement.keyword) else { return code.add(statement) }
    let (prefix, blanked) = withEvents(of: handler, before: statement)
    if statement.returnsRows {
      addLoop(over: statement, prefix: prefix, blanked: blanked, to: &code)
    } else {
      code.add(statement, prefix: prefix, blanked: blanked)
    }
  }

  private func addLoop(
    over statement: SQLStatement,
    prefix: [String] = [],
    blanked: [SQLStatement.Word] = [],
    to code: inout GeneratedCode.Builder
  ) {
    var prefix = prefix
    prefix.insert("FOR annals_row IN" + (prefix.isEmpty ? "" : " \(prefix.removeFirst())"), at: 0)
    code.add(statement, prefix: prefix, blanked: blanked, suffix: " LOOP END LOOP;")
  }

  /// Defines `events` in the statement's WITH clause. If it is used once, the planner treats it as if it were written
  /// in that place (manual, 7.8.3).
  private func withEvents(
    of handler: Projection.Handler,
    before statement: SQLStatement
  ) -> (prefix: [String], blanked: [SQLStatement.Word]) {
    let types = handler.types == [SectionFile.anyType] ? others : .some(handler.types)
    let events =
      "events AS (SELECT \(Self.columns) FROM \(source) AS annals_source WHERE \(condition(types)))"
    guard statement.keyword == "WITH" else { return (["WITH \(events)"], []) }
    let isRecursive = statement.words.count > 1 && statement.words[1].text == "RECURSIVE"
    let blanked = Array(statement.words.prefix(isRecursive ? 2 : 1))
    return (["WITH \(isRecursive ? "RECURSIVE " : "")\(events),"], blanked)
  }
}

// MARK: - Reading the events

extension ProjectionCompiler {
  private enum Types {
    case none
    case some([ByteString])
    case allBut([ByteString])

    static func + (left: Types, right: Types) -> Types {
      switch (left, right) {
      case (.none, let other), (let other, .none): other
      case (.some(let left), .some(let right)): .some(left + right)
      // Another section handles the types that `*` leaves out.
      default: .allBut([])
      }
    }
  }

  private func types(of group: Group) -> Types {
    if group.handlers.isEmpty { return .none }
    guard group.types.contains(SectionFile.anyType) else { return .some(group.types.sorted()) }
    let elsewhere = file.handledTypes.filter { !group.types.contains($0) }
    return .allBut(elsewhere)
  }

  /// The types that `*` includes.
  private var others: Types { .allBut(file.handledTypes) }

  /// The store compares ids and types by bytes (COLLATE "C"). In a comparison with a column of the read model that
  /// collation would win over the column's own, and its index could not be used: every UPDATE by key would
  /// read the whole table. So handlers see both columns with the default collation.
  private static let columns = """
    annals_source.id, annals_source.aggregate_id COLLATE "default" AS aggregate_id, \
    annals_source.event_type COLLATE "default" AS event_type, annals_source.event_data, \
    annals_source.version, annals_source."timestamp", annals_source.metadata, annals_source.position
    """

  /// Gives `event` its columns before the first one is read.
  private var emptyEvent: String {
    "SELECT \(Self.columns) INTO event FROM \(source) AS annals_source LIMIT 0;"
  }

  private func condition(_ types: Types) -> String {
    var conditions = ["annals_source.position BETWEEN annals_first AND annals_last"]
    switch types {
    case .none: conditions.append("false")
    case .some(let types): conditions.append("annals_source.event_type = ANY (ARRAY[\(list(types))])")
    case .allBut([]): break
    case .allBut(let types): conditions.append("annals_source.event_type <> ALL (ARRAY[\(list(types))])")
    }
    if let filter { conditions.append("(\(filter))") }
    return conditions.joined(separator: " AND ")
  }

  /// See ``SeenEvents``.
  private static func hash(_ event: String) -> String { "coalesce(pg_catalog.uuid_hash(\(event).id), 0)" }

  private func list(_ types: [ByteString]) -> String {
    types.map { quoteLiteral($0) }.joined(separator: ", ")
  }
}

extension SQLStatement {
  /// The words of TRUNCATE that LOCK does not have.
  fileprivate var optionsOfTruncate: [Word] {
    let options: Set = ["RESTART", "CONTINUE", "IDENTITY", "CASCADE", "RESTRICT"]
    return words.prefix(1) + words.dropFirst(2).filter { options.contains($0.text) && !$0.followsComma }
  }

  fileprivate var returnsRows: Bool {
    !["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CALL"].contains(mainKeyword)
      || words.contains { $0.text == "RETURNING" }
  }
}
