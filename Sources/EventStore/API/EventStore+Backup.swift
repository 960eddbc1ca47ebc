extension EventStore {
  /// Writes an exact copy of events as NDJSON. The first line says what the file is, the last one has the number of the
  /// events and their root, so that a truncated file is noticed.
  ///
  /// All is read in one snapshot, up to where history was final before it. Memory does not grow with the events.
  ///
  /// - Parameters:
  ///   - options: which events.
  ///   - write: gets the number of the file, from 1, and its next bytes.
  /// - Throws: ``EventStoreError``; `notFound` for a stream or a category that the store does not have; `invalidInput`
  ///   when the previous export is of another store or incomplete; what `write` throws.
  @discardableResult
  public func export(
    _ options: ExportOptions = ExportOptions(),
    to write: @Sendable (_ file: Int, _ bytes: [UInt8]) throws -> Void
  ) async throws -> ExportResult {
    let previous = try options.previous.map { read in
      try ExportFile("the export before", reading: read).proved { _ in try Task.checkCancellation() }
    }
    let passedOn = PassedOn()
    return try await read(unless: passedOn) { store in
      try store.export(options, after: previous) { file, bytes in
        passedOn.set()
        try write(file, bytes)
      }
    }
  }

  /// Stores the events of exports as they were: with their ids, versions, times and positions.
  ///
  /// A file is read to its end and verified before anything is stored; then its events are stored in batches. Run it
  /// again after an interruption: it skips each event that is there with the same value in every column. An input that
  /// can be read only once, such as a pipe, is stored in one transaction.
  ///
  /// The table must exist. Other writers wait while a batch is stored. The sequence of the positions continues above
  /// the positions of the export.
  ///
  /// - Parameters:
  ///   - files: each continues the one before.
  ///   - options: whether to restore events that readers may have passed.
  /// - Throws: ``EventStoreError``: `invalidInput` for a file that is not an export, is truncated or was changed;
  ///   `versionConflict` when another event has an id, a version or a position of the export; `failed` when events are
  ///   missing below the last one of the store; `invalidDefinition` for a table that cannot store positions. Then
  ///   nothing is stored.
  @discardableResult
  public func restore(
    _ files: [ExportFile],
    _ options: RestoreOptions = RestoreOptions()
  ) async throws -> RestoreResult {
    guard let first = files.first else { return RestoreResult() }
    try Layout.requireOwn(foreign, "restoring")
    var result: RestoreResult
    if first.isRereadable {
      let proved = try proved(files, options)
      result = try await perform { try $0.restore(proved, options) }
    } else {
      guard files.count == 1 else {
        throw EventStoreError(.invalidInput, "a pipe must be the only file")
      }
      result = try await perform { try $0.restore(pipe: first, options) }
    }
    if options.restoresMissing, let lowest = result.lowestRestored, try await hasReaders() {
      result.passedReaders = try await checkpoints().filter { $0.position >= lowest }
    }
    return result
  }

  /// Reads exports to their ends, and checks that each continues the one before.
  ///
  /// - Returns: what their first and last lines say.
  private func proved(_ files: [ExportFile], _ options: RestoreOptions) throws -> [ProvedExport] {
    var proved: [ProvedExport] = []
    var progress = ProvingProgress(files, options)
    for file in files {
      try proved.append(file.proved { try progress.tell($0) })
      progress.endFile()
      guard proved.count > 1 else { continue }
      try proved[proved.count - 1].requireSuccessor(of: proved[proved.count - 2])
    }
    try proved.requireEnd()
    return proved
  }

  private func hasReaders() async throws -> Bool {
    try await read { try $0.appliedMigration() > 0 }
  }
}
