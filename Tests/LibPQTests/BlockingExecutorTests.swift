import LibPQ
import Testing

@Suite struct BlockingExecutorTests {
  actor Counter {
    private nonisolated let executor = BlockingExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }
    private var count = 0

    func call(_ body: () -> Void) { body() }

    /// A function without isolation that is called on the actor's own queue.
    nonisolated func add() {
      assumeIsolated { $0.count += 1 }
    }

    var value: Int { count }
  }

  @Test func whatRunsOnTheQueueIsIsolated() async {
    let counter = Counter()
    await counter.call { counter.add() }
    #expect(await counter.value == 1)
  }

  /// Without the executor's own check this would pass, or trap, by chance.
  @Test func whatRunsElsewhereTraps() async {
    await #expect(processExitsWith: .failure) { Counter().add() }
  }
}
