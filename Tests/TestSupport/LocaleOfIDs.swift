/// SQL that gives the ids of aggregates a collation other than that of bytes: one of ICU, or of the C library where the
/// server is built without ICU.
package func sortingIDsByLocale(in table: String) -> String {
  let alter = "ALTER TABLE \(table) ALTER COLUMN aggregate_id TYPE text COLLATE"
  return """
    DO $$ BEGIN \(alter) "en-x-icu"; EXCEPTION WHEN undefined_object THEN \(alter) "C.utf8"; END $$;
    """
}
