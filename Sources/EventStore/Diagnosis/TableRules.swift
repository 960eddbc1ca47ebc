internal import LibPQ

/// Rules for the facts: the events table and its indexes.
extension StoreFacts {
  /// - Parameter layout: the columns, as readers see them.
  func tableItems(
    of layout: EventsTable,
    _ positions: Layout.Positions,
    _ faults: PositionFaults
  ) -> [DiagnosisItem] {
    var items = [columnsItem(of: layout)]
    if layout.hasPosition { items += positionItems(positions, faults) }
    if let bytes = number("bytes"), !layout.isDistributed {
      items.append(
        DiagnosisItem(.table, "rows", "about \(number("estimated_rows") ?? 0), \(bytes >> 20) MiB")
      )
      items.append(statisticsItem)
    }
    if isOwn, let notifies = self["notifies"] {
      let isOn = notifies.hasSameBytes(as: "true")
      items.append(
        DiagnosisItem(
          .table,
          "notifications",
          isOn
            ? "wake followers; appends of several sessions wait for each other" : "the trigger is disabled",
          isOn ? .ok : .note
        )
      )
    }
    if let parts = self["parts_without_autovacuum"] {
      let advice = parts.unicodeScalars.split(separator: ", ".unicodeScalars).map {
        "ALTER TABLE \(String($0)) RESET (autovacuum_enabled);"
      }
      items.append(
        DiagnosisItem(
          .table,
          "autovacuum",
          "off for \(parts)",
          .problem,
          advice: Hint(advice.joined(separator: " "))
        )
      )
    }
    return items
  }

  private func columnsItem(of layout: EventsTable) -> DiagnosisItem {
    let kinds = [
      "r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "f": "foreign table",
    ]
    let kind = kinds[self["kind"] ?? ""] ?? "table"
    guard isOwn else { return DiagnosisItem(.table, "\(table)", "\(kind), read through a layout") }
    guard layout.hasPosition else {
      let advice: Hint = "\(.addPosition), for replay in order and projections."
      return DiagnosisItem(.table, "\(table)", "classic \(kind), no position", .note, advice: advice)
    }
    let zone = layout.hasTimeZone ? "" : ", times without zone are taken as UTC"
    return DiagnosisItem(.table, "\(table)", kind + (layout.hasMetadata ? "" : ", no metadata") + zone)
  }

  /// Whether readers may continue from a position.
  private func positionItems(_ positions: Layout.Positions, _ found: PositionFaults) -> [DiagnosisItem] {
    if found.faults.isEmpty { return [positionsItem(positions, found.doubt)] }
    return found.faults.map { fault in
      let name = String(fault.kind.rawValue.map { $0 == "_" ? " " : $0 })
      return DiagnosisItem(.table, name, fault.message, .problem, advice: Hint(fault.remedy))
    }
  }

  private func positionsItem(_ positions: Layout.Positions, _ doubt: PositionFault?) -> DiagnosisItem {
    switch positions {
    case .late:
      DiagnosisItem(.table, "positions", "late: readers cannot continue from a position", .note)
    case .dense(let grace):
      DiagnosisItem(
        .table,
        "positions",
        "dense: readers wait for a missing position, at least \(grace / .seconds(1)) s"
      )
    case .final:
      if let doubt {
        DiagnosisItem(
          .table,
          "positions",
          "assumed to be final: \(doubt.message)",
          .problem,
          advice: Hint(doubt.remedy)
        )
      } else {
        DiagnosisItem(.table, "positions", "final behind the watermark")
      }
    }
  }

  private var statisticsItem: DiagnosisItem {
    guard number("parts_without_statistics") ?? 0 > 0 else {
      return DiagnosisItem(.table, "statistics", self["analyzed_at"].map { "of \($0)" } ?? "there")
    }
    return DiagnosisItem(.table, "statistics", "missing", .problem, advice: "ANALYZE \(table.sql);")
  }

  // MARK: - Indexes

  var indexItems: [DiagnosisItem] {
    guard isOwn, let kind = self["kind"], ["r", "p", "m"].contains(kind), self.is("can_use_schema") else {
      return []
    }
    return [versions, ids] + neededIndexes.map(item) + [categoriesItem] + indexes.compactMap(faultItem)
  }

  private struct NeededIndex {
    let purpose: String
    let columns: [ByteString]
    var methods = ["btree"]
    /// The status when it is missing.
    var status = DiagnosisItem.Status.note
    let definition: String
  }

