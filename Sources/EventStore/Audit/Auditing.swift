internal import FoundationEssentials
internal import LibPQ

/// What operators do that changes a store, its readers or their read models. Appending is not among it.
public enum AuditAction: String, Sendable, Hashable, CaseIterable {
  /// The events table was created, or got the columns that it lacked.
  case initialize = "init"
  /// Schema `annals` was brought up to date.
  case migrate
  /// A table in use gets positions: the column is there, or all events have one.
  case addPosition = "add-position"
  /// A new generation of a read model was begun.
  case build
  /// A copy of the events was begun.
  case copy
  /// A generation or a copy is complete.
  case finish
  /// A generation, or a copy of the events, went live.
  case swap
  /// What was live before is live again.
  case rollback
  /// A projection was removed, or one of its generations.
  case drop
  /// The catch-up of a projection was stopped.
  case pause
  /// The catch-up of a projection may go on.
  case resume
  /// A checkpoint was moved by hand.
  case setCheckpoint = "set-checkpoint"
  /// The checkpoint of a replay got another name.
  case renameCheckpoint = "rename-checkpoint"
  /// The checkpoint of a replay was removed.
  case removeCheckpoint = "remove-checkpoint"
  /// A dead letter was applied.
  case retry
  /// Dead letters were given up.
  case discard
  /// Readers leave an event out from then on.
  case skip
  /// They do not any more.
  case unskip
  /// Snapshots were deleted.
  case pruneSnapshots = "prune-snapshots"
  /// Events of an export were stored.
  case restore
  /// Roles, or triggers that refuse changes of events, were made or removed.
  case protect
  /// Values were removed from events; see ``EventStore/EventStore/redact(_:_:)``.
  case redact
  /// Events were moved into the archive, or back; see ``EventStore/EventStore/archive(_:_:)``.
  case archive
}

/// What a change was made to, in the words of the audit.
enum AuditSubject {
  case schema
  case store
  case consumer(StoreConnection.Consumer, String)

  static func projection(_ name: String) -> AuditSubject { .consumer(.projection, name) }
  static func checkpoint(_ name: String) -> AuditSubject { .consumer(.checkpoint, name) }
}

extension EventStore {
  /// Sets why what follows is done, for the audit; nil for no reason.
  ///
  /// Each change by an operator is written down in its own transaction, with the reason, the role, the client's address,
  /// and the user and the machine of this process; see ``listAudit(_:_:)``.
  public func giveReason(_ reason: String?) {
    self.reason = reason
  }
}

extension StoreConnection {
  /// Records what an operator did, in the transaction that does it.
  ///
  /// - Parameter detail: names and values, as jsonb_build_object takes them.
  func audit(_ action: AuditAction, _ subject: AuditSubject, _ detail: SQL = "") throws {
    _ = try connection.query(auditRow(action, subject, detail))
  }

  /// The same; returns the number of the row, which needs the right to read the audit.
  func numberedAudit(_ action: AuditAction, _ subject: AuditSubject, _ detail: SQL) throws -> Int64 {
    try connection.query("\(auditRow(action, subject, detail)) RETURNING id").int64(0, 0)
  }

  private func auditRow(_ action: AuditAction, _ subject: AuditSubject, _ detail: SQL) -> SQL {
    precondition(connection.isInTransaction, "a deed and its audit are one transaction")
    return """
      INSERT INTO annals.audit (action, subject, store, os_user, os_host, reason, detail)
      VALUES (\(action.rawValue), \(name(of: subject)), \(store(of: subject)), \(Client.user), \(Client.host), \(reason),
              jsonb_build_object(\(detail)))
      """
  }

  /// The same for what also works without schema `annals`, or with an older one.
  func auditIfKept(_ action: AuditAction, _ subject: AuditSubject, _ detail: SQL) throws {
    // The catalogue tells it to everybody; who may not write to an audit that is there is refused.
    let isKept = try connection.query(
      """
      SELECT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                     JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = 'annals' AND c.relname = 'audit' AND a.attname = 'reason')
      """
    ).bool(0, 0)
    if isKept { try audit(action, subject, detail) }
  }

  private func name(of subject: AuditSubject) -> String {
    switch subject {
    case .schema: "schema annals"
    case .store: "store \(table)"
    case .consumer(let kind, let name): "\(kind) \(name)"
    }
  }

  private func store(of subject: AuditSubject) -> String? {
    if case .schema = subject { nil } else { table.description }
  }
}

/// This process, as the system knows it: who shares a role is told apart by it. The server cannot check it.
private enum Client {
  static let user = ProcessInfo.processInfo.userName
  static let host = ProcessInfo.processInfo.hostName
}
