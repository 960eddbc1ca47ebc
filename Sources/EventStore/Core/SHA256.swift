internal import LibPQ

/// SHA-256 (FIPS 180-4, sections 5 and 6.2), computed piece by piece.
///
/// PostgreSQL hashes the events, but has no aggregate that chains those hashes.
package struct SHA256 {
  private var state: InlineArray<8, UInt32> = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  private var block = InlineArray<16, UInt32>(repeating: 0)
  private var byteCount = 0
  private let usesInstructions: Bool

  /// - Parameter usesInstructions: whether whole blocks are hashed by the processor's own instructions.
  init(usingInstructions usesInstructions: Bool = SHA256Instructions.areThere) {
    self.usesInstructions = usesInstructions
  }

  mutating func update(_ bytes: Span<UInt8>) {
    var index = 0
    while index < bytes.count, !byteCount.isMultiple(of: 64) {
      update(bytes[index])
      index += 1
    }
    let whole = (bytes.count - index) / 64 * 64
    if whole > 0, usesInstructions {
      let blocks = bytes.extracting(index..<index + whole)
      SHA256Instructions.update(&state, constants: Self.constants, blocks)
      byteCount += whole
      index += whole
    }
    // By words: bytes take twice the time.
    while bytes.count - index >= 64 {
      for word in 0..<16 {
        let place = index + word * 4
        block[word] =
          UInt32(bytes[place]) << 24 | UInt32(bytes[place + 1]) << 16 | UInt32(bytes[place + 2]) << 8
          | UInt32(bytes[place + 3])
      }
      byteCount += 64
      compress()
      index += 64
    }
    while index < bytes.count {
      update(bytes[index])
      index += 1
    }
  }

  mutating func update(_ digest: Digest) {
    for index in digest.words.indices { update(word: digest.words[index]) }
  }

  mutating func update(word: UInt32) {
    guard byteCount.isMultiple(of: 4) else {
      for shift in stride(from: UInt32(24), through: 0, by: -8) {
        update(UInt8(truncatingIfNeeded: word >> shift))
      }
      return
    }
    block[byteCount / 4 % 16] = word
    advance(by: 4)
  }

  private mutating func update(_ byte: UInt8) {
    let word = byteCount / 4 % 16
    block[word] = block[word] << 8 | UInt32(byte)
    advance(by: 1)
  }

  private mutating func advance(by count: Int) {
    byteCount += count
    if byteCount.isMultiple(of: 64) { compress() }
  }

  /// The digest of all bytes that were added.
  consuming func finish() -> Digest {
    let bits = UInt64(byteCount) * 8
    update(0x80)
    while byteCount % 64 != 56 { update(0) }
    update(word: UInt32(truncatingIfNeeded: bits >> 32))
    update(word: UInt32(truncatingIfNeeded: bits))
    return Digest(words: state)
  }

  struct Digest: Equatable, CustomStringConvertible {
    var words: InlineArray<8, UInt32>

    static func == (left: Digest, right: Digest) -> Bool {
      left.words.indices.allSatisfy { left.words[$0] == right.words[$0] }
    }

    /// 64 hexadecimal digits.
    var description: String {
      words.indices.map { index in
        let digits = String(words[index], radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
      }.joined()
    }
  }

  private mutating func compress() {
    var words = InlineArray<64, UInt32>(repeating: 0)
    for index in 0..<16 { words[index] = block[index] }
    for index in 16..<64 {
      let (early, late) = (words[index - 15], words[index - 2])
      let sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ early >> 3
      let sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ late >> 10
      words[index] = words[index - 16] &+ sigma0 &+ words[index - 7] &+ sigma1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for index in 0..<64 {
      let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let first = h &+ sum1 &+ (e & f ^ ~e & g) &+ Self.constants[index] &+ words[index]
      let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let second = sum0 &+ (a & b ^ a & c ^ b & c)
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
    }
    let sums: InlineArray<8, UInt32> = [a, b, c, d, e, f, g, h]
    for index in sums.indices { state[index] &+= sums[index] }
  }

  private func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word >> count | word << (32 - count)
  }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let constants: InlineArray<64, UInt32> = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
  ]
}

extension SHA256 {
  /// The 32 bytes of the hash of a text, in the form in which a Content Security Policy allows it.
  package static func hash(of text: String) -> [UInt8] {
    var hash = SHA256()
    let bytes = Array(text.utf8)
    hash.update(bytes.span)
    let digest = hash.finish()
    return digest.words.indices.flatMap { index in
      stride(from: UInt32(24), through: 0, by: -8).map {
        UInt8(truncatingIfNeeded: digest.words[index] >> $0)
      }
    }
  }
}
