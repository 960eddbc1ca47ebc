/// JSON text over several lines, for people. Values stay as they are; only the space between them changes.
///
/// It goes by scalars: a combining mark after a quote would make another character of it.
enum PrettyJSON {
  /// The lines, indented by two spaces for each level.
  static func lines(_ json: String) -> [String] {
    var lines: [String] = []
    var line = ""
    var (depth, inString, isEscaped) = (0, false, false)
    func endLine() {
      if !line.isEmpty { lines.append(line) }
      line = String(repeating: "  ", count: depth)
    }
    var previous: Unicode.Scalar = " "
    for scalar in json.unicodeScalars {
      if inString {
        line.unicodeScalars.append(scalar)
        if scalar == "\"", !isEscaped { inString = false }
        isEscaped = scalar == "\\" && !isEscaped
        continue
      }
      switch scalar {
      case "{", "[":
        line.unicodeScalars.append(scalar)
        depth += 1
        endLine()
      case "}", "]":
        depth -= 1
        if previous == "{" || previous == "[" {
          line = lines.removeLast()
        } else {
          endLine()
        }
        line.unicodeScalars.append(scalar)
      case ",":
        line.unicodeScalars.append(scalar)
        endLine()
      case ":": line += ": "
      case " ": continue
      default:
        inString = scalar == "\""
        line.unicodeScalars.append(scalar)
      }
      previous = scalar
    }
    return lines + [line]
  }
}
