internal import LibPQ

extension Connection {
  /// Whether tables of schema `annals` all exist and may be read.
  ///
  /// It asks the catalogue, which everybody may read; a query that names the tables would fail without the rights. A
  /// role that may only read the events works without annals' own records.
  func canReadOwnTables(_ names: [String]) throws(PostgresError) -> Bool {
    let sql: SQL = """
      SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'annals' AND c.relname = ANY (\(Parameter.textArray(names)))
        AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
      """
    return try query(sql).int64(0, 0) == names.count
  }
}
