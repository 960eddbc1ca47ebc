import Synchronization

/// An input that comes in pieces of uneven size.
final class Pieces: Sendable {
  private let rest: Mutex<ArraySlice<UInt8>>
  private let size: Int

  init(_ bytes: [UInt8], size: Int = 1000) {
    rest = Mutex(bytes[...])
    self.size = size
  }

  func next() -> [UInt8]? {
    rest.withLock { rest in
      guard !rest.isEmpty else { return nil }
      let piece = rest.prefix(size)
      rest = rest.dropFirst(size)
      return Array(piece)
    }
  }
}
