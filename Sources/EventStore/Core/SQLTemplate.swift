internal import LibPQ

/// SQL with places to fill: a `.sql` file of this target, in which `{name}` outside of comments is a place.
///
/// The file is scanned once, and the inserted texts never: they may hold anything, also another `{name}`. Names are
/// declared where the template is declared, so a misspelt one ends the program at its first use, which is in a test.
struct SQLTemplate: Sendable {
  private enum Part: Sendable {
    case text(String)
    case place(String)
  }

  private let parts: [Part]
  /// The names of the places.
  let names: Set<String>  // ASCII

  /// - Parameters:
  ///   - file: the bytes of the `.sql` file.
  ///   - names: its places, all of them and no others.
  init(_ file: [UInt8], _ names: String...) {
    parts = Self.parts(of: String(decoding: file, as: UTF8.self))
    self.names = Set(names)
    let places = Set(
      parts.compactMap { part -> String? in
        if case .place(let name) = part { name } else { nil }
      }
    )
    precondition(
      places == self.names,
      "places \(places.sorted()) of a template are declared as \(names.sorted())"
    )
  }

  /// The SQL of a template without places.
  var sql: String { filled([:]) }

  /// The SQL with texts of SQL in its places.
  ///
  /// - Parameters:
  ///   - values: a text for each place.
  ///   - common: texts that several templates share; this one takes those that it has a place for.
  func filled(_ values: [String: String], from common: [String: String] = [:]) -> String {  // ASCII
    statement(values.mapValues(SQL.init(raw:)), from: common.mapValues(SQL.init(raw:))).text
  }

  /// The SQL with statements, or parts of some, in its places, together with their values.
  func statement(_ values: [String: SQL] = [:], from common: [String: SQL] = [:]) -> SQL {  // ASCII
    precondition(names.isSuperset(of: values.keys), "no place for one of \(values.keys.sorted())")
    return parts.map { part in
      switch part {
      case .text(let text): return SQL(raw: text)
      case .place(let name):
        guard let value = values[name] ?? common[name] else {
          preconditionFailure("nothing for place \(name)")
        }
        return value
      }
    }.joined(separator: "")
  }

  private static func parts(of text: String) -> [Part] {
    var parts: [Part] = []
    var kept = text.unicodeScalars[...]
    var index = kept.startIndex
    while index < kept.endIndex {
      let scalars = kept[index...]
      if scalars.starts(with: "--".unicodeScalars) {
        index = scalars.firstIndex(of: "\n") ?? scalars.endIndex
      } else if let name = place(at: scalars) {
        parts.append(.text(String(kept[..<index])))
        parts.append(.place(name))
        // The name and its two braces.
        index = kept.index(index, offsetBy: name.unicodeScalars.count + 2)
        kept = kept[index...]
      } else {
        index = kept.index(after: index)
      }
    }
    return parts + [.text(String(kept))]
  }

  private static func place(at scalars: Substring.UnicodeScalarView) -> String? {
    guard scalars.first == "{" else { return nil }
    let name = scalars.dropFirst().prefix { ("a"..."z").contains($0) || $0 == "_" }
    guard !name.isEmpty, scalars[name.endIndex...].first == "}" else { return nil }
    return String(name)
  }
}
