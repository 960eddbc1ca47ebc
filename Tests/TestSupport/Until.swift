/// Waits until something is so, which another connection or process brings about.
///
/// - Throws: what the condition throws, and ``WaitError`` after a time that only a fault takes.
package func until(
  within limit: Duration = .seconds(120),
  isolation: isolated (any Actor)? = #isolation,
  _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while try await !condition() {
    guard .now < end else { throw WaitError(description: "nothing happened within \(limit)") }
    try await Task.sleep(for: .milliseconds(10))
  }
}

package struct WaitError: Error, CustomStringConvertible {
  package let description: String
}
