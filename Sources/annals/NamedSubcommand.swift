internal import ArgumentParser
internal import EventStore

/// The subcommand that a command line names, looked up before the rest of the line is read: what follows a
/// mistyped name means nothing, and would only be complained about.
enum NamedSubcommand {
  /// The names of the subcommands at the head of a command line, outermost first.
  static func path(in arguments: [String]) -> [String] {
    walk(arguments).path
  }

  /// - Throws: ``CommandError``, with the names that are near, when there is no such subcommand.
  static func check(_ arguments: [String]) throws {
    let (path, siblings, word, hasDefault) = walk(arguments)
    // Where a subcommand may be left out, the word may be its argument.
    guard let stray = word, !siblings.isEmpty, !hasDefault else { return }
    let near = near(stray, among: siblings).map { "'\($0)'" }
    let all = (["annals", "help"] + path).joined(separator: " ")
    let parent = path.isEmpty ? "" : " of " + path.joined(separator: " ")
    throw CommandError(
      .usage,
      "there is no subcommand '\(stray)'\(parent)",
      code: "usage",
      hint: (near.isEmpty ? "" : "Did you mean \(near.joined(separator: " or "))? ") + "'\(all)' lists them."
    )
  }

  /// The subcommand that was meant by a word that is taken for the argument of a default one, on a line that is wrong.
  static func meant(by arguments: [String]) -> [String]? {
    let (path, siblings, word, hasDefault) = walk(arguments)
    guard hasDefault, let word, let name = near(word, among: siblings).first else { return nil }
    return path + [name]
  }

  /// The names as far as they exist, the names that may follow, the word that is there instead, and whether one
  /// of the names may be left out.
  private static func walk(
    _ arguments: [String]
  ) -> (path: [String], siblings: [String], word: String?, hasDefault: Bool) {
    var command: any ParsableCommand.Type = Annals.self
    var path: [String] = []
    for argument in arguments.first == "help" ? arguments.dropFirst() : arguments[...] {
      let children = command.configuration.subcommands
      if let child = children.first(where: { $0._commandName == argument }) {
        command = child
        path.append(argument)
      } else {
        let hasDefault = command.configuration.defaultSubcommand != nil
        let isWord = !argument.isEmpty && argument.utf8.first != UInt8(ascii: "-")
        return (path, children.map { $0._commandName }, isWord ? argument : nil, hasDefault)
      }
    }
    return (path, [], nil, false)
  }

  /// What somebody who typed `typed` may have meant: names of which it is a part, or the one a slip or two away.
  private static func near(_ typed: String, among names: [String]) -> [String] {
    let parts = names.filter { name in
      name.utf8.starts(with: typed.utf8)
        || name.unicodeScalars.split(separator: "-").contains { $0.elementsEqual(typed.unicodeScalars) }
    }
    if typed.count > 2, !parts.isEmpty { return parts }
    return SectionFile.nearest(to: typed, among: names).map { [$0] } ?? []
  }
}
