import LibPQ
import Testing

@testable import EventStore

@Suite struct SHA256Tests {
  /// FIPS 180-4's published examples ("Cryptographic Standards and Guidelines, Examples with Intermediate Values",
  /// SHA-256), and the lengths around the padding's boundaries as sha256sum has them.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    (String(repeating: "a", count: 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
    (String(repeating: "a", count: 56), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
    (String(repeating: "a", count: 63), "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"),
    (String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
  ])
  func hashes(_ message: String, _ digest: String) {
    #expect(hash(of: [Array(message.utf8)]) == digest)
  }

  @Test func hashesAMillionLetters() {
    let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
    #expect(
      hash(of: Array(repeating: piece, count: 1000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    )
  }

  /// The pieces in which a message arrives make no difference, also where they do not end at a word.
  @Test(arguments: [1, 3, 4, 63, 64, 65])
  func hashesInPieces(_ size: Int) {
    let message = [UInt8]((0..<200).map { UInt8($0) })
    let pieces = stride(from: 0, to: message.count, by: size).map {
      Array(message[$0..<min($0 + size, message.count)])
    }
    #expect(hash(of: pieces) == hash(of: [message]))
  }

  /// The processor's instructions and Swift agree, wherever whole blocks begin.
  @Test func hashesWithoutInstructions() {
    let message = [UInt8]((0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    for (first, count) in [(0, 64), (0, 1000), (1, 999), (63, 500), (64, 640), (65, 129)] {
      let results = [true, false].map { isByInstructions in
        var hash = SHA256(usingInstructions: isByInstructions && SHA256Instructions.areThere)
        hash.update(message.span.extracting(0..<first))
        hash.update(message.span.extracting(first..<first + count))
        return hash.finish().description
      }
      #expect(results[0] == results[1])
      #expect(results[0] == self.hash(of: message[..<(first + count)].map { [$0] }))
    }
  }

  private func hash(of pieces: [[UInt8]]) -> String {
    var hash = SHA256()
    for piece in pieces { hash.update(piece.span) }
    return hash.finish().description
  }
}
