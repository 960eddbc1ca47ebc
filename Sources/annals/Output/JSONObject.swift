internal import EventStore

/// Builds one JSON object, member by member, in the order in which they are added.
struct JSONObject {
  private var members: [String] = []

  var text: String { "{" + members.joined(separator: ",") + "}" }

  mutating func add(_ name: String, _ value: String) { add(name, json: JSONObject.quote(value)) }
  mutating func add(_ name: String, _ value: Int64) { add(name, json: String(value)) }
  mutating func add(_ name: String, _ value: Bool) { add(name, json: String(value)) }

  /// Adds a member whose value is JSON already.
  mutating func add(_ name: String, json: String) {
    members.append("\(JSONObject.quote(name)):\(json)")
  }

  /// A JSON string: quotes, backslashes and characters that are unsafe to show are escaped (RFC 8259, section 7).
  static func quote(_ text: String) -> String {
    var quoted = String.UnicodeScalarView(["\""])
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted.append(contentsOf: ["\\", scalar])
      case "\n": quoted.append(contentsOf: ["\\", "n"])
      case "\t": quoted.append(contentsOf: ["\\", "t"])
      case "\r": quoted.append(contentsOf: ["\\", "r"])
      case _ where scalar.isUnsafeToShow: appendEscape(of: scalar, to: &quoted)
      default: quoted.append(scalar)
      }
    }
    quoted.append("\"")
    return String(quoted)
  }

  /// A JSON array of strings.
  static func list(_ texts: [String]) -> String { "[\(texts.map(quote).joined(separator: ","))]" }

  /// Writes a character by its UTF-16 units, as in JSON.
  static func appendEscape(of scalar: Unicode.Scalar, to text: inout String.UnicodeScalarView) {
    for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
      let hex = String(unit, radix: 16)
      text.append(
        contentsOf: ("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex).unicodeScalars
      )
    }
  }
}
