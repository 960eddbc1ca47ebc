import EventStore
import FoundationEssentials
import TestSupport
import Testing

@testable import annals

/// Anybody who may append an event chooses ids, types and payloads; anybody who can reach the server chooses addresses.
@Suite struct BrowseHostileTests {
  private static let ids = [
    "..", ".", "<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "\u{202E}gnp.exe",
    "a/b?c=d&e#f",
    "\"'><b>", "a\u{301}", "%2e%2e", "a.json", "{{7*7}}", "//evil.example", "javascript:alert(1)", "a\n\tb",
  ]

  /// Events of those ids, types and payloads; one has 3 MB, and one is too deep for a page to indent.
  static let events: String = {
    let values = ids.map { id in
      let text = "$q$\(id)$q$"
      return """
        (\(text), \(text), jsonb_build_object(\(text), \(text)), 1, jsonb_build_object('correlation_id', \(text))),
        (\(text), \(text), jsonb_build_object('n', '1e131071'::numeric, 'd', \(text)), 2, NULL)
        """
    }
    return """
      INSERT INTO events (aggregate_id, event_type, event_data, version, metadata) VALUES
      \(values.joined(separator: ",\n")),
      ('big-1', 'Big', jsonb_build_object('a', repeat('<b>x', 800000)), 1, NULL),
      ('deep-1', 'Deep', (repeat('[', 2000) || repeat(']', 2000))::jsonb, 1, NULL)
      """
  }()

  @Test func noPageHoldsMarkupOfAnother() async throws {
    try await BrowsePagesTests.withShop(Self.events) { shop in
      for target in Self.targets {
        let answer = try await shop.ask(target)
        let page = String(decoding: answer.body, as: UTF8.self)
        #expect(answer.status == 200, "\(target)")
        for markup in ["<img", "<script>", "<b>", "\u{202E}", "href=\"//", "href=\"javascript"] {
          #expect(!page.contains(markup), "\(target): \(markup)")
        }
        #expect(page.utf8.count < 2_000_000, "\(target): \(page.utf8.count)")
      }
    }
  }

  /// Every page of such a store.
  static let targets: [String] = {
    let ofIDs = ids.flatMap { id -> [PageAddress] in
      [
        PageAddress(.stream(id)), PageAddress(.stream(id), [("version", "1")]), PageAddress(.difference(id)),
        PageAddress(.type(id)), PageAddress(.trace(id)), PageAddress(.events, [("type", id)]),
        PageAddress(.compare, [("stream", id), ("stream", "big-1")]),
      ]
    }
    let fixed: [PageAddress] = [
      PageAddress(.start), PageAddress(.events), PageAddress(.streams), PageAddress(.types),
      PageAddress(.checks),
      PageAddress(.help), PageAddress(.stream("big-1")), PageAddress(.stream("deep-1")),
      PageAddress(.projections),
      PageAddress(.deadLetters), PageAddress(.event(.position(1))), PageAddress(.event(.position(2))),
    ]
    return (fixed + ofIDs).map(\.text)
  }()

  /// Numbers larger than any in a store.
  @Test func addressesOfNumbers() async throws {
    try await BrowsePagesTests.withShop(
      "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a-1', 'Added', '{}', 1)"
    ) { shop in
      for number in [
        "\(Int64.min)", "\(Int64.min + 1)", "-1", "0", "\(Int64.max - 1)", "\(Int64.max)",
        "9223372036854775808", "1e9",
      ] {
        for target in [
          "/events?before=#", "/events?after=#", "/events?before=#&category=a", "/events?after=#&category=a",
          "/events/@#",
          "/streams/a-1?version=#", "/streams/a-1/diff?to=#", "/streams/a-1/diff?from=#", "/dead-letters/a/#",
          "/go?to=#",
          "/go?to=@#",
        ] {
          let answer = try await shop.ask(target.replacing("#", with: number))
          #expect([200, 303, 400, 404].contains(answer.status), "\(target) \(number)")
        }
      }
    }
  }

  /// Each name leads to its page and no other.
  @Test func addressesOfNames() throws {
    for id in Self.ids {
      for place in [
        PageAddress.Place.stream(id), .difference(id), .type(id), .trace(id), .deadLetter(id, position: 7),
      ] {
        let text = PageAddress(place, [("from", "1")]).text
        #expect(PageAddress(text)?.place == place, "\(text)")
        #expect(!text.utf8.starts(with: "//".utf8) && !text.contains("/../") && !text.hasSuffix("/.."))
      }
    }
    for text in [
      "", "events", "//", "/streams/", "/streams/a/b", "/streams/%", "/streams/%zz", "/streams/%00",
      "/streams/%ff", "/%",
      "/events/x", "/events/@", "/dead-letters/a/b", "/a?%", "/?" + String(repeating: "a&", count: 40),
      "/" + String(repeating: "a", count: 9000),
    ] {
      #expect(PageAddress(text) == nil, "\(text)")
    }
  }

  /// Whatever bytes arrive, no code of ours ends the process, and each valid request is parsed in only one way.
  ///
  /// ANNALS_FUZZ_SECONDS makes it run longer, from another seed.
  @Test func anyBytes() {
    let seconds = ProcessInfo.processInfo.environment["ANNALS_FUZZ_SECONDS"].flatMap(Double.init)
    var random = SplitMix64(state: seconds == nil ? 42 : .random(in: 0 ... .max))
    let end = ContinuousClock.now + .seconds(seconds ?? 0)
    var rounds = 0
    let login = BrowseLogin(name: "1")
    repeat {
      for _ in 0..<1000 {
        let bytes = Self.bytes(&random)
        let text = String(decoding: bytes, as: UTF8.self)
        if let address = PageAddress("/" + text) {
          #expect(PageAddress(address.text)?.place == address.place, "\(text.debugDescription)")
        }
        if let decoded = PercentCoding.decode(bytes) {
          #expect(PercentCoding.decode(Array(PercentCoding.encode(decoded).utf8)) == decoded)
        }
        _ = RequestRules.refusal(ofHead: bytes)
        let request = BrowseRequest(method: "GET", target: text, fields: [("host", text), ("cookie", text)])
        #expect(
          RequestRules.refusal(of: request) != nil || ["localhost", "127.0.0.1", "[::1]"].contains(text)
        )
        #expect(login.answer(to: request) != nil)
        _ = JSONKeys.only(text)
      }
      rounds += 1
    } while ContinuousClock.now < end || rounds < 5
    if seconds != nil { print("\(rounds * 1000) texts") }
  }

  /// Random pieces of valid requests, with a random byte here and there.
  private static func bytes(_ random: inout SplitMix64) -> [UInt8] {
    let pieces = [
      "streams", "/", "?", "&", "=", "%2e", "%", "..", "events", "@", "1", "id=", "version=", "%00", "%ff",
      "GET ", " HTTP/1.1",
      "\r\n", "\r", "\n", "Host: ", "localhost", ":", "annals-1=", ";", " ", "{", "\"", "\\", "dead-letters",
      "\u{301}", "view=diff",
    ]
    return (0..<Int.random(in: 0...12, using: &random)).flatMap { _ -> [UInt8] in
      Bool.random(using: &random) || Bool.random(using: &random)
        ? Array(pieces.randomElement(using: &random)!.utf8) : [UInt8.random(in: 0...255, using: &random)]
    }
  }
}
