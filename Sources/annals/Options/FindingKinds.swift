internal import ArgumentParser
internal import EventStore

/// Kinds of finding, separated by commas.
struct FindingKinds: ExpressibleByArgument {
  let kinds: Set<Finding.Kind>

  init?(argument: String) {
    var kinds: Set<Finding.Kind> = []
    for word in argument.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false).map(
      String.init
    ) {
      if word == "versions" {
        kinds.formUnion(Finding.Kind.versions)
      } else if let kind = Finding.Kind(rawValue: word) {
        kinds.insert(kind)
      } else {
        return nil
      }
    }
    self.kinds = kinds
  }

  /// For options whose help need not list all of them again.
  static func parse(_ text: String) throws -> FindingKinds {
    guard let kinds = FindingKinds(argument: text) else {
      throw ValidationError("kinds of finding are \(allValueStrings.joined(separator: ", "))")
    }
    return kinds
  }

  static var allValueStrings: [String] { ["versions"] + Finding.Kind.allCases.map(\.rawValue) }
}
