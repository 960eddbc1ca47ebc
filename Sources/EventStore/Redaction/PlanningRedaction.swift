internal import LibPQ

extension StoreConnection {
  func planRedaction(_ redaction: Redaction) throws -> RedactionPlan {
    let statements = try redactionStatements(redaction)
    return try connection.transaction(.repeatableReadOnly) {
      try connection.execute("SET LOCAL jit = off")
      try requireSound(statements)
      var plan = RedactionPlan()
      plan.types = try connection.query(statements.counts).map {
        RedactionPlan.TypeCount(type: $0.string("event_type"), events: $0.int64("events"))
      }
      if case .fields(let fields, _) = redaction.change {
        plan.fields = try fields.map { field in
          let count = try connection.query(statements.count(of: field)).int64(0, 0)
          return RedactionPlan.FieldCount(field: field, events: count)
        }
      }
      plan.examples = try connection.query(statements.examples(Self.examples)).map { row in
        RedactionPlan.Example(
          id: row.eventID("id"),
          aggregateID: row.string("aggregate_id"),
          version: Int(row.int32("version")),
          type: row.string("event_type")
        )
      }
      (plan.snapshots, plan.messages) = try copiedValues(of: statements)
      plan.holders =
        try holders(alsoOf: plan.types.map { ByteString($0.type) }) + archiveHolder(of: redaction)
      return plan
    }
  }

  private static let examples = 5
}
