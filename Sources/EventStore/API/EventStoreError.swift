internal import LibPQ

/// Why an operation of the store failed, in the shape of PostgreSQL's own messages.
public struct EventStoreError: Error, Sendable, Hashable {
  /// The stable kind of a failure, for programs. Later versions may add some.
  public struct Code: RawRepresentable, Sendable, Hashable {
    public let rawValue: String

    public init(rawValue: String) {
      self.rawValue = rawValue
    }

    /// No connection to the server.
    public static let cannotConnect = Code(rawValue: "cannotConnect")
    /// A pooler shares the server's sessions, and the operation needs one of its own.
    public static let noSession = Code(rawValue: "noSession")
    /// The connection was lost while it was in use.
    public static let connectionLost = Code(rawValue: "connectionLost")
    /// The server did not answer in time.
    public static let timedOut = Code(rawValue: "timedOut")
    /// The stream has another version than the caller expected, or another event has that id.
    public static let versionConflict = Code(rawValue: "versionConflict")
    /// A reader has passed positions that the store does not have: events were restored to an earlier state, truncated
    /// or replaced.
    public static let checkpointAhead = Code(rawValue: "checkpoint_ahead")
    /// Something that was requested is not in the store.
    public static let notFound = Code(rawValue: "notFound")
    /// The input is not an event.
    public static let invalidInput = Code(rawValue: "invalidInput")
    /// A projection, reducer, upcaster or layout file is wrong, or the events table is not one.
    public static let invalidDefinition = Code(rawValue: "invalidDefinition")
    /// Another session holds the lock; try again later.
    public static let locked = Code(rawValue: "locked")
    /// The server is a standby that is too far behind its primary, or behind the server that was read before.
    public static let stale = Code(rawValue: "stale")
    /// The server is a standby, and ended a statement that blocked its replay.
    public static let recoveryConflict = Code(rawValue: "recoveryConflict")
    /// The role lacks a right, or the database is read only.
    public static let permissionDenied = Code(rawValue: "permissionDenied")
    /// Any other refusal of the server or the store.
    public static let failed = Code(rawValue: "failed")
  }

  /// The kind of the failure.
  public var code: Code
  /// One sentence: what failed, and where.
  public var message: String
  /// Facts that help to understand it.
  public var detail: String?
  /// What to do about it.
  public var hint: Hint?
  /// PostgreSQL's code of the failure, if the server reported it.
  public var sqlState: String?
  /// The version of the stream, for a version conflict; 0 if it has no events.
  public var actualVersion: Int?

  /// An error in the same form as those that the store throws.
  public init(
    _ code: Code,
    _ message: String,
    detail: String? = nil,
    hint: Hint? = nil,
    sqlState: String? = nil
  ) {
    self.code = code
    self.message = message
    self.detail = detail
    self.hint = hint
    self.sqlState = sqlState
  }

  /// Whether the server ended a statement that took too long, or waited too long for a lock.
  public var isOutOfTime: Bool {
    sqlState.map { $0 == SQLState.queryCanceled || $0 == SQLState.lockNotAvailable } ?? false
  }

  /// What an error of the database means to a user of the store.
  init(_ error: PostgresError) {
    self.init(
      Code(error),
      error.message,
      detail: error.detail,
      hint: error.hint.map { Hint($0) },
      sqlState: error.sqlState
    )
    switch code {
    case .cannotConnect:
      hint = hint ?? "Check \(.connection); psql with the same settings must connect."
    case .connectionLost:
      hint = hint ?? "Run the command again; what was not committed was rolled back."
    case .failed where sqlState == SQLState.queryCanceled:
      hint =
        hint
        ?? "Another session cancelled it, or it exceeded statement_timeout, which a role or database can set: "
        + "PGOPTIONS='-c statement_timeout=0' lifts that."
    case .recoveryConflict,
      .failed where sqlState == SQLState.serializationFailure:
      hint =
        "Run the command again. On a standby, replay cancels reads: max_standby_streaming_delay "
        + "or hot_standby_feedback gives reads more time."
    case .timedOut:
      hint = hint ?? "pg_stat_activity shows what the server is doing; it may only need more time."
    case .permissionDenied where sqlState == SQLState.readOnlyTransaction:
      hint = hint ?? "This is a standby or a read-only session; connect to the primary to write."
    case .permissionDenied where error.isOfRowSecurity:
      detail = detail ?? "It must read every event, and a policy of the table hides some from this role."
      hint = hint ?? "Run it as the owner of the table, or as a role with BYPASSRLS."
    case .permissionDenied where error.isOfRecords:
      hint = hint ?? "The role needs rights in schema annals: \(.doctor) prints the GRANT."
    case .failed where error.isOfNameInFunction:
      hint =
        "The function runs with search_path \(Connection.ownPath). "
        + "Give it its own: ALTER FUNCTION NAME SET search_path = ...;"
    default: break
    }
  }
}

extension PostgresError {
  /// Raised by check_enable_rls (rls.c) where row_security is off and a policy applies.
  fileprivate var isOfRowSecurity: Bool { sourceFunction == "check_enable_rls" }

  /// Raised by aclcheck_error (aclchk.c), which has no field for the name of the schema.
  fileprivate var isOfRecords: Bool {
    sqlState == SQLState.insufficientPrivilege
      && message.hasSameBytes(as: "permission denied for schema annals")
  }

  /// Whether a function, such as that of a trigger, named something without its schema.
  fileprivate var isOfNameInFunction: Bool {
    let states = [SQLState.undefinedTable, SQLState.undefinedFunction, SQLState.undefinedObject]
    return sqlState.map(states.contains) == true && internalQuery != nil
  }
}

extension EventStoreError {
  /// What is wrong with an operator's file.
  init(_ error: SQLFileError) {
    self.init(.invalidDefinition, error.description, hint: error.hint.map { Hint($0) })
  }
}

extension EventStoreError.Code {
  fileprivate init(_ error: PostgresError) {
    if error.isRecoveryConflict {
      self = .recoveryConflict
      return
    }
    switch error.kind {
    case .cannotConnect: self = .cannotConnect
    case .noSession: self = .noSession
    case .connectionLost: self = .connectionLost
    case .timedOut: self = .timedOut
    case .statement:
      switch error.sqlState {
      case SQLState.insufficientPrivilege, SQLState.readOnlyTransaction: self = .permissionDenied
      case SQLState.lockNotAvailable: self = .locked
      case SQLState.untranslatableCharacter: self = .invalidInput
      default: self = .failed
      }
    }
  }
}

extension EventStoreError {
  /// Something in the table lacks what every event has.
  static func incomplete(_ subject: String, without column: String) -> EventStoreError {
    EventStoreError(
      .failed,
      "\(subject) has no \(column)",
      detail: "The table lets its columns be NULL.",
      hint:
        "Fix the row, and set the columns NOT NULL; \(.verify()) finds other faults."
    )
  }
}
