internal import ArgumentParser

/// How records are printed.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case table
  case ndjson
  case json
  case csv

  var isJSON: Bool { self == .json || self == .ndjson }

  /// The format from the option, or from the variable; nil without either.
  static func resolve(_ given: OutputFormat?) throws -> OutputFormat? {
    try MirroredOption.output.resolve(given) { text in
      guard let format = OutputFormat(rawValue: text) else {
        let known = allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(text)' is not an output format; choose from \(known)")
      }
      return format
    }
  }

  /// The requested format, also if the command line is wrong elsewhere.
  static func requested(in arguments: [String]) -> OutputFormat {
    for (index, argument) in arguments.enumerated() {
      if argument == "--" { break }
      if ["-o", "--output"].contains(argument), index + 1 < arguments.count {
        return OutputFormat(rawValue: arguments[index + 1]) ?? .table
      }
      for prefix in ["-o", "--output="] where argument.utf8.starts(with: prefix.utf8) {
        if let format = OutputFormat(
          rawValue: String(argument.unicodeScalars.dropFirst(prefix.unicodeScalars.count))
        ) {
          return format
        }
      }
    }
    return (try? resolve(nil)).flatMap(\.self) ?? .table
  }
}
