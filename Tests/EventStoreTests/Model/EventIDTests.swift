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

  /// RFC 9562, appendix B.2.
  @Test func namesGiveVersion8() throws {
    let dns = try #require(EventID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
    let id = EventID(namespace: dns, name: "www.example.com".utf8)
    #expect(id.description == "5c146b14-3c52-8afd-938a-375d0df1fbf6")
  }
}
