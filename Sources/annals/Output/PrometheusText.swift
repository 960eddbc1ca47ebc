internal import EventStore

/// The text format that Prometheus reads (its documentation, "Exposition formats").
struct PrometheusText {
  private var lines: [String] = []
  private let prefix: String

  /// - Parameter prefix: the beginning of all names of metrics.
  init(prefix: String) { self.prefix = prefix }

  var text: String { lines.joined(separator: "\n") + "\n" }

  /// Adds a gauge; a value that is not known is left out.
  mutating func add(_ name: String, _ help: String, _ samples: [(labels: [(String, String)], value: String?)])
  {
    lines += ["# HELP \(prefix)\(name) \(help)", "# TYPE \(prefix)\(name) gauge"]
    for case (let labels, let value?) in samples {
      let text = labels.map { "\($0)=\(Self.quote($1))" }.joined(separator: ",")
      lines.append("\(prefix)\(name)\(text.isEmpty ? "" : "{\(text)}") \(value)")
    }
  }

  /// A label's value. The format has three escapes; other unsafe characters are escaped as for people.
  static func quote(_ text: String) -> String {
    var quoted = String.UnicodeScalarView(["\""])
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted.append(contentsOf: ["\\", scalar])
      case "\n": quoted.append(contentsOf: ["\\", "n"])
      case _ where scalar.isUnsafeToShow:
        quoted.append(contentsOf: ("\\" + TextEscaping.forPeople(String(scalar))).unicodeScalars)
      default: quoted.append(scalar)
      }
    }
    quoted.append("\"")
    return String(quoted)
  }
}
