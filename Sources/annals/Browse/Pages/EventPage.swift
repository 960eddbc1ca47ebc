internal import EventStore

extension PageMaker {
  /// One event, with its context.
  func event(_ reference: EventReference) async throws -> Page {
    let context = try await store.context(of: reference, reducer: reducer.reducer)
    let event = payload.event(context.event)
    let name = event.position.map { "@\($0)" } ?? "\(event.id)"
    var page = Page(title: "\(event.type) \(name)")
    page.path = [
      ("Events", PageAddress(.events)), (event.aggregateID, PageAddress(.stream(event.aggregateID))),
    ]
    page.body = [
      steps(of: context),
      RecordTable.alone(event, leavingOut: ["event_data", "metadata"]),
      .element("p", [], links(of: event)),
    ]
    if payload != .none {
      page.body += [.heading("Payload"), .json(event.data)]
      if let metadata = event.metadata { page.body += [.heading("Metadata"), .json(metadata)] }
    }
    page.body += related(context)
    page.commands = [command("show", name + foldingOptions)]
    let records = context.records.map { record in
      RelatedEventRecord(
        relation: record.relation,
        event: payload.event(record.event),
        stateBefore: record.stateBefore,
        stateAfter: record.stateAfter
      )
    }
    page.records = printing(records)
    return page
  }

  private func related(_ context: EventContext) -> [HTML] {
    let others = context.records.filter { $0.relation != "event" }
    let note: HTML =
      context.effects == nil
      ? .note(
        "Effects were not searched for: no index finds them. \(command("doctor")) prints the statements."
      ) : HTML()
    return [
      .heading("Around it"),
      table(others, ["relation", "position", "aggregate_id", "version", "timestamp", "event_type", "id"]),
      note,
      .heading("What it changed"),
      table(context.changes),
    ]
  }

  private func links(of event: Event) -> [HTML] {
    let version = [("version", "\(event.version)")]
    return [
      .link(PageAddress(.stream(event.aggregateID), version), "State after it"), .raw(" · "),
      .link(PageAddress(.trace("\(event.id)")), "Causes and effects"),
    ]
  }

  private func steps(of context: EventContext) -> HTML {
    func address(_ event: Event?) -> PageAddress? { event.map { PageAddress(.event(.id($0.id))) } }
    return .element(
      "p",
      [.init("class", "steps")],
      .step(address(context.previous), "← before it in the stream", rel: "prev"),
      .raw(" "),
      .step(address(context.next), "after it in the stream →", rel: "next")
    )
  }
}
