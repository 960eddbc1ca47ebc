internal import ArgumentParser

/// An option that an environment variable can replace. The command line overrides the variable; an empty variable
/// counts as not set.
enum MirroredOption: String, CaseIterable {
  case table = "--table"
  case layout = "--layout"
  case output = "--output"
  case upcasters = "--upcasters"

  var variable: String { "ANNALS_" + rawValue.dropFirst(2).uppercased() }

  /// The text of the variable; nil when it is not set.
  var variableText: String? { CLibrary.environment(variable) }

  /// The value from the command line, or from the variable; nil without either.
  ///
  /// - Throws: `ValidationError`, which names the variable, when its text is not a value of the option.
  func resolve<Value>(_ given: Value?, parse: (String) throws -> Value) throws -> Value? {
    if let given { return given }
    guard let text = variableText else { return nil }
    do { return try parse(text) } catch let error as ValidationError {
      throw ValidationError("\(variable): \(error.message)")
    }
  }

  /// The source of the value.
  func source(isGiven: Bool) -> String {
    isGiven ? rawValue : variableText == nil ? "default" : variable
  }
}
