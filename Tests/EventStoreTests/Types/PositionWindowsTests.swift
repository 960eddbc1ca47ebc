import Testing

@testable import EventStore

@Suite struct PositionWindowsTests {
  @Test(
    arguments: [
      (0...0, 0.5), (0...1, 1), (1...10, 0.3), (1...1000, 1), (5...1_000_004, 0.01), (5...1_000_004, 0.0001),
      (Int64.min...Int64.max, 0.1),
    ] as [(ClosedRange<Int64>, Double)]
  )
  func theyLieInOrderFromEndToEnd(range: ClosedRange<Int64>, share: Double) {
    var starts: Set<[Int64]> = []
    for most in [1, 2, 200] {
      for _ in 1...20 {
        let windows = PositionWindows(in: range, covering: share, most: most).windows
        starts.insert(windows.map(\.lowerBound))
        #expect(windows.count <= most && range.contains(windows[0].lowerBound))
        for (window, next) in zip(windows, windows.dropFirst()) {
          #expect(window.upperBound < next.lowerBound)
        }
        guard windows.count > 1 else { continue }
        #expect(windows.first?.lowerBound == range.lowerBound && windows.last?.upperBound == range.upperBound)
        if share == 1 {
          #expect(zip(windows, windows.dropFirst()).allSatisfy { $0.upperBound + 1 == $1.lowerBound })
        }
      }
    }
    // Chance has a say where there is room.
    #expect(starts.count > 3 || range.upperBound == range.lowerBound || range.upperBound <= 10 || share == 1)
  }
}
