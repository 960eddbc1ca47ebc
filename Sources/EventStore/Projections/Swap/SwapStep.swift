/// The moments of a swap between which a reader's snapshot may fall.
package enum SwapStep: String, Sendable, CaseIterable {
  /// What was built is checked and compared.
  case begun
  /// Nobody holds a snapshot any more that is older than the load.
  case waited
  /// The last events are applied and committed, while nobody brings the live tables forward.
  case current
  /// Somebody holds a snapshot older than that, or the tables; there will be another try.
  case again
  /// Nobody holds a snapshot any more that is older than the last events.
  case settled
  /// The tables have moved; the transaction that moved them is not committed.
  case moved
  /// It is.
  case swapped
}
