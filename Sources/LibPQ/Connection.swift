internal import CLibPQ

/// One connection to PostgreSQL. It blocks its thread while it waits, and belongs to one thread at a time.
///
/// Every wait is a poll() on the socket and on the ``Canceller``, so that another thread or a deadline can end it.
@safe package final class Connection {
  let handle: OpaquePointer
  package let canceller: Canceller
  package let parameters: ConnectionParameters

  /// The longest silence of the server during one statement; nil waits as long as the server exists (see ``Probe``).
  package var responseTimeout: Duration?
  /// How long the server is silent before a ``Probe`` checks it.
  package var probeInterval = Probe.interval
  /// The server process of this connection; nil if it is not known, or changes.
  var backend: Probe.Backend?
  /// The server processes of lost connections that this one replaces.
  package var predecessors: [Int32] = []
  /// The names of the advisory locks that operations on this session hold. The server lets a session take its own lock
  /// again, so it would let in a second operation.
  package var heldLocks: Set<ByteString> = []
  /// Whether a pooler is between this and the server.
  package var isPooled = false
  /// How the pooler shares sessions; nil until ``findPooling()`` has asked.
  var pooling: Pooling?
  /// The settings of ``set(_:)``.
  var sessionSettings: [SessionSetting] = []
  /// Whether the server tells this session about a channel; see ``listen(to:)``.
  package internal(set) var isListening = false
  /// Whether it was found out if there is a channel to listen to.
  package var hasAskedToListen = false
  /// Whether the current statement has its own transaction, which ends with it (see ``send(_:_:prepared:)``).
  var endsTransaction = false

  /// Called with notices of the server besides its answer (RAISE NOTICE, warnings).
  package var onNotice: ((String) -> Void)?

  /// Names of the statements that may be prepared on this connection, by their text; nil after a first run.
  var preparedStatements: [ByteString: String?] = [:]
  var preparedCount = 0
  var lastPrepared: (sql: ByteString, name: String)?
  /// The number of open cursors of queries by pages, one within the other.
  var openCursors = 0

  /// Connects; `canceller` ends the waits of this connection, and may outlive it.
  ///
  /// - Throws: `cannotConnect` with libpq's reason, which contains no password (see
  ///   `ConnectionParameters.checkTarget`).
  package init(_ parameters: ConnectionParameters, canceller: Canceller) throws(PostgresError) {
    self.parameters = parameters
    self.canceller = canceller
    try parameters.checkTarget()
    responseTimeout = parameters.responseTimeout
    // From here on deinit calls PQfinish.
    unsafe self.handle = try parameters.connect(canceller)
    unsafe PQsetnonblocking(handle, 1)
    installNoticeReceiver()
    unsafe canceller.attach(to: handle)
    try openSession()
  }

  deinit {
    unsafe canceller.detach(from: handle)
    unsafe PQfinish(handle)
  }

  /// The server's version, such as 150018 for 15.18.
  package var serverVersion: Int { unsafe Int(PQserverVersion(handle)) }
  package var databaseName: String { unsafe String(cString: PQdb(handle)) }
  package var userName: String { unsafe String(cString: PQuser(handle)) }
  package var host: String { unsafe String(cString: PQhost(handle)) }
  /// The address of the host's name; empty for a Unix socket.
  var hostAddress: String { unsafe String(cString: PQhostaddr(handle)) }
  package var port: String { unsafe String(cString: PQport(handle)) }
  package var backendProcessID: Int32 { unsafe PQbackendPID(handle) }

  /// Whether the connection can no longer be used.
  package var isBroken: Bool { unsafe PQstatus(handle) != CONNECTION_OK }

  /// Whether the server last reported to be a standby, also for a broken connection; false for servers before version
  /// 14, which do not report it.
  package var isOfStandby: Bool {
    guard let value = unsafe PQparameterStatus(handle, "in_hot_standby") else { return false }
    return unsafe String(cString: value) == "on"
  }

  package var isInTransaction: Bool { unsafe PQtransactionStatus(handle) != PQTRANS_IDLE }

  var lastMessage: String {
    unsafe String(cString: PQerrorMessage(handle)).trimmingNewlines()
  }

  private func installNoticeReceiver() {
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe PQsetNoticeReceiver(
      handle,
      { context, result in
        guard let context = unsafe context, let result = unsafe result else { return }
        let connection = unsafe Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
        connection.onNotice?(unsafe String(cString: PQresultErrorMessage(result)).trimmingNewlines())
      },
      context
    )
  }
}

@available(*, unavailable, message: "a connection belongs to the one thread that waits on it")
extension Connection: Sendable {}

/// Calls `body` with a NULL-terminated array of C strings, the form of libpq's parameter lists.
func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
  var bytes: [CChar] = []
  var offsets: [Int] = []
  for string in strings {
    offsets.append(bytes.count)
    bytes += string.utf8CString
  }
  return unsafe bytes.withUnsafeBufferPointer { buffer in
    var pointers: [UnsafePointer<CChar>?] = unsafe offsets.map { unsafe buffer.baseAddress! + $0 }
    unsafe pointers.append(nil)
    return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
  }
}
