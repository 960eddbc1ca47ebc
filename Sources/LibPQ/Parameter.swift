/// A value for a `$n` of a statement, in PostgreSQL's binary format.
///
/// Binary values travel with their length, so that a NUL inside a text reaches the server (which refuses it)
/// instead of silently cutting the text there.
package struct Parameter: Sendable, Hashable {
  let type: TypeID
  /// nil is SQL's NULL.
  let bytes: [UInt8]?

  private init(_ type: TypeID, _ bytes: [UInt8]?) {
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

  package static func textArray(_ values: [String]?) -> Parameter {
    Parameter(.textArray, values.map { array(of: .text, $0.map { Array($0.utf8) }) })
  }
  package static func int4Array(_ values: [Int32]) -> Parameter {
    Parameter(.int4Array, array(of: .int4, values.map { $0.bigEndianBytes }))
  }
  package static func int8Array(_ values: [Int64]) -> Parameter {
    Parameter(.int8Array, array(of: .int8, values.map { $0.bigEndianBytes }))
  }
  package static func uuidArray(_ values: [[UInt8]]) -> Parameter {
    Parameter(.uuidArray, array(of: .uuid, values))
  }
  package static func textArray(utf8 values: [[UInt8]]) -> Parameter {
    Parameter(.textArray, array(of: .text, values))
  }
  package static func timestamptzArray(_ values: [Int64?]) -> Parameter {
    Parameter(.timestamptzArray, array(of: .timestamptz, values.map { $0?.bigEndianBytes }))
  }

  /// `values` are JSON texts; the server checks them.
  package static func jsonbArray(_ values: [ArraySlice<UInt8>?]) -> Parameter {
    Parameter(.jsonbArray, array(of: .jsonb, values.map { $0.map { [jsonbVersion] + $0 } }))
  }

  /// The leading byte of jsonb's binary format (jsonb_send in jsonb.c).
  package static let jsonbVersion: UInt8 = 1

  /// One-dimensional array, nil for NULL (array_recv in arrayfuncs.c).
  private static func array(of element: TypeID, _ values: [[UInt8]?]) -> [UInt8] {
    var bytes: [UInt8] = []
    let dimensions: Int32 = values.isEmpty ? 0 : 1
    bytes += dimensions.bigEndianBytes
    bytes += Int32(values.contains(nil) ? 1 : 0).bigEndianBytes
    bytes += element.rawValue.bigEndianBytes
    guard !values.isEmpty else { return bytes }
    bytes += Int32(values.count).bigEndianBytes
    bytes += Int32(1).bigEndianBytes
    for value in values {
      guard let value else {
        bytes += Int32(-1).bigEndianBytes
        continue
      }
      bytes += Int32(value.count).bigEndianBytes
      bytes += value
    }
    return bytes
  }
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
  package var bigEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: self >> Self($0 * 8)) }
  }
}
