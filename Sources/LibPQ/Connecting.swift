internal import CLibPQ

extension ConnectionParameters {
  /// Connects as PQconnectdb does, on a thread that is abandoned when the canceller fires.
  ///
  /// libpq's own non-blocking way (PQconnectPoll) blocks while a host's name is looked up, and leaves
  /// `connect_timeout`, which starts again for each host, to its caller.
  ///
  /// - Throws: `cannotConnect` with libpq's reason; 57014 after a cancellation.
  func connect(_ canceller: Canceller) throws(PostgresError) -> OpaquePointer {
    let keywords = keywords
    let call = try BackgroundCall { NewConnection(keywords) }
    guard let connection = call.wait(until: nil, or: canceller) else {
      try canceller.checkCancellation()
      throw PostgresError(kind: .cannotConnect, message: "interrupted")
    }
    guard let handle = unsafe connection.take() else {
      throw PostgresError(kind: .cannotConnect, message: connection.failure)
    }
    return unsafe handle
  }
}

/// Owns a PGconn until a ``Connection`` takes it; also a failed one, which needs PQfinish too (manual, PQfinish).
///
/// It is created on one thread and then passed to another, and never used by two at a time.
@safe private final class NewConnection: @unchecked Sendable {
  private var handle: OpaquePointer?

  init(_ keywords: [(String, String)]) {
    unsafe handle = withCStrings(keywords.map(\.0)) { names in
      unsafe withCStrings(keywords.map(\.1)) { values in unsafe PQconnectdbParams(names, values, 1) }
    }
  }

  deinit { unsafe PQfinish(handle) }

  /// Why there is no connection.
  var failure: String {
    guard let handle = unsafe handle else { return "out of memory" }
    return unsafe String(cString: PQerrorMessage(handle)).trimmingNewlines()
  }

  /// The open connection, which the caller then owns; nil when there is none.
  func take() -> OpaquePointer? {
    guard unsafe handle != nil, unsafe PQstatus(handle) == CONNECTION_OK else { return nil }
    defer { unsafe handle = nil }
    return unsafe handle
  }
}