  private var neededIndexes: [NeededIndex] {
    var needed: [NeededIndex] = []
    // If a unique index is advised, it serves this as well.
    if ids.advice != Hint(createIndex("(id)", unique: true)) {
      needed.append(
        NeededIndex(purpose: "an event by its id", columns: ["id"], status: .problem, definition: "(id)")
      )
    }
    needed.append(
      NeededIndex(
        purpose: "times",
        columns: ["timestamp"],
        methods: ["btree", "brin"],
        definition: "USING brin (\"timestamp\") WITH (autosummarize = on)"
      )
    )
    guard self.is("has_position") else { return needed }
    needed.insert(
      NeededIndex(
        purpose: "order of the store",
        columns: ["position"],
        status: .problem,
        definition: "(position)"
      ),
      at: 0
    )
    needed.append(
      NeededIndex(purpose: "rare types", columns: ["event_type"], definition: "(event_type, position)")
    )
    return needed
  }

  private func item(_ needed: NeededIndex) -> DiagnosisItem {
    let serving = indexes.first { index in
      index.isUsable && needed.methods.contains(index.method) && index.columns.starts(with: needed.columns)
    }
    if let serving { return DiagnosisItem(.indexes, needed.purpose, serving.name.string) }
    let create = createIndex(needed.definition)
    return DiagnosisItem(.indexes, needed.purpose, "missing", needed.status, advice: Hint(create))
  }

  // MARK: - Unique indexes

  private var versions: DiagnosisItem {
    uniqueItem("one event a version", finding: "duplicate_version", [["aggregate_id", "version"]])
  }

  private var ids: DiagnosisItem {
    uniqueItem("one event an id", finding: "duplicate_id", [["id"], ["aggregate_id", "id"]])
  }

  /// Whether an index refuses duplicates.
  ///
  /// - Parameter keys: sets of columns, of which one must be unique; the best first.
  private func uniqueItem(_ purpose: String, finding: String, _ keys: [[ByteString]]) -> DiagnosisItem {
    let hasHeirs = self.is("has_heirs")
    let serving = indexes.first { index in
      index.isUsable && index.isUnique && keys.contains { Set($0) == Set(index.columns) }
    }
    if let serving, !hasHeirs { return DiagnosisItem(.indexes, purpose, serving.name.string) }
    let partitionKey = (self["partition_key"] ?? "").unicodeScalars.split(separator: "\n").map {
      ByteString(String($0))
    }
    let possible = keys.first { Set($0).isSuperset(of: partitionKey) }
    if let possible, !hasHeirs {
      let create = createIndex("(\(possible.map(\.string).joined(separator: ", ")))", unique: true)
      return DiagnosisItem(.indexes, purpose, "missing", .problem, advice: Hint(create))
    }
    let key = partitionKey.map(\.string).joined(separator: ", ")
    let reason =
      hasHeirs
      ? "A unique index does not hold for the tables that inherit from this one."
      : "A unique index would have to contain the partition key (\(key))."
    let advice: Hint =
      "\(reason) Appends check first, and wait for each other; \(.verify(only: finding)) finds what other programs store twice."
    return DiagnosisItem(.indexes, purpose, "no index can ensure it", .note, advice: advice)
  }

  func createIndex(_ definition: String, unique: Bool = false) -> String {
    "CREATE\(unique ? " UNIQUE" : "") INDEX\(concurrently) ON \(table.sql) \(definition);"
  }

  /// Lets writers continue meanwhile, which is not possible for an index of a partitioned table.
  private var concurrently: String { self["kind"] == "p" ? "" : " CONCURRENTLY" }

  /// A category is a range of ids in the order of bytes.
  private var categoriesItem: DiagnosisItem {
    let serving = indexes.first { $0.isUsable && $0.columns.first == "aggregate_id" && $0.isInByteOrder }
    if let serving { return DiagnosisItem(.indexes, "categories", serving.name.string) }
    let create = createIndex("(aggregate_id COLLATE \"C\")")
    return DiagnosisItem(
      .indexes,
      "categories",
      "no index in the order of bytes",
      .note,
      advice: Hint(create)
    )
  }

  /// The fault of an existing index.
  private func faultItem(_ index: TableIndex) -> DiagnosisItem? {
    guard index.isValid else {
      // The index of a partitioned table becomes valid once each partition has its part of it.
      let advice: Hint =
        self["kind"] == "p"
        ? "DROP INDEX \(index.name);" : "REINDEX INDEX CONCURRENTLY \(index.name);"
      return DiagnosisItem(
        .indexes,
        index.name.string,
        "invalid: writers pay for it, no reader uses it",
        .problem,
        advice: advice
      )
    }
    // Of two equal indexes, the later one can be dropped.
    let earlier = indexes.prefix { $0.name != index.name }
    let others = indexes.filter { $0.name != index.name }
    let covering = others.first { other in
      index.isCovered(by: other) && (other.isCovered(by: index) ? earlier.contains(other) : true)
    }
    guard let covering else { return nil }
    let advice: Hint = "DROP INDEX\(concurrently) \(index.name);"
    return DiagnosisItem(
      .indexes,
      index.name.string,
      "redundant: \(covering.name) does the same",
      .note,
      advice: advice
    )
  }
}
