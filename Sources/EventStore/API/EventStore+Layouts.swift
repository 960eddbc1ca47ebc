internal import LibPQ

extension EventStore {
  /// The file of a layout that reads the store's table by the names of its columns; columns of other types are cast.
  ///
  /// - Parameter columns: the columns of events, and the columns of the table if their names differ.
  /// - Throws: ``EventStoreError``: `notFound` without the table, `invalidDefinition` if a column is missing or
  ///   unsuitable.
  package func layoutFile(naming columns: [LayoutParameter]) async throws -> String {
    try await read(seeing: .permitted) { hand in
      try NamedColumns(of: hand.table, columns, hand.connection).file()
    }
  }

  /// The tables of other frameworks in this database that a shipped layout reads.
  ///
  /// - Throws: ``EventStoreError``.
  package func findLayouts() async throws -> [LayoutMatch] {
    try await read(seeing: .permitted) { try $0.findLayouts() }
  }
}
