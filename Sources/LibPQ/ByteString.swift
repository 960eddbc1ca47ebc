/// A text that is compared as PostgreSQL compares text under COLLATE "C": by its bytes in UTF-8.
///
/// `String` compares by canonical equivalence (Unicode Standard, section 3.7): "é" as one scalar and as two are equal,
/// and one key of a dictionary, but to PostgreSQL they are two event types, aggregates or columns. So names from
/// the database or from operators' files have this type wherever they are compared, looked up or
/// sorted; `make lint` refuses sets and dictionaries of `String`.
package struct ByteString: Sendable, Hashable, Comparable {
  package let string: String

  package init(_ string: String) {
    self.string = string
  }

  package init(_ string: Substring) {
    self.string = String(string)
  }

  package static func == (left: ByteString, right: ByteString) -> Bool {
    let (left, right) = (left.string.utf8, right.string.utf8)
    return left.count == right.count && left.elementsEqual(right)
  }

  package static func < (left: ByteString, right: ByteString) -> Bool {
    left.string.utf8.lexicographicallyPrecedes(right.string.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    var string = string
    string.withUTF8 { bytes in unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes)) }
    // So that two texts one after the other hash differently from two others with the same joined bytes.
    hasher.combine(0xFF as UInt8)
  }
}

extension ByteString: ExpressibleByStringLiteral, CustomStringConvertible {
  package init(stringLiteral value: String) {
    self.init(value)
  }

  package var description: String { string }
}

extension String {
  /// Whether two texts have the same bytes, which `==` does not tell.
  package func hasSameBytes(as other: String) -> Bool { ByteString(self) == ByteString(other) }
}

/// An event type or another stored text as a string constant in SQL.
package func quoteLiteral(_ text: ByteString) -> String { quoteLiteral(text.string) }

extension Parameter {
  package static func textArray(_ values: [ByteString]) -> Parameter { .textArray(values.map(\.string)) }
}
