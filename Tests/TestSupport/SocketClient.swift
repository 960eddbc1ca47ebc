internal import Dispatch
internal import Glibc

/// A client of a socket that sends whatever bytes a test wants.
package final class SocketClient: Sendable {
  private let descriptor: Int32

  package convenience init(path: String) throws {
    guard let descriptor = connectToSocket(path) else {
      throw ProxyError(description: "nobody listens on \(path)")
    }
    self.init(descriptor)
  }

  package convenience init(port: Int) throws {
    guard let descriptor = connectToPort(port) else {
      throw ProxyError(description: "nobody listens on port \(port)")
    }
    self.init(descriptor)
  }

  private init(_ descriptor: Int32) {
    self.descriptor = descriptor
    // A server that never answers ends the test, after a time that only a fault takes, not the patience of CI.
    var limit = timeval(tv_sec: 120, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
  }

  deinit { close(descriptor) }

  /// Sends bytes; the other side may have ended the connection.
  package func send(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes {
      unsafe _ = Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  package func send(_ text: String) { send(Array(text.utf8)) }

  /// Ends the connection, in both directions.
  package func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// All that comes until the other side ends the connection, or says nothing for two minutes.
  ///
  /// - Parameter isWhole: says of what has come whether it is all that is waited for.
  package func answer(upTo isWhole: @escaping @Sendable ([UInt8]) -> Bool = { _ in false }) async -> String {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        var received: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
          let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe recv(self.descriptor, $0.baseAddress, $0.count, 0)
          }
          if count <= 0 { break }
          received += bytes[..<count]
          if isWhole(received) { break }
        }
        continuation.resume(returning: String(decoding: received, as: UTF8.self))
      }
    }
  }
}
