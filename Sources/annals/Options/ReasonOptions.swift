internal import ArgumentParser

/// Why an operator changes something.
struct ReasonOptions: ParsableArguments {
  @Option(name: .customLong("reason"), help: ArgumentHelp("Why, for 'annals audit'.", valueName: "text"))
  var text: String?

  func validate() throws {
    if text?.isEmpty == true { throw ValidationError("--reason needs a text") }
  }
}
