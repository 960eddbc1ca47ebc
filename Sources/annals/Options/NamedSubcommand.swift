internal import ArgumentParser

/// The subcommand that a command line names, looked up before the rest of the line is read: what follows a
/// mistyped name means nothing, and would only be complained about.
enum NamedSubcommand {
  /// The names of the subcommands at the head of a command line, outermost first.
  static func path(in arguments: [String]) -> [String] {
    walk(arguments).path
  }

  /// - Throws: ``CommandError``, with the names that are near, when there is no such subcommand.
  static func check(_ arguments: [String]) throws {
    let (path, siblings, stray) = walk(arguments)
    guard let stray, !siblings.isEmpty else { return }
    let near = siblings.filter { isNear(stray, $0) }.map { "'\($0)'" }
    let all = (["annals", "help"] + path).joined(separator: " ")
    let parent = path.isEmpty ? "" : " of " + path.joined(separator: " ")
    throw CommandError(
      .usage,
      "there is no subcommand '\(TextEscaping.forPeople(stray))'\(parent)",
      code: "usage",
      hint: (near.isEmpty ? "" : "Did you mean \(near.joined(separator: " or "))? ") + "'\(all)' lists them."
    )
  }

  /// The names as far as they exist, the names that may follow, and the word that stands there instead.
  private static func walk(
    _ arguments: [String]
  ) -> (path: [String], siblings: [String], stray: String?) {
    var command: any ParsableCommand.Type = Annals.self
    var path: [String] = []
    for argument in arguments.first == "help" ? arguments.dropFirst() : arguments[...] {
      let children = command.configuration.subcommands
      if let child = children.first(where: { $0._commandName == argument }) {
        command = child
        path.append(argument)
      } else {
        let isWord = !argument.isEmpty && !argument.hasPrefix("-")
        return (path, children.map { $0._commandName }, isWord ? argument : nil)
      }
    }
    return (path, [], nil)
  }

  /// Whether somebody who typed `typed` may have meant `name`: a part of it, or a slip or two away.
  private static func isNear(_ typed: String, _ name: String) -> Bool {
    if typed.count >= 3, name.hasPrefix(typed) || name.split(separator: "-").contains(Substring(typed)) {
      return true
    }
    return distance(Array(typed), Array(name)) <= (typed.count < 5 ? 1 : 2)
  }

  /// The optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
