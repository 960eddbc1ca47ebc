extension Parameter {
  package static func textArray(_ values: [String]?) -> Parameter {
    guard let values else { return Parameter(.textArray, nil) }
    return array(.textArray, of: .text, values) { value, bytes in
      bytes += value.utf8
      return true
    }
  }

  package static func textArray(utf8 values: [[UInt8]]) -> Parameter {
    array(.textArray, of: .text, values) { value, bytes in
      bytes += value
      return true
    }
  }

  package static func int4Array(_ values: [Int32]) -> Parameter {
    array(.int4Array, of: .int4, values) { value, bytes in
      bytes.append(bigEndian: value)
      return true
    }
  }

  package static func int8Array(_ values: [Int64]) -> Parameter {
    array(.int8Array, of: .int8, values) { value, bytes in
      bytes.append(bigEndian: value)
      return true
    }
  }

  /// Each value's bytes as two numbers, most significant byte first.
  package static func uuidArray(_ values: [(high: UInt64, low: UInt64)]) -> Parameter {
    array(.uuidArray, of: .uuid, values) { value, bytes in
      bytes.append(bigEndian: value.high)
      bytes.append(bigEndian: value.low)
      return true
    }
  }

  /// Microseconds since 2000-01-01 00:00 UTC.
  package static func timestamptzArray(_ values: [Int64?]) -> Parameter {
    array(.timestamptzArray, of: .timestamptz, values) { value, bytes in
      guard let value else { return false }
      bytes.append(bigEndian: value)
      return true
    }
  }

  /// `values` are JSON texts; the server checks them.
  package static func jsonbArray(_ values: [ArraySlice<UInt8>?]) -> Parameter {
    array(.jsonbArray, of: .jsonb, values) { value, bytes in
      guard let value else { return false }
      bytes.append(jsonbVersion)
      bytes += value
      return true
    }
  }

  /// One-dimensional array (array_recv in arrayfuncs.c).
  ///
  /// - Parameter append: adds an element's bytes, or returns false for NULL.
  private static func array<Element>(
    _ type: TypeID,
    of element: TypeID,
    _ values: [Element],
    _ append: (Element, inout [UInt8]) -> Bool
  ) -> Parameter {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: values.isEmpty ? 0 : 1 as Int32)
    // The server looks for NULLs itself, and only requires the flag to be 0 or 1.
    bytes.append(bigEndian: 1 as Int32)
    bytes.append(bigEndian: element.rawValue)
    guard !values.isEmpty else { return Parameter(type, bytes) }
    bytes.append(bigEndian: Int32(values.count))
    bytes.append(bigEndian: 1 as Int32)
    for value in values {
      let place = bytes.count
      bytes.append(bigEndian: -1 as Int32)
      guard append(value, &bytes) else { continue }
      let length = UInt32(bytes.count - place - 4)
      for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
    }
    return Parameter(type, bytes)
  }
}
