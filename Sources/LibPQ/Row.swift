internal import CLibPQ

/// A row of a result, whose values are read by the names of their columns.
///
/// A name that the statement does not return is a mistake in our SQL, and traps. For hundreds of thousands of rows,
/// `QueryResult`'s accessors by number save the look-up of the name.
@safe package struct Row: ~Escapable {
  private let result: OpaquePointer
  private let row: Int32

  @_lifetime(borrow owner)
  fileprivate init(_ row: Int, of owner: borrowing QueryResult, _ result: OpaquePointer) {
    unsafe self.result = result
    self.row = Int32(row)
  }

  package func isNull(_ column: StaticString) -> Bool {
    unsafe PQgetisnull(result, row, number(column)) == 1
  }

  /// The bytes of a value as the server sent them; no bytes for NULL.
  @_lifetime(copy self)
  package func bytes(_ column: StaticString) -> RawSpan {
    let number = number(column)
    let length = unsafe Int(PQgetlength(result, row, number))
    let start = unsafe PQgetvalue(result, row, number)
    let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start!), byteCount: length)
    return unsafe _overrideLifetime(span, copying: self)
  }

  package func string(_ column: StaticString) -> String { String(utf8Bytes: bytes(column)) }
  package func bool(_ column: StaticString) -> Bool { bytes(column).first == 1 }
  package func int32(_ column: StaticString) -> Int32 { Int32(bigEndian: bytes(column).load(as: Int32.self)) }
  package func int64(_ column: StaticString) -> Int64 { Int64(bigEndian: bytes(column).load(as: Int64.self)) }

  package func float64(_ column: StaticString) -> Double {
    Double(bitPattern: UInt64(bigEndian: bytes(column).load(as: UInt64.self)))
  }

  package func optionalString(_ column: StaticString) -> String? { isNull(column) ? nil : string(column) }
  package func optionalBool(_ column: StaticString) -> Bool? { isNull(column) ? nil : bool(column) }
  package func optionalInt32(_ column: StaticString) -> Int32? { isNull(column) ? nil : int32(column) }
  package func optionalInt64(_ column: StaticString) -> Int64? { isNull(column) ? nil : int64(column) }
  package func optionalFloat64(_ column: StaticString) -> Double? { isNull(column) ? nil : float64(column) }

  /// PQfnumber folds a name as SQL does (manual, PQfnumber); the names of our statements are in lower case.
  private func number(_ column: StaticString) -> Int32 {
    let number = column.withUTF8Buffer { name in
      unsafe PQfnumber(result, UnsafeRawPointer(name.baseAddress!).assumingMemoryBound(to: CChar.self))
    }
    precondition(number >= 0, "the statement returns no column \(column)")
    return number
  }
}

extension QueryResult {
  /// Calls `body` with each row in turn.
  package borrowing func forEachRow<E>(_ body: (borrowing Row) throws(E) -> Void) throws(E) {
    for row in 0..<rowCount { try body(self[row]) }
  }

  /// The results of `transform` for each row.
  package borrowing func map<T, E>(_ transform: (borrowing Row) throws(E) -> T) throws(E) -> [T] {
    var values: [T] = []
    values.reserveCapacity(rowCount)
    for row in 0..<rowCount { values.append(try transform(self[row])) }
    return values
  }

  /// The result of `transform` for the first row; nil when there is none.
  package borrowing func first<T, E>(_ transform: (borrowing Row) throws(E) -> T) throws(E) -> T? {
    isEmpty ? nil : try transform(self[0])
  }

  /// One row, counted from 0.
  package subscript(row: Int) -> Row {
    @_lifetime(borrow self)
    get {
      precondition(row >= 0 && row < rowCount, "there is no such row")
      return unsafe Row(row, of: self, handle)
    }
  }
}
