extension EventStore {
  /// How far a long operation has come.
  public struct Progress: Sendable, Hashable {
    /// What is being done.
    public enum Phase: Sendable, Hashable {
      /// Events are read or applied, or streams are folded.
      case running
      /// A projection file's checks run.
      case checking
      /// The new tables of a read model are compared with the live ones.
      case comparing
      /// The new tables replace the live ones, as soon as no other session blocks that.
      case swapping
    }

    /// What is being done now.
    public internal(set) var phase = Phase.running
    /// How much of ``total`` is done, in the unit of the operation: positions of the store, or streams.
    public let done: Int64
    /// How much there is to do, as far as is known now.
    public let total: Int64
    /// Events that were handled; nil if the operation does not count them.
    public let events: Int64?

    init(done: Int64, of total: Int64, events: Int64? = nil) {
      (self.done, self.total, self.events) = (done, total, events)
    }
  }
}
