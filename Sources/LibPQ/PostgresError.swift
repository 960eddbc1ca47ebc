internal import CLibPQ

/// An error in the communication with PostgreSQL.
///
/// The fields are those of the server's ErrorResponse message (manual, "Error and Notice Message Fields");
/// a failure that libpq or this library found itself has no `sqlState`.
package struct PostgresError: Error, Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// No connection could be made.
    case cannotConnect
    /// A pooler shares the server's sessions, and the operation needs one of its own.
    case noSession
    /// The connection was lost while it was in use; the outcome of the last statement is not known.
    case connectionLost
    /// The server said nothing for longer than ``Connection/responseTimeout``; the connection was closed.
    case timedOut
    /// The server refused the statement.
    case statement
  }

  package var kind: Kind
  package var message: String
  package var sqlState: String?
  package var detail: String?
  package var hint: String?
  package var context: String?
  package var schema: String?
  package var table: String?
  package var column: String?
  package var constraint: String?
  /// Place of a syntax error in the statement, in characters, from 1.
  package var position: Int?
  /// Place of a syntax error in `internalQuery`, in characters, from 1.
  package var internalPosition: Int?
  package var internalQuery: String?
  /// A character that was sent and that the database's encoding lacks; then `message` has our words, not the server's.
  package private(set) var untranslatable: Unicode.Scalar?
  /// The function of the server's source code that raised it: unlike the message, it is the same in every language.
  package var sourceFunction: String?

  package init(kind: Kind, message: String, sqlState: String? = nil) {
    self.kind = kind
    self.message = message
    self.sqlState = sqlState
  }

  /// Reads the error from a result, before the result is cleared.
  ///
  /// A result without an SQLSTATE was made by libpq itself, which does so when the connection broke
  /// (manual, PQresultErrorField).
  init(result: OpaquePointer) {
    func field(_ code: Int32) -> String? {
      unsafe PQresultErrorField(result, code).map { unsafe String(cString: $0) }
    }
    let state = field(FieldCode.sqlState)
    kind = state == nil || state.map(PostgresError.endsConnection) == true ? .connectionLost : .statement
    sqlState = state
    let wholeMessage = unsafe String(cString: PQresultErrorMessage(result)).trimmingNewlines()
    message = field(FieldCode.messagePrimary) ?? wholeMessage
    detail = field(FieldCode.messageDetail)
    hint = field(FieldCode.messageHint)
    context = field(FieldCode.context)
    schema = field(FieldCode.schemaName)
    table = field(FieldCode.tableName)
    column = field(FieldCode.columnName)
    constraint = field(FieldCode.constraintName)
    position = field(FieldCode.statementPosition).flatMap { Int($0) }
    internalPosition = field(FieldCode.internalPosition).flatMap { Int($0) }
    internalQuery = field(FieldCode.internalQuery)
    sourceFunction = field(FieldCode.sourceFunction)
    nameUntranslatable()
  }

  /// The server names such a character by its bytes, in its own language: `character with byte sequence 0xe2 0x82 0xac
  /// in encoding "UTF8" has no equivalent in encoding "LATIN1"`.
  private mutating func nameUntranslatable() {
    guard sqlState == SQLState.untranslatableCharacter else { return }
    let quoted = message.unicodeScalars.split(separator: "\"", omittingEmptySubsequences: false).map(
      String.init
    )
    let bytes = message.unicodeScalars.split(separator: " ").map(String.init)
      .filter { $0.utf8.starts(with: "0x".utf8) }
      .compactMap { UInt8(String($0.unicodeScalars.dropFirst(2)), radix: 16) }
    guard quoted.count == 5, quoted[1] == "UTF8", let text = String(validating: bytes, as: UTF8.self),
      let scalar = text.unicodeScalars.first
    else { return }
    let digits = String(scalar.value, radix: 16, uppercase: true)
    let code = String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    untranslatable = scalar
    message = "'\(scalar)' (U+\(code)) is no character of \(quoted[3]), the encoding of the database"
    hint = hint ?? "Write it in another way; a database with ENCODING 'UTF8' has all characters."
  }

  /// Class 08 and 57P01 to 57P05 (terminated, crash, shutdown, database dropped, idle) end the session with the statement.
  private static func endsConnection(_ state: String) -> Bool {
    state.utf8.starts(with: "08".utf8) || ["57P01", "57P02", "57P03", "57P04", "57P05"].contains(state)
  }
}

/// The field codes of postgres_ext.h; its macros are C character literals, which Swift does not import.
private enum FieldCode {
  static let sqlState = Int32(UInt8(ascii: "C"))
  static let messagePrimary = Int32(UInt8(ascii: "M"))
  static let messageDetail = Int32(UInt8(ascii: "D"))
  static let messageHint = Int32(UInt8(ascii: "H"))
  static let statementPosition = Int32(UInt8(ascii: "P"))
  static let internalPosition = Int32(UInt8(ascii: "p"))
  static let internalQuery = Int32(UInt8(ascii: "q"))
  static let sourceFunction = Int32(UInt8(ascii: "R"))
  static let context = Int32(UInt8(ascii: "W"))
  static let schemaName = Int32(UInt8(ascii: "s"))
  static let tableName = Int32(UInt8(ascii: "t"))
  static let columnName = Int32(UInt8(ascii: "c"))
  static let constraintName = Int32(UInt8(ascii: "n"))
}

extension String {
  func trimmingNewlines() -> String {
    var scalars = unicodeScalars[...]
    while scalars.last == "\n" || scalars.last == "\r" { scalars.removeLast() }
    return String(scalars)
  }
}
