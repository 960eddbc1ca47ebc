/// A value for a `$n` of a statement, in PostgreSQL's binary format.
///
/// Binary values are sent with their length, so a NUL inside a text reaches the server (which refuses it)
/// instead of silently cutting the text there.
package struct Parameter: Sendable, Hashable {
  let type: TypeID
  /// nil is SQL's NULL.
  let bytes: [UInt8]?

  init(_ type: TypeID, _ bytes: [UInt8]?) {
    self.type = type
    self.bytes = bytes
  }

  package static func text(_ value: String?) -> Parameter { Parameter(.text, value.map { Array($0.utf8) }) }
  package static func text(utf8 value: [UInt8]) -> Parameter { Parameter(.text, value) }
  package static func int4(_ value: Int32?) -> Parameter { Parameter(.int4, value.map { $0.bigEndianBytes }) }
  package static func int8(_ value: Int64?) -> Parameter { Parameter(.int8, value.map { $0.bigEndianBytes }) }
  package static func bool(_ value: Bool?) -> Parameter { Parameter(.bool, value.map { [$0 ? 1 : 0] }) }
  package static func bytea(_ value: [UInt8]?) -> Parameter { Parameter(.bytea, value) }
  package static func float8(_ value: Double?) -> Parameter {
    Parameter(.float8, value.map { $0.bitPattern.bigEndianBytes })
  }

  /// `value` holds the 16 bytes of a UUID.
  package static func uuid(_ value: [UInt8]?) -> Parameter {
    precondition(value == nil || value?.count == 16)
    return Parameter(.uuid, value)
  }

  /// `value` is JSON text; the server checks it.
  package static func jsonb(_ value: [UInt8]?) -> Parameter {
    Parameter(.jsonb, value.map { [jsonbVersion] + $0 })
  }

  /// Microseconds since 2000-01-01 00:00 UTC.
  package static func timestamptz(_ value: Int64?) -> Parameter {
    Parameter(.timestamptz, value.map { $0.bigEndianBytes })
  }

  /// The leading byte of jsonb's binary format (jsonb_send in jsonb.c).
  package static let jsonbVersion: UInt8 = 1
}

/// The fixed object ids of built-in types (pg_type.dat).
package enum TypeID: UInt32, Sendable {
  case bool = 16
  case bytea = 17
  case int8 = 20
  case int4 = 23
  case text = 25
  case float8 = 701
  case int4Array = 1007
  case textArray = 1009
  case int8Array = 1016
  case timestamptz = 1184
  case timestamptzArray = 1185
  case uuid = 2950
  case uuidArray = 2951
  case jsonb = 3802
  case jsonbArray = 3807
}

extension FixedWidthInteger {
  var bigEndianBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: self)
    return bytes
  }
}

extension [UInt8] {
  @inlinable
  package mutating func append(bigEndian value: some FixedWidthInteger) {
    unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
  }
}
