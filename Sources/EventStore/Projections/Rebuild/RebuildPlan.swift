internal import LibPQ

/// What a projection file creates, found without keeping any of it.
public struct CheckedProjection: Sendable, Hashable {
  /// The name of the projection.
  public let name: String
  /// Its `@version`.
  public let version: Int
  /// The objects that `@create` creates, such as `TABLE orders`.
  public let objects: [String]
}

/// What a rebuild would do.
public struct RebuildPlan: Sendable, Hashable {
  /// How many events of a type there are.
  public struct TypeCount: Sendable, Hashable {
    /// The event type.
    public let type: String
    /// How many events of it the projection will see.
    public let events: Int64
  }

  /// The name of the projection.
  public let projection: String
  /// The objects that `@create` creates, such as `TABLE orders`.
  public let objects: [String]
  /// Where an interrupted build would be resumed; nil if it would start again.
  public let resumesAt: Int64?
  /// The events to handle, by type, the most frequent first.
  public let types: [TypeCount]
  /// How the types of the handlers match those of the store.
  public let coverage: TypeCoverage
  /// From a sample at the beginning of history, which was applied and rolled back; nil if it had no event.
  public let estimatedSeconds: Double?
  /// What the live tables were given and the new ones will be given, as SQL.
  public let properties: [String]
  /// What would stop the rebuild.
  public let problems: [String]
}

extension StoreConnection {
  func checkProjection(_ projection: Projection) throws -> CheckedProjection {
    let file = try definition(of: projection)
    let source = try eventSource()
    return try connection.rolledBack {
      let schema = "annals_check_\(file.name)"
      try connection.execute("CREATE SCHEMA \(schema)")
      let confinement = Confinement(file, in: schema)
      try connection.run(file.create, confinement, of: file.path, moving: true)
      try checkStatements(of: file, source, in: schema)
      try connection.run(file.drop, confinement, of: file.path)
      return CheckedProjection(
        name: file.name,
        version: file.version,
        objects: try connection.objects(in: schema).map(\.description)
      )
    }
  }

  func planRebuild(_ projection: Projection, upTo lastPosition: Int64?) throws -> RebuildPlan {
    let file = try definition(of: projection)
    try requireSchema()
    let source = try eventSource()
    return try connection.rolledBack {
      try connection.execute("SET LOCAL lock_timeout = '5s'")
      let resumable = try resumableGeneration(of: file)
      try registerProjection(file)
      let generation = try createGeneration(of: file)
      try checkStatements(of: file, source, in: generation.ownSchema)
      let types = try handledEvents(file, source)
      let (properties, obstacles) = try takeOver(file, generation)
      var problems = obstacles
      do { try proveFinality(goesOn: lastPosition == nil) } catch let error as EventStoreError {
        problems.append(error.message)
      }
      var estimate: Double?
      do {
        let apply = ProjectionCompiler(file, source: source).applyFunction()
        estimate = try timeSample(
          apply,
          of: types,
          from: generation.position,
          generation.confinement
        )
      } catch let poison as PoisonEvent {
        problems.append("\(poison.place(in: file.path)) \(poison.subject): \(poison.message)")
      }
      return RebuildPlan(
        projection: file.name,
        objects: try connection.objects(in: generation.ownSchema).map(\.description),
        resumesAt: resumable?.position,
        types: types,
        coverage: try typeCoverage(of: file.handlers, byIndexAlone: false),
        estimatedSeconds: estimate,
        properties: properties,
        problems: problems
      )
    }
  }

  /// What the new tables would take over from the live ones, and what blocks it.
  private func takeOver(
    _ file: Projection,
    _ generation: Generation
  ) throws -> (properties: [String], problems: [String]) {
    var (properties, problems): ([String], [String]) = ([], [])
    do {
      properties = try tryTakingOver(by: generation, keepsOwnGrants: file.grants)
    } catch let error as EventStoreError {
      problems.append(error.message)
    }
    do {
      try requireSwappable(generation)
    } catch let error as EventStoreError {
      problems.append(error.message)
    }
    return (properties, problems)
  }

  private func handledEvents(
    _ file: Projection,
    _ source: String
  ) throws -> [RebuildPlan.TypeCount] {
    let sql: SQL = """
      SELECT event_type, count(*) AS events FROM \(raw: source) AS s
      WHERE \(file.handlesEveryType) OR event_type = ANY (\(Parameter.textArray(file.handledTypes)))
      GROUP BY 1 ORDER BY 2 DESC, 1
      """
    return try connection.query(sql).map { .init(type: $0.string("event_type"), events: $0.int64("events")) }
  }

  /// Events of the sample.
  private static let sampleEvents: Int64 = 20_000

  private func timeSample(
    _ apply: GeneratedCode,
    of types: [RebuildPlan.TypeCount],
    from beginning: Int64,
    _ confinement: Confinement
  ) throws -> Double? {
    try createFunction(apply)
    let end = try eventsTable()
      .endOfChunk(
        of: Self.sampleEvents,
        after: beginning,
        upTo: readHead().position ?? beginning,
        connection
      )
    // Undoes what @create set to immediate; see Connection.fireDeferred().
    try connection.execute("SET CONSTRAINTS ALL DEFERRED")
    let start = ContinuousClock.now
    let handled = try connection.savepoint {
      try connection.handleEvents(by: apply, after: beginning, upTo: end, within: confinement).count
    }
    guard handled > 0 else { return nil }
    let total = types.reduce(0) { $0 + $1.events }
    return (ContinuousClock.now - start) / .seconds(1) * Double(total) / Double(handled)
  }
}
