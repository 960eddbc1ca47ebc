internal import CLibPQ

/// The rows that a statement returned, in PostgreSQL's binary format.
///
/// It owns the PGresult, which lives until the value goes out of scope. Rows and columns count from 0.
@safe package struct QueryResult: ~Copyable {
  let handle: OpaquePointer

  init(owning handle: OpaquePointer) {
    unsafe self.handle = handle
  }

  deinit {
    unsafe PQclear(handle)
  }

  package var rowCount: Int { unsafe Int(PQntuples(handle)) }
  package var columnCount: Int { unsafe Int(PQnfields(handle)) }
  package var isEmpty: Bool { rowCount == 0 }

  /// Rows that an INSERT, UPDATE or DELETE affected, or that a COPY moved.
  package var affectedRows: Int {
    unsafe Int(String(cString: PQcmdTuples(handle))) ?? 0
  }

  /// Bytes of memory of the rows.
  package var memoryBytes: Int { unsafe PQresultMemorySize(handle) }

  /// The OID of a column's type.
  package func columnType(_ column: Int) -> UInt32 {
    unsafe PQftype(handle, Int32(column))
  }

  /// The table and the column number from which a column of the result comes unchanged; also through
  /// subqueries, but not through views (manual, PQftable).
  package func columnOrigin(_ column: Int) -> (table: UInt32, number: Int32)? {
    let table = unsafe PQftable(handle, Int32(column))
    return table == 0 ? nil : unsafe (table, PQftablecol(handle, Int32(column)))
  }

  package func columnName(_ column: Int) -> String {
    unsafe String(cString: PQfname(handle, Int32(column)))
  }

  package func isNull(_ row: Int, _ column: Int) -> Bool {
    unsafe PQgetisnull(handle, Int32(row), Int32(column)) == 1
  }

  /// The bytes of a value as the server sent them; no bytes for NULL.
  @_lifetime(borrow self)
  package func bytes(_ row: Int, _ column: Int) -> RawSpan {
    let length = unsafe Int(PQgetlength(handle, Int32(row), Int32(column)))
    let start = unsafe PQgetvalue(handle, Int32(row), Int32(column))
    let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start!), byteCount: length)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The text of a jsonb value, without the version byte in front of it.
  @_lifetime(borrow self)
  package func jsonb(_ row: Int, _ column: Int) -> RawSpan {
    bytes(row, column)._dropFirst()
  }

  /// The UTF-8 of a text, in place.
  @_lifetime(borrow self)
  package func utf8(_ row: Int, _ column: Int) -> Span<UInt8> {
    unsafe _overrideLifetime(bytes(row, column)._unsafeView(as: UInt8.self), borrowing: self)
  }

  /// The UTF-8 of a jsonb value's text, in place.
  @_lifetime(borrow self)
  package func jsonbUTF8(_ row: Int, _ column: Int) -> Span<UInt8> {
    unsafe _overrideLifetime(jsonb(row, column)._unsafeView(as: UInt8.self), borrowing: self)
  }

  package func string(_ row: Int, _ column: Int) -> String {
    String(utf8Bytes: bytes(row, column))
  }

  package func optionalString(_ row: Int, _ column: Int) -> String? {
    isNull(row, column) ? nil : string(row, column)
  }

  package func bool(_ row: Int, _ column: Int) -> Bool {
    bytes(row, column).first == 1
  }

  package func int32(_ row: Int, _ column: Int) -> Int32 {
    Int32(bigEndian: bytes(row, column).load(as: Int32.self))
  }

  package func int64(_ row: Int, _ column: Int) -> Int64 {
    Int64(bigEndian: bytes(row, column).load(as: Int64.self))
  }

  package func optionalInt32(_ row: Int, _ column: Int) -> Int32? {
    isNull(row, column) ? nil : int32(row, column)
  }

  package func optionalInt64(_ row: Int, _ column: Int) -> Int64? {
    isNull(row, column) ? nil : int64(row, column)
  }

  package func float64(_ row: Int, _ column: Int) -> Double {
    Double(bitPattern: UInt64(bitPattern: int64(row, column)))
  }
}

extension RawSpan {
  package var first: UInt8? { isEmpty ? nil : self[0] }

  package subscript(index: Int) -> UInt8 {
    load(at: index, as: UInt8.self)
  }

  /// Reads a trivial integer; a value of another width is a mistake in our SQL, and traps.
  package func load<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int = 0, as type: T.Type) -> T {
    precondition(
      offset >= 0 && byteCount - offset >= MemoryLayout<T>.size,
      "a column has another type than expected"
    )
    return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self)
  }

  @_lifetime(copy self)
  func _dropFirst() -> RawSpan {
    isEmpty ? self : extracting(1...)
  }
}

extension String {
  /// The text of bytes that the server sent as UTF-8.
  package init(utf8Bytes bytes: RawSpan) {
    self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

extension [UInt8] {
  package mutating func append(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
