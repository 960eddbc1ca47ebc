/// The steps of a swap; a reader may take its snapshot between any two of them.
package enum SwapStep: String, Sendable, CaseIterable {
  /// The build is checked and compared.
  case begun
  /// Nobody has a snapshot any more that is older than the load.
  case waited
  /// The last events are applied and committed, while nobody advances the live tables.
  case current
  /// A session has the tables, or a snapshot older than that; there will be another attempt.
  case again
  /// Nobody has a snapshot any more that is older than the last events.
  case settled
  /// The tables have moved; the transaction that moved them is not committed.
  case moved
  /// That transaction is committed.
  case swapped
}
