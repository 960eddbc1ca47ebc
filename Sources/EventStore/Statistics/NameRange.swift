internal import LibPQ

/// The ids with a prefix and of a category, as a range of an index.
struct NameRange {
  /// Conditions that are true of each such event `e`.
  let conditions: [SQL]

  /// - Parameter order: how the index compares ids: nothing, or a COLLATE clause, in the order of bytes.
  init(
    prefix: String,
    after: String? = nil,
    category: String?,
    column: String = "aggregate_id",
    order: String,
    in table: EventsTable
  ) {
    var conditions: [SQL] = []
    let name: SQL = "e.\(raw: column) \(raw: order)"
    if !prefix.isEmpty { conditions.append("\(name) >= \(prefix)") }
    if let after { conditions.append("\(name) > \(after)") }
    if let end = Self.end(of: prefix) { conditions.append("\(name) < \(end)") }
    if let category {
      // There are few ids between the category's own and those with "-", but the range must end somewhere.
      if !table.hasCategory { conditions += ["\(name) >= \(category)", "\(name) < \(category + ".")"] }
      conditions.append(table.isOf(category: category))
    }
    self.conditions = conditions
  }

  /// The first text after all texts with a prefix, in the order of bytes, which in UTF-8 is that of the scalars; nil if
  /// there is none.
  static func end(of prefix: String) -> String? {
    var scalars = prefix.unicodeScalars
    while let last = scalars.popLast() {
      // The surrogates are not scalars, and after the last scalar there is none.
      let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
      guard let successor = Unicode.Scalar(next) else { continue }
      scalars.append(successor)
      return String(scalars)
    }
    return nil
  }
}
