/// The steps of a path in jq's notation: `.items[].price` is the member items, its elements, their member price.
struct JSONPathSteps {
  enum Step: Hashable {
    /// The name as in the path: bare, or as a JSON string.
    case member(String)
    case elements

    var isMember: Bool { self != .elements }

    /// The name as a JSON string.
    var json: String {
      guard case .member(let name) = self else { return "[]" }
      return name.utf8.first == UInt8(ascii: "\"") ? name : "\"\(name)\""
    }
  }

  private(set) var steps: [Step] = []
  private var texts: [Substring.UnicodeScalarView] = []

  init(_ path: String) {
    var rest = Substring(path).unicodeScalars
    if path == "." { return }
    if rest.starts(with: ".[]".unicodeScalars) { rest.removeFirst() }
    while !rest.isEmpty {
      let end = Self.endOfStep(rest)
      let text = rest[..<end]
      steps.append(text.elementsEqual("[]".unicodeScalars) ? .elements : .member(String(text.dropFirst())))
      texts.append(text)
      rest = rest[end...]
    }
  }

  var last: Step? { steps.last }

  /// The path without its last step; nil for the whole payload.
  var parent: String? {
    guard !texts.isEmpty else { return nil }
    let path = texts.dropLast().map(String.init).joined()
    return path.isEmpty || path.utf8.first == UInt8(ascii: "[") ? "." + path : path
  }

  private static func endOfStep(_ path: Substring.UnicodeScalarView) -> Substring.Index {
    if path.starts(with: "[]".unicodeScalars) { return path.index(path.startIndex, offsetBy: 2) }
    let scalars = path.dropFirst()
    guard scalars.first == "\"" else { return scalars.firstIndex { $0 == "." || $0 == "[" } ?? path.endIndex }
    var index = scalars.index(after: scalars.startIndex)
    while index < scalars.endIndex, scalars[index] != "\"" {
      index =
        scalars.index(index, offsetBy: scalars[index] == "\\" ? 2 : 1, limitedBy: scalars.endIndex)
        ?? scalars.endIndex
    }
    return index < scalars.endIndex ? scalars.index(after: index) : index
  }
}
