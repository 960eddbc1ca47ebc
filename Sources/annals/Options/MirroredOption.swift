internal import ArgumentParser

/// An option that an environment variable can replace. What the command line says wins; a variable that is
/// empty counts as not set.
enum MirroredOption: String, CaseIterable {
  case table = "--table"
  case layout = "--layout"
  case output = "--output"
  case upcasters = "--upcasters"

  var variable: String { "ANNALS_" + rawValue.dropFirst(2).uppercased() }

  /// The text of the variable; nil when it is not set.
  var variableText: String? { CLibrary.environment(variable) }

  /// What the command line says, else what the variable does; nil without either.
  ///
  /// - Throws: `ValidationError`, which names the variable, when its text is not a value of the option.
  func resolve<Value>(_ given: Value?, parse: (String) throws -> Value) throws -> Value? {
    if let given { return given }
    guard let text = variableText else { return nil }
    do { return try parse(text) } catch let error as ValidationError {
      throw ValidationError("\(variable): \(error.message)")
    }
  }

  /// Who decided the value.
  func source(isGiven: Bool) -> String {
    isGiven ? rawValue : variableText == nil ? "default" : variable
  }
}
