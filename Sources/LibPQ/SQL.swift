/// A statement in which every interpolated value is a bound parameter.
///
/// ```swift
/// let sql: SQL = "SELECT count(*) FROM \(raw: table.sql) WHERE aggregate_id = \(id) AND version > \(version)"
/// ```
///
/// A value can only become text through an explicit interpolation: `identifier:` quotes a name, `raw:` inserts SQL
/// that was quoted before. Statements can be inserted into each other and joined; the parameters are numbered at the
/// end.
package struct SQL: Sendable, Hashable {
  private enum Piece: Sendable, Hashable {
    case text(String)
    case value(Parameter)
  }

  private var pieces: [Piece] = []

  /// SQL without values.
  package init(raw text: String) {
    pieces = [.text(text)]
  }

  /// The statement with `$1`, `$2` … in place of its values.
  package var text: String { text(after: 0) }

  /// The same as a part of a text that has `count` values before it.
  package func text(after count: Int) -> String {
    text { "$\(count + $0 + 1)" }
  }

  /// The statement with SQL in place of its values, in their order: for statements that take no parameters.
  package func text(naming names: [String]) -> String {
    text { names[$0] }
  }

  private func text(_ name: (Int) -> String) -> String {
    var text = ""
    var number = 0
    for piece in pieces {
      switch piece {
      case .text(let part): text += part
      case .value:
        text += name(number)
        number += 1
      }
    }
    return text
  }

  /// The values, in the order of their numbers.
  package var parameters: [Parameter] {
    pieces.compactMap { piece in
      if case .value(let value) = piece { value } else { nil }
    }
  }

  package static func += (sql: inout SQL, more: SQL) {
    sql.pieces += more.pieces
  }

  package static func + (first: SQL, second: SQL) -> SQL {
    var sql = first
    sql += second
    return sql
  }
}

extension SQL: ExpressibleByStringInterpolation {
  package init(stringLiteral text: String) {
    self.init(raw: text)
  }

  package init(stringInterpolation: StringInterpolation) {
    self = stringInterpolation.sql
  }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var sql = SQL(raw: "")

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ text: String) {
      sql.pieces.append(.text(text))
    }

    package mutating func appendInterpolation(_ value: Parameter) {
      sql.pieces.append(.value(value))
    }

    package mutating func appendInterpolation(_ value: some SQLValue) {
      sql.pieces.append(.value(value.parameter))
    }

    package mutating func appendInterpolation<Value: SQLValue>(_ value: Value?) {
      sql.pieces.append(.value(value?.parameter ?? Value.null))
    }

    /// A statement, or a part of one, with its own values.
    package mutating func appendInterpolation(_ part: SQL) {
      sql += part
    }

    /// A name of a schema, a table or a column.
    package mutating func appendInterpolation(identifier name: String) {
      sql.pieces.append(.text(quoteIdentifier(name)))
    }

    /// SQL without values, or with values that were quoted before.
    package mutating func appendInterpolation(raw text: String) {
      sql.pieces.append(.text(text))
    }
  }
}

extension [SQL] {
  /// The parts joined to one statement, with `separator` between them.
  package func joined(separator: SQL) -> SQL {
    var all = SQL(raw: "")
    for (index, part) in enumerated() {
      if index > 0 { all += separator }
      all += part
    }
    return all
  }
}

/// A Swift value that has one type in PostgreSQL.
package protocol SQLValue {
  var parameter: Parameter { get }
  /// SQL's NULL, as a value of this type.
  static var null: Parameter { get }
}

extension String: SQLValue {
  package var parameter: Parameter { .text(self) }
  package static var null: Parameter { .text(nil) }
}

extension Int32: SQLValue {
  package var parameter: Parameter { .int4(self) }
  package static var null: Parameter { .int4(nil) }
}

extension Int64: SQLValue {
  package var parameter: Parameter { .int8(self) }
  package static var null: Parameter { .int8(nil) }
}

extension Bool: SQLValue {
  package var parameter: Parameter { .bool(self) }
  package static var null: Parameter { .bool(nil) }
}

extension Double: SQLValue {
  package var parameter: Parameter { .float8(self) }
  package static var null: Parameter { .float8(nil) }
}
