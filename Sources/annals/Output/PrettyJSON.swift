/// JSON text over several lines, for people. Values stay as they are written; only the space between them changes.
enum PrettyJSON {
  /// The lines, indented by two spaces a level.
  static func lines(_ json: String) -> [String] {
    var lines: [String] = []
    var line = ""
    var (depth, inString, isEscaped) = (0, false, false)
    func endLine() {
      if !line.isEmpty { lines.append(line) }
      line = String(repeating: "  ", count: depth)
    }
    var previous: Character = " "
    for character in json {
      if inString {
        line.append(character)
        if character == "\"", !isEscaped { inString = false }
        isEscaped = character == "\\" && !isEscaped
        continue
      }
      switch character {
      case "{", "[":
        line.append(character)
        depth += 1
        endLine()
      case "}", "]":
        depth -= 1
        if previous == "{" || previous == "[" {
          line = lines.removeLast()
        } else {
          endLine()
        }
        line.append(character)
      case ",":
        line.append(character)
        endLine()
      case ":": line += ": "
      case " ": continue
      default:
        inString = character == "\""
        line.append(character)
      }
      previous = character
    }
    return lines + [line]
  }
}
