internal import LibPQ

/// Rules for the facts: the server, the role's rights and annals' own records.
extension StoreFacts {
  func serverItems(_ replay: StandbyReplay?) -> [DiagnosisItem] {
    var items = [
      versionItem, DiagnosisItem(.server, "standby", replay.map { "yes, \($0.description)" } ?? "no"),
    ]
    if let replay {
      items[1].status = replay.isPaused ? .problem : .note
      items[1].advice =
        replay.isPaused
        ? "SELECT pg_wal_replay_resume();"
        : "Reads show what has been replayed. Write, follow and store checkpoints on the primary."
    }
    // If these are off, a crash of the machine can lose acknowledged events, or leave half-written pages.
    for name in ["fsync", "full_page_writes"] {
      let isOn = self[name] == "on"
      let advice: Hint = "ALTER SYSTEM SET \(name) = on; SELECT pg_reload_conf();"
      items.append(setting(name, isOn ? .ok : .problem, advice))
    }
    let waits = self["synchronous_commit"] != "off"
    let advice: Hint =
      "A crash loses the last acknowledged events: ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();"
    items.append(setting("synchronous_commit", waits ? .ok : .note, advice))
    let vacuums = self["autovacuum"] == "on"
    items.append(
      setting(
        "autovacuum",
        vacuums ? .ok : .problem,
        "ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf();"
      )
    )
    items.append(connectionsItem)
    return items
  }

  private var versionItem: DiagnosisItem {
    let isKnown = number("server_version_num") ?? 0 >= StoreFormats.oldestPostgreSQL * 10_000
    return DiagnosisItem(
      .versions,
      "server",
      "PostgreSQL \(self["server_version"] ?? "?")",
      isKnown ? .ok : .problem,
      advice: isKnown ? nil : "annals needs PostgreSQL \(StoreFormats.oldestPostgreSQL) or later."
    )
  }

  private func setting(_ name: String, _ status: DiagnosisItem.Status, _ advice: Hint) -> DiagnosisItem {
    DiagnosisItem(.server, name, self[name] ?? "?", status, advice: status == .ok ? nil : advice)
  }

  private var connectionsItem: DiagnosisItem {
    let (used, most) = (number("connections") ?? 0, number("max_connections") ?? 0)
    let isNearlyFull = used * 10 >= most * 9
    return DiagnosisItem(
      .server,
      "connections",
      "\(used) of \(most)",
      isNearlyFull ? .problem : .ok,
      advice: isNearlyFull ? "Put a pooler in front of the server, or raise max_connections." : nil
    )
  }

  func poolerItem(_ pooling: Pooling) -> DiagnosisItem {
    switch pooling {
    case .none: DiagnosisItem(.server, "pooler", "none")
    case .session: DiagnosisItem(.server, "pooler", "session mode")
    case .transaction:
      DiagnosisItem(
        .server,
        "pooler",
        "transaction mode",
        .note,
        advice: "Reads and appends work. Commands that take a lock, such as project and rebuild-projection, "
          + "need the server itself, or a pool in session mode."
      )
    }
  }

  // MARK: - Rights

  /// Which commands the role may run.
  var rightsItems: [DiagnosisItem] {
    guard self["kind"] != nil else { return [] }
    let isWritable = !self.is("is_standby") && self["is_read_only"] != "on"
    let role = quoteIdentifier(self["role"] ?? "")
    let schema = "GRANT USAGE ON SCHEMA \(quoteIdentifier(table.schema)) TO \(role);"
    let useSchema = self.is("can_use_schema") ? [] : [schema]
    let select = self.is("can_select") ? [] : ["GRANT SELECT ON \(table.sql) TO \(role);"]
    let insert = self.is("can_insert") ? [] : ["GRANT INSERT ON \(table.sql) TO \(role);"]
    let database = "DATABASE \(quoteIdentifier(self["database"] ?? ""))"
    let create = self.is("can_create") ? [] : ["GRANT CREATE ON \(database) TO \(role);"]
    let own =
      !self.is("has_annals") || self.is("can_use_annals") && self.is("can_write_annals")
      ? []
      : [
        "GRANT USAGE ON SCHEMA annals TO \(role);",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA annals TO \(role);",
      ]
    func right(_ name: String, _ grants: [String], writes: Bool = true) -> DiagnosisItem {
      if writes, !isWritable {
        return DiagnosisItem(
          .rights,
          name,
          "no",
          .note,
          advice: "The session is read only: connect to the primary."
        )
      }
      let status: DiagnosisItem.Status = grants.isEmpty ? .ok : writes ? .note : .problem
      return DiagnosisItem(
        .rights,
        name,
        grants.isEmpty ? "yes" : "no",
        status,
        advice: grants.isEmpty ? nil : Hint(grants.joined(separator: " "))
      )
    }
    var rights = [right("stream, replay, trace, types, verify-versions", useSchema + select, writes: false)]
    if isOwn { rights.append(right("append", useSchema + select + insert)) }
    return rights + createItems + rowSecurityItems + [
      right("init, rebuild-projection, evolve apply", create),
      right("project, snapshot take, replay with a checkpoint", useSchema + select + own),
    ]
  }

  /// Schemas in which other roles could create a function or an operator that is called instead of the right one.
  private var createItems: [DiagnosisItem] {
    func item(_ value: String, _ status: DiagnosisItem.Status, _ advice: String?) -> DiagnosisItem {
      DiagnosisItem(.rights, "create in schemas", value, status, advice: advice.map { Hint($0) })
    }
    let ofPublic = self["public_creates_in"].map {
      item("PUBLIC in \($0)", .problem, self["revoke_from_public"])
    }
    let ofOthers = self["others_create_in"].map { item($0, .note, self["revoke_from_others"]) }
    let items = [ofPublic, ofOthers].compactMap(\.self)
    return items.isEmpty ? [item("owners alone", .ok, nil)] : items
  }

  /// Policies that hide events from this role.
  private var rowSecurityItems: [DiagnosisItem] {
    guard self.is("hides_rows") else { return [] }
    let role = quoteIdentifier(self["role"] ?? "")
    let advice: Hint =
      "stream, trace, replay and append use the rows that the policies permit; commands that need every event are refused:"
      + " ALTER ROLE \(role) BYPASSRLS;"
    return [DiagnosisItem(.rights, "row security", "hides events from this role", .note, advice: advice)]
  }

  // MARK: - Schema annals

  func recordsItem(_ state: MigrationState) -> DiagnosisItem {
    let latest = state.latest
    switch state.applied {
    case nil:
      return DiagnosisItem(.records, "schema annals", "not readable by this role", .note)
    case 0?:
      let advice: Hint = "\(.initialize), for projections, snapshots and checkpoints; reading does without."
      return DiagnosisItem(.records, "schema annals", "missing", .note, advice: advice)
    case let applied? where applied < latest:
      let value = "migration \(applied) of \(latest)"
      return DiagnosisItem(.records, "schema annals", value, .problem, advice: "\(.initialize)")
    case let applied? where applied > latest:
      let value = "migration \(applied), this annals knows \(latest)"
      return DiagnosisItem(.records, "schema annals", value, .problem, advice: "Use a newer annals.")
    case let applied?:
      return DiagnosisItem(.records, "schema annals", "migration \(applied)")
    }
  }
}
