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

  /// A JSON string: quotes, backslashes and control characters are escaped (RFC 8259, section 7).
  static func quote(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case "\r": quoted += "\\r"
      case "\0"..<" ", "\u{7F}":
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
