internal import Dispatch

/// Runs one actor's work on its own Dispatch queue, where it may block.
///
/// The threads of Swift's cooperative pool must not wait for the network: there is only one for each core.
package final class BlockingExecutor: SerialExecutor {
  package init() {}

  private let queue = DispatchQueue(label: "annals.event-store")

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  /// Lets `assumeIsolated` succeed on this executor's queue, and trap elsewhere.
  package func checkIsolated() {
    dispatchPrecondition(condition: .onQueue(queue))
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    unsafe UnownedSerialExecutor(ordinary: self)
  }
}
