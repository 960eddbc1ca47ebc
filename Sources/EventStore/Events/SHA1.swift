internal import LibPQ

/// SHA-1 (RFC 3174), for version 5 UUIDs only: it resists no attacker.
enum SHA1 {
  /// The digest as five words.
  static func hash(_ message: [UInt8]) -> [UInt32] {
    var padded = message
    padded.append(0x80)
    padded.append(contentsOf: repeatElement(0, count: (120 - padded.count % 64) % 64))
    padded.append(bigEndian: UInt64(message.count) * 8)
    var digest: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    for block in stride(from: 0, to: padded.count, by: 64) {
      let words = (0..<16).map { word in
        padded[block + word * 4..<block + word * 4 + 4].reduce(0) { $0 << 8 | UInt32($1) }
      }
      let result = compress(words, into: digest)
      for index in digest.indices { digest[index] &+= result[index] }
    }
    return digest
  }

  private static func compress(_ block: [UInt32], into digest: [UInt32]) -> [UInt32] {
    var words = block
    for index in 16..<80 {
      words.append(
        rotate(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], by: 1)
      )
    }
    var (a, b, c, d, e) = (digest[0], digest[1], digest[2], digest[3], digest[4])
    for (index, word) in words.enumerated() {
      let (function, constant): (UInt32, UInt32) =
        switch index {
        case ..<20: (b & c | ~b & d, 0x5A82_7999)
        case ..<40: (b ^ c ^ d, 0x6ED9_EBA1)
        case ..<60: (b & c | b & d | c & d, 0x8F1B_BCDC)
        default: (b ^ c ^ d, 0xCA62_C1D6)
        }
      (a, b, c, d, e) = (rotate(a, by: 5) &+ function &+ e &+ constant &+ word, a, rotate(b, by: 30), c, d)
    }
    return [a, b, c, d, e]
  }

  private static func rotate(_ word: UInt32, by count: UInt32) -> UInt32 {
    word << count | word >> (32 - count)
  }
}
