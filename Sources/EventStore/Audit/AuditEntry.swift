internal import LibPQ

/// A change of a store by an operator, as it was written down in the transaction of the change.
public struct AuditEntry: Sendable, Hashable {
  /// Its number; later changes have higher ones, but for transactions that overlap.
  public let id: Int64
  /// When its transaction began.
  public let time: Timestamp
  /// What was done: the raw value of an ``AuditAction``.
  public let action: String
  /// What it was done to, such as `projection orders`.
  public let subject: String
  /// The table of events, as `schema.name`; nil for a change of the whole database.
  public let store: String?
  /// The role that the session was opened as.
  public let role: String
  /// The user of the operating system, as the client says.
  public let osUser: String?
  /// The client's machine, as the client says.
  public let osHost: String?
  /// The client's address, as the server sees it; nil for a Unix socket.
  public let address: String?
  /// Why; see ``EventStore/EventStore/giveReason(_:)``.
  public let reason: String?
  /// Numbers and names of the change: a JSON object.
  public let detail: String?
}

/// Which changes to list; conditions that are set together must all hold.
public struct AuditQuery: Sendable, Hashable {
  /// Only at this time or later.
  public var since: Timestamp?
  /// Only at this time or before.
  public var until: Timestamp?
  /// Only these actions; all when empty.
  public var actions: [AuditAction] = []
  /// At most as many, the last ones.
  public var limit: Int?

  /// All changes.
  public init() {}
}

extension EventStore {
  /// Lists what operators changed, in the order of time: of this store, and of the whole database.
  ///
  /// - Parameters:
  ///   - query: which changes.
  ///   - body: called on the store's thread with each.
  /// - Throws: ``EventStoreError``: `failed` without schema `annals`, or with an older one; what `body` throws.
  public func listAudit(
    _ query: AuditQuery = AuditQuery(),
    _ body: @Sendable (AuditEntry) throws -> Void
  ) async throws {
    let passedOn = PassedOn()
    try await read(unless: passedOn) {
      try $0.listAudit(query) {
        passedOn.set()
        try body($0)
      }
    }
  }
}

extension StoreConnection {
  fileprivate func listAudit(
    _ query: AuditQuery,
    _ body: @Sendable (AuditEntry) throws -> Void
  ) throws {
    try requireSchema()
    let entries = SQLTemplate.auditEntries.statement([
      "store": "\(table.description)",
      "since": "\(Parameter.timestamptz(query.since?.microseconds))",
      "until": "\(Parameter.timestamptz(query.until?.microseconds))",
      "actions": "\(Parameter.textArray(query.actions.map(\.rawValue)))",
      "most": "\(query.limit.map { Int64($0) })",
    ])
    try connection.transaction(.repeatableReadOnly) {
      try connection.forEachPage(of: entries) { try $0.forEachRow { try body(AuditEntry($0)) } }
    }
  }
}

extension AuditEntry {
  fileprivate init(_ row: borrowing Row) {
    id = row.int64("id")
    time = row.timestamp("at")
    action = row.string("action")
    subject = row.string("subject")
    store = row.optionalString("store")
    role = row.string("role")
    osUser = row.optionalString("os_user")
    osHost = row.optionalString("os_host")
    address = row.optionalString("address")
    reason = row.optionalString("reason")
    detail = row.optionalString("detail")
  }
}
