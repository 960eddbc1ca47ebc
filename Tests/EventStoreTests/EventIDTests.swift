import Testing

@testable import EventStore

@Suite struct EventIDTests {
  @Test func readsBothCasesAndWritesLowerCase() {
    let id = EventID("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")
    #expect(id?.description == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
    #expect(id == EventID(high: 0xA0EE_BC99_9C0B_4EF8, low: 0xBB6D_6BB9_BD38_0A11))
  }

  @Test(arguments: [
    "", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111",
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g", "a0eebc99-9c0b-4ef8-bb6d_6bb9bd380a11",
    "a0eebc9-99c0b-4ef8-bb6d-6bb9bd380a11", " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
  ])
  func refuses(_ text: String) {
    #expect(EventID(text) == nil)
  }

  @Test func randomIDsAreOfVersion4AndDiffer() {
    let ids = (0..<100).map { _ in EventID() }
    #expect(Set(ids).count == 100)
    #expect(ids.allSatisfy { $0.high >> 12 & 0xF == 4 && $0.low >> 62 == 0b10 })
  }

  /// RFC 9562, appendix A.4.
  @Test func namesGiveVersion5() throws {
    let dns = try #require(EventID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
    let id = EventID(namespace: dns, name: "www.example.com".utf8)
    #expect(id.description == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
  }

  /// RFC 3174, section 7.3, and the lengths around the padding's boundaries as sha1sum has them.
  @Test(arguments: [
    ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
    (
      String(repeating: "0123456701234567012345670123456701234567012345670123456701234567", count: 10),
      "dea356a2cddd90c7a7ecedc5ebb563934f460452"
    ),
    (String(repeating: "a", count: 55), "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
    (String(repeating: "a", count: 63), "03f09f5b158a7a8cdad920bddc29b81c18a551f5"),
    (String(repeating: "a", count: 64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
  ])
  func hashes(_ message: String, _ digest: String) {
    let words = SHA1.hash(Array(message.utf8)).map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }
    #expect(words.joined() == digest)
  }
}
