internal import LibPQ

extension TypeShape {
  /// The shape as a JSON Schema (draft 2020-12, https://json-schema.org/draft/2020-12/schema), as JSON text.
  ///
  /// It describes only the events that were examined: `required` holds for all of them. It does not distinguish numbers
  /// from integers, since JSON does not.
  public var jsonSchema: String {
    let extent = isSampled ? "a sample of \(examined) of \(events)" : "all \(events)"
    var root = Node()
    for path in paths { root.add(path, at: JSONPathSteps(path.path).steps[...]) }
    var members = root.members
    members.insert(("$comment", quote("Inferred by annals from \(extent) events.")), at: 0)
    members.insert(("title", quote(type)), at: 0)
    members.insert(("$schema", quote("https://json-schema.org/draft/2020-12/schema")), at: 0)
    return Node.object(members)
  }

  private struct Node {
    private var types: [String] = []
    private var isRequired = false
    /// The names are JSON strings.
    private var properties: [(name: ByteString, node: Node)] = []
    private var items: [Node] = []

    mutating func add(_ path: Path, at steps: ArraySlice<JSONPathSteps.Step>) {
      switch steps.first {
      case nil:
        types = path.types.keys.sorted()
        isRequired = path.isRequired ?? false
      case .elements:
        if items.isEmpty { items.append(Node()) }
        items[0].add(path, at: steps.dropFirst())
      case .member(let name):
        let name = ByteString(JSONPathSteps.Step.member(name).json)
        let index = properties.firstIndex { $0.name == name } ?? properties.endIndex
        if index == properties.endIndex { properties.append((name, Node())) }
        properties[index].node.add(path, at: steps.dropFirst())
      }
    }

    var members: [(String, String)] {
      let types = types.map(quote)
      var members = [("type", types.count == 1 ? types[0] : "[\(types.joined(separator: ","))]")]
      if !properties.isEmpty {
        let schemas = properties.map { "\($0.name):\(Node.object($0.node.members))" }
        members.append(("properties", "{\(schemas.joined(separator: ","))}"))
      }
      let required = properties.filter(\.node.isRequired).map(\.name.string)
      if !required.isEmpty { members.append(("required", "[\(required.joined(separator: ","))]")) }
      if let items = items.first { members.append(("items", Node.object(items.members))) }
      return members
    }

    static func object(_ members: [(String, String)]) -> String {
      "{\(members.map { "\(quote($0.0)):\($0.1)" }.joined(separator: ","))}"
    }
  }
}

private func quote(_ text: String) -> String {
  var bytes: [UInt8] = []
  bytes.append(addingCapacity: text.utf8.count * OutputSpan<UInt8>.maximumEscapedBytes + 2) { output in
    output.append(jsonString: Array(text.utf8).span)
  }
  return String(decoding: bytes, as: UTF8.self)
}
