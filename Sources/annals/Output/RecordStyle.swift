internal import ArgumentParser

/// How a command prints its records.
struct RecordStyle {
  var format = OutputFormat.table
  /// Shows records for people as blocks, and not as a table.
  var isExpanded = false
  /// The names of the fields to print, in this order; nil for the default fields of the format.
  var fields: [String]?
  /// The fields that these records have, in their order, if they do not have all fields of their type.
  var present: [String]?

  /// The columns to print. A requested field is important, whatever the record says.
  func columns<R: Record>(of _: R.Type) -> [Column<R>] {
    guard let fields else {
      let columns = present.map(R.columns.named) ?? R.columns
      return format == .table ? columns.filter { $0.style != .aside } : columns
    }
    return R.columns.named(fields).map { $0.with(importance: .high) }
  }
}

extension Array {
  /// The columns of these names, in the order of the names.
  fileprivate func named<R>(_ names: [String]) -> [Column<R>] where Element == Column<R> {
    names.compactMap { name in first { $0.name.utf8.elementsEqual(name.utf8) } }
  }
}

/// The argument of `--fields`: names, separated by commas, as in a heading or in JSON.
struct FieldNames: ExpressibleByArgument {
  let names: [String]

  init(argument: String) {
    names = argument.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false).map {
      scalars in
      let words = scalars.split(separator: " ").map { String($0).lowercased() }
      return words.joined(separator: "_")
    }
  }

  func has(_ name: String) -> Bool { names.contains { $0.utf8.elementsEqual(name.utf8) } }

  /// - Throws: `ValidationError` when a record has no such field, or one is named twice.
  ///
  /// - Parameter present: the fields that these records have; nil for all.
  func check<R: Record>(_: R.Type, among present: [String]? = nil) throws {
    let knownNames = present ?? R.columns.map(\.name)
    let known = knownNames.map { Array($0.utf8) }
    var seen: [[UInt8]] = []
    for name in names {
      let bytes = Array(name.utf8)
      if known.firstIndex(of: bytes) == nil {
        let list = knownNames.joined(separator: ", ")
        throw ValidationError("'\(name)' is not a field; choose from \(list)")
      }
      if seen.firstIndex(of: bytes) != nil { throw ValidationError("--fields names '\(name)' twice") }
      seen.append(bytes)
    }
  }
}
