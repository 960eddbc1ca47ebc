/// Small charts of numbers, for people at a terminal.
enum Graph {
  /// A bar that is full at a share of 1. Less than all leaves some room, and more than nothing is never empty.
  static func bar(_ share: Double, width: Int = 10) -> String {
    let eighths = Int((min(max(share, 0), 1) * Double(width * 8)).rounded())
    let shown = share >= 1 ? width * 8 : share > 0 ? min(max(eighths, 1), width * 8 - 1) : 0
    let part = shown % 8 == 0 ? "" : String(partialBlocks[shown % 8 - 1])
    let bar = String(repeating: "█", count: shown / 8) + part
    return bar + String(repeating: " ", count: width - bar.count)
  }

  /// A column for each number; the largest one is full, and zero is a dot.
  static func sparkline(_ numbers: [Int64]) -> String {
    let largest = max(numbers.max() ?? 0, 1)
    return String(
      numbers.map { number in
        number == 0 ? "·" : columns[Int((Double(number) / Double(largest) * 7).rounded())]
      }
    )
  }

  private static let partialBlocks = Array("▏▎▍▌▋▊▉")
  private static let columns = Array("▁▂▃▄▅▆▇█")
}
