internal import ArgumentParser
internal import EventStore

/// The subcommand of a command line, looked up before the rest of the line is read: after a mistyped name the rest has
/// no meaning, and would only give confusing errors.
enum NamedSubcommand {
  /// The names of the subcommands at the head of a command line, outermost first.
  static func path(in arguments: [String]) -> [String] {
    walk(arguments).path
  }

  /// - Throws: ``CommandError``, with similar names, when there is no such subcommand.
  static func check(_ arguments: [String]) throws {
    let (path, siblings, word, hasDefault) = walk(arguments)
    // If a subcommand may be left out, the word may be its argument.
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

  /// The subcommand that a word was probably meant as, on a wrong line on which it is the argument of a default one.
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

  /// What `typed` may have been meant as: names that contain it, or the one that differs in one or two characters.
  private static func near(_ typed: String, among names: [String]) -> [String] {
    let parts = names.filter { name in
      name.utf8.starts(with: typed.utf8)
        || name.unicodeScalars.split(separator: "-").contains { $0.elementsEqual(typed.unicodeScalars) }
    }
    if typed.count > 2, !parts.isEmpty { return parts }
    return SectionFile.nearest(to: typed, among: names).map { [$0] } ?? []
  }
}
