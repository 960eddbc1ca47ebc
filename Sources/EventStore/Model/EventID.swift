internal import LibPQ

/// The identity of an event: a UUID (RFC 9562) as PostgreSQL's type `uuid` stores it.
///
/// Its own type of two machine words, so that the library needs no Foundation. From Foundation's UUID:
/// `EventID(id.uuidString)`.
public struct EventID: Sendable, Hashable {
  /// The first eight bytes, most significant byte first.
  package let high: UInt64
  /// The last eight bytes, most significant byte first.
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Sets the version and the variant bits (RFC 9562, sections 4.1 and 4.2).
  private init(version: UInt64, high: UInt64, low: UInt64) {
    self.init(
      high: high & ~0xF000 | version << 12,
      low: low & ~(0b11 << 62) | 0b10 << 62
    )
  }

  /// Makes a random id, version 4, from the system's secure generator.
  public init() {
    self.init(version: 4, high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
  }

  /// Makes the id, version 8, of a name in a namespace: the same two always give the same id.
  ///
  /// It is the first 16 bytes of SHA-256 over the namespace's bytes and the name's (RFC 9562, appendix B.2).
  /// `EventStore` derives the ids of split events in SQL by the same rule.
  ///
  /// - Parameters:
  ///   - namespace: the id of the namespace.
  ///   - name: the name's bytes, as UTF-8 when it is a text.
  public init(namespace: EventID, name: some Sequence<UInt8>) {
    var input: [UInt8] = []
    for half in [namespace.high, namespace.low] { input.append(bigEndian: half) }
    input.append(contentsOf: name)
    var hash = SHA256()
    hash.update(input.span)
    let digest = hash.finish().words
    self.init(
      version: 8,
      high: UInt64(digest[0]) << 32 | UInt64(digest[1]),
      low: UInt64(digest[2]) << 32 | UInt64(digest[3])
    )
  }

  /// Reads the canonical form, `8-4-4-4-12` hexadecimal digits of either case; nil for anything else.
  public init?(_ text: String) {
    self.init(utf8: Array(text.utf8).span)
  }

  package init?(utf8 text: Span<UInt8>) {
    guard text.count == 36 else { return nil }
    var halves: (high: UInt64, low: UInt64) = (0, 0)
    for index in 0..<36 {
      if Self.isHyphen(at: index) {
        guard text[index] == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let digit = hexadecimalValue(text[index]) else { return nil }
      if index < 18 {
        halves.high = halves.high << 4 | UInt64(digit)
      } else {
        halves.low = halves.low << 4 | UInt64(digit)
      }
    }
    self.init(high: halves.high, low: halves.low)
  }

  private static func isHyphen(at index: Int) -> Bool {
    index == 8 || index == 13 || index == 18 || index == 23
  }

  /// Appends the canonical form in lower case, as PostgreSQL prints it.
  package func append(to output: inout OutputSpan<UInt8>) {
    var shift: UInt64 = 64
    for index in 0..<36 {
      if Self.isHyphen(at: index) {
        output.append(UInt8(ascii: "-"))
        continue
      }
      if shift == 0 { shift = 64 }
      shift -= 4
      let half = index < 18 ? high : low
      output.append(hexadecimalDigit(UInt8(truncatingIfNeeded: half >> shift) & 0x0F))
    }
  }
}

extension EventID: CustomStringConvertible {
  /// The canonical form in lower case.
  public var description: String {
    let text = [UInt8](capacity: 36) { append(to: &$0) }
    return String(decoding: text, as: UTF8.self)
  }
}
