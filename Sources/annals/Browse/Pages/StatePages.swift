internal import EventStore

extension PageMaker {
  /// The projections, or all generations of one projection.
  func projections(_ name: String?) async throws -> Page {
    let statuses = try await store.projectionStatus(name, countsRows: false, lagLimit: 1000)
    var page = Page(title: name ?? "Projections")
    if name != nil { page.path = [("Projections", PageAddress(.projections))] }
    page.body = [table(statuses, name == nil ? [] : ProjectionStatus.columns.map(\.name))]
    if let name {
      let letters = try await part { try await store.deadLetters(of: name) }
      page.body += [.heading("Dead letters"), letters.html { table($0.map(DeadLetterRow.init)) }]
    }
    page.commands = [command("projections", name.map(quoteShellOperand) ?? "")]
    page.records = printing(statuses)
    return page
  }

  /// The events that readers gave up on.
  func deadLetters() async throws -> Page {
    let letters = try await store.deadLetters(of: query["name"], all: query["all"] != nil)
    var page = Page(title: "Dead letters")
    page.body = [table(letters.map(DeadLetterRow.init))]
    let options = (query["all"] == nil ? "" : "--all ") + (query["name"].map(quoteShellOperand) ?? "")
    page.commands = [command("dead-letters list", options)]
    page.records = printing(letters)
    return page
  }

  func deadLetter(_ name: String, _ position: Int64) async throws -> Page {
    guard let letter = try await store.deadLetters(of: name, at: position, all: true).last else {
      throw EventStoreError(.notFound, "no such dead letter")
    }
    let event = try await store.event(of: letter)
    var page = Page(title: "Dead letter at \(position)")
    page.path = [("Dead letters", PageAddress(.deadLetters))]
    page.body = [RecordTable.alone(DeadLetterRow(letter: letter), leavingOut: Array(payload.hiddenFields))]
    if let event, payload != .none { page.body += [.heading("Payload"), .json(payload.json(event.data))] }
    let operand = quoteShellOperand(name)
    page.commands = [
      command("dead-letters show", "\(operand) \(position)"),
      command("dead-letters retry", "\(operand) \(position)"),
    ]
    page.records = printing([letter])
    return page
  }

  /// The names of types at once; their numbers of events if these can be found in time.
  func types() async throws -> Page {
    let types = try await part { try await store.eventTypes(sample: 100, exact: false) }
    var page = Page(title: "Types")
    page.commands = [command("types", "--sample 100")]
    if let types = types.value {
      page.body = [table(types)]
      page.records = printing(types)
    } else {
      let names = try await store.names(
        of: .eventType,
        beginningWith: "",
        limit: 1000,
        timeoutMilliseconds: 2000
      )
      let links = names.map { HTML.element("li", [], .link(PageAddress(.type($0)), $0)) }
      page.body = [types.html { _ in HTML() }, .element("ul", [], links)]
    }
    return page
  }

  /// The shape of a type's payloads.
  func type(_ name: String) async throws -> Page {
    let shape = try await store.shape(ofType: name, sample: 1000)
    var page = Page(title: name)
    page.path = [("Types", PageAddress(.types))]
    let extent = shape.isSampled ? "a sample of \(Field.grouped(shape.examined)) of " : ""
    page.body = [
      .note(
        "\(Field.counted(shape.variantCount, "shape")) in \(extent)\(shape.countedEvents)"
      ),
      .link(PageAddress(.events, [("type", name)]), "Its events"),
      .heading("Paths"), table(shape.pathRecords),
      .heading("Shapes"), table(shape.variantRecords),
    ]
    page.commands = [
      command("types show", "--sample 1000 \(quoteShellOperand(name))"),
      command("types show", "--shapes --sample 1000 \(quoteShellOperand(name))"),
    ]
    page.records = printing(shape.pathRecords)
    return page
  }
}

/// A dead letter in a list, with a link to its own page.
private struct DeadLetterRow: Record {
  let letter: DeadLetter

  static let columns: [Column<Self>] =
    [
      Column("dead_letter", .high) {
        .text("\($0.letter.projection ?? $0.letter.checkpoint ?? "") @\($0.letter.position)")
      }
    ]
    + DeadLetter.columns.of(\.letter)
}
