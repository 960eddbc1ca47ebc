internal import ArgumentParser

/// How much of a list is shown.
struct ListExtentOptions: ParsableArguments {
  @Option(
    name: .customLong("limit"),
    help: ArgumentHelp("Print at most n; the default is 100.", valueName: "n")
  )
  var givenLimit: Int?

  @Flag(help: "List all of them.")
  var all = false

  func validate() throws {
    if all, givenLimit != nil { throw ValidationError("--all and --limit exclude each other") }
    if let givenLimit, givenLimit < 0 { throw ValidationError("--limit cannot be negative") }
  }

  private static let usualLimit = 100

  /// Nil for all.
  var limit: Int? { all ? nil : givenLimit ?? Self.usualLimit }

  /// Says that a list was cut by default: a program could take it as the whole list.
  func tellOfMore(_ things: String) {
    if givenLimit == nil {
      StandardError.warn("these are the first \(Self.usualLimit) \(things); --all lists the others too")
    }
  }
}
