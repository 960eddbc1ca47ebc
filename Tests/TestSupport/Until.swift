/// Waits until a condition holds, which another connection or process causes.
///
/// - Throws: what the condition throws, and ``WaitError`` after a time that only a fault takes.
package func until(
  within limit: Duration = .seconds(120),
  isolation: isolated (any Actor)? = #isolation,
  _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  // The longer it takes, the longer are the pauses: a condition that starts a program would keep a core busy.
  var pause = Duration.milliseconds(10)
  while try await !condition() {
    guard .now < end else { throw WaitError(description: "nothing happened within \(limit)") }
    try await Task.sleep(for: pause)
    pause = min(pause * 1.3, .milliseconds(250))
  }
}

package struct WaitError: Error, CustomStringConvertible {
  package let description: String
}
