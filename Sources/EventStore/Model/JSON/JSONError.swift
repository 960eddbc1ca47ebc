/// Why a text is not JSON that PostgreSQL's jsonb can store, and where.
package struct JSONError: Error, Hashable {
  /// Offset of the offending byte in the scanned bytes, from 0.
  package let offset: Int
  /// The cause, as a clause without a full stop.
  package let message: String
  package let hint: String?

  package init(at offset: Int, _ message: String, hint: String? = nil) {
    self.offset = offset
    self.message = message
    self.hint = hint
  }
}
