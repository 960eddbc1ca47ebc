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
    let (path, siblings, stray) = walk(arguments)
    guard let stray, !siblings.isEmpty else { return }
    let near = near(stray, among: siblings).map { "'\($0)'" }
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
        // Where a subcommand may be left out, the word may be its argument.
        let hasDefault = command.configuration.defaultSubcommand != nil
        let isWord = !argument.isEmpty && !argument.hasPrefix("-") && !hasDefault
        return (path, children.map { $0._commandName }, isWord ? argument : nil)
      }
    }
    return (path, [], nil)
  }

  /// What somebody who typed `typed` may have meant: names of which it is a part, or the one a slip or two away.
  private static func near(_ typed: String, among names: [String]) -> [String] {
    let parts = names.filter { $0.hasPrefix(typed) || $0.split(separator: "-").contains(Substring(typed)) }
    if typed.count > 2, !parts.isEmpty { return parts }
    return SectionFile.nearest(to: typed, among: names).map { [$0] } ?? []
  }
}
