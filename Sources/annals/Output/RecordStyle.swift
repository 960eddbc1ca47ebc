/// How a command prints its records.
struct RecordStyle {
  var format = OutputFormat.table
  /// Shows records for people as blocks, not as a table.
  var isExpanded = false
}
