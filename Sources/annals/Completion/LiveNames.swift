internal import ArgumentParser
internal import EventStore
internal import Glibc

/// Names from the database, offered when a shell completes one.
///
/// Our shell scripts pass the line up to the cursor as it is typed (see ``CompletionScript``): each shell has its own
/// rules for where a word with a colon or a quote begins.
extension CompletionKind {
  static let aggregateID = names { _ in .aggregate }
  static let category = names { _ in .category }
  /// The prefix of a list: of aggregates, or of categories.
  static let listedName = names {
    $0.words.contains { $0.utf8.elementsEqual("--categories".utf8) } ? .category : .aggregate
  }
  static let eventType = names { _ in .eventType }
  static let projection = names { _ in .projection }
  static let checkpoint = names { _ in .checkpoint }
  static let consumer = names { _ in .consumer }
  /// A position, after the name of a consumer.
  static let deadLetter = names { .deadLetter(of: $0.words) }
  /// The number of a generation, after the name of its projection.
  static let generation = names { .generation(of: $0.words) }

  private static func names(of kind: @escaping @Sendable (ShellLine) -> NameKind) -> CompletionKind {
    .custom { arguments, _, _ in
      // Whatever hangs, a prompt must not wait longer: then no name is offered.
      Task.detached {
        try? await Task.sleep(for: .milliseconds(LiveNames.timeoutMilliseconds))
        _exit(ExitStatus.done.rawValue)
      }
      let line = ShellLine(arguments.first ?? "")
      guard let names = try? await LiveNames.search(kind(line), line) else { return [] }
      // zsh and fish quote by themselves. readline does so only partly, and tells what it will replace.
      guard arguments.count > 1 else { return names }
      let untouched = line.untouched(byReplacing: arguments[1])
      return names.map { line.quoted($0.unicodeScalars.dropFirst(untouched)) }
    }
  }
}

private enum LiveNames {
  static let limit = 50

  static var timeoutMilliseconds: Int {
    CLibrary.environment("ANNALS_COMPLETION_TIMEOUT").flatMap { Int($0) }.map { max(0, $0) } ?? 300
  }

  static func search(_ kind: NameKind, _ line: ShellLine) async throws -> [String] {
    let options = try ConnectionOptions.parse(ConnectionOptions.arguments(in: line.words.dropLast()))
    let store = try await options.store()
    await store.onNotice(nil)
    let names = try await store.names(
      of: kind,
      beginningWith: line.words.last ?? "",
      limit: limit,
      timeoutMilliseconds: timeoutMilliseconds
    )
    // Shells take one name from each line, and fish takes the text after a tab as a description. A name that begins
    // with a hyphen would be an option, for example one that says where to connect, unless it follows --.
    let takesHyphen = line.words.dropLast().contains { $0 == "--" }
    return names.filter { name in
      !name.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
        && (takesHyphen || name.utf8.first != UInt8(ascii: "-"))
    }
  }
}

extension ConnectionOptions {
  private static let names: Set = [
    "-h", "--host", "-p", "--port", "-U", "--username", "-d", "--dbname", "--table", "--layout",
    "--set", "--columns", "--response-timeout",
  ]

  /// The arguments of a command line that belong to this group.
  fileprivate static func arguments(in words: some Sequence<String>) -> [String] {
    var arguments: [String] = []
    var isValue = false
    for word in words {
      if isValue || names.contains(word) {
        arguments.append(word)
        isValue.toggle()
      } else if word.utf8.starts(with: "--".utf8), let name = word.unicodeScalars.split(separator: "=").first,
        names.contains(String(name))
      {
        arguments.append(word)
      } else if !word.utf8.starts(with: "--".utf8), names.contains(String(word.unicodeScalars.prefix(2))) {
        arguments.append(word)
      }
    }
    return arguments
  }
}
