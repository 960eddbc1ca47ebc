/// A path as jq writes it, in steps: `.items[].price` is the member items, its elements, their member price.
struct JSONPathSteps {
  enum Step: Hashable {
    /// The name as in the path: bare, or as a JSON string.
    case member(String)
    case elements

    var isMember: Bool { self != .elements }

    /// The name as a JSON string.
    var json: String {
      guard case .member(let name) = self else { return "[]" }
      return name.hasPrefix("\"") ? name : "\"\(name)\""
    }
  }

  private(set) var steps: [Step] = []
  private var texts: [Substring] = []

  init(_ path: String) {
    var rest = Substring(path)
    if rest == "." { return }
    if rest.hasPrefix(".[]") { rest.removeFirst() }
    while !rest.isEmpty {
      let end = Self.endOfStep(rest)
      let text = rest[..<end]
      steps.append(text == "[]" ? .elements : .member(String(text.dropFirst())))
      texts.append(text)
      rest = rest[end...]
    }
  }

  var last: Step? { steps.last }

  /// The path without its last step; nil for the whole payload.
  var parent: String? {
    guard !texts.isEmpty else { return nil }
    let path = texts.dropLast().joined()
    return path.isEmpty || path.hasPrefix("[") ? "." + path : path
  }

  private static func endOfStep(_ path: Substring) -> Substring.Index {
    if path.hasPrefix("[]") { return path.index(path.startIndex, offsetBy: 2) }
    let name = path.dropFirst()
    guard name.first == "\"" else { return name.firstIndex { $0 == "." || $0 == "[" } ?? path.endIndex }
    var index = name.index(after: name.startIndex)
    while index < name.endIndex, name[index] != "\"" {
      index =
        name.index(index, offsetBy: name[index] == "\\" ? 2 : 1, limitedBy: name.endIndex) ?? name.endIndex
    }
    return index < name.endIndex ? name.index(after: index) : index
  }
}
