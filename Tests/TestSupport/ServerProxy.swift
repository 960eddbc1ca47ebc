internal import Dispatch
internal import Glibc
internal import Synchronization

/// A proxy between clients and a real server. It passes on their messages, and breaks a connection where a test wants
/// it.
///
/// It knows where a message of PostgreSQL's protocol begins and ends (manual, "Message Formats"), and nothing else
/// about it. Clients reach it over TCP, through ``database``; it reaches the server over its Unix socket.
package final class ServerProxy: Sendable {
  package enum Direction: Sendable, Hashable { case toServer, toClient }

  /// What a client or the server says.
  package struct Message: Sendable {
    /// Number of the connection, from 1. A request to cancel a statement is a connection of its own.
    package let connection: Int
    package let direction: Direction
    /// Its number among all messages that go in this direction, over all connections, from 1.
    package let number: Int
    /// A message's letter; 0 for a client's first message, which has none.
    package let type: UInt8
    package let body: [UInt8]
    fileprivate let bytes: [UInt8]

    /// The SQL of a statement that is sent alone ("simple query"), as BEGIN and COMMIT are.
    package var query: String? {
      type == UInt8(ascii: "Q") ? String(decoding: body.dropLast(), as: UTF8.self) : nil
    }

    /// Whether it asks, over a connection of its own, that a statement be cancelled.
    package var isCancelRequest: Bool { type == 0 && body.starts(with: [0x04, 0xD2, 0x16, 0x2E]) }
  }

  /// What happens to a message.
  package enum Action: Sendable {
    case pass
    case delay(Duration)
    /// The connection ends before the message, in its midst, or after it.
    case cut(Cut, Ends = .both)
    /// Neither this message nor any later one of its direction and connection arrives; both sockets stay open.
    case stall
  }

  package enum Cut: Sendable, CaseIterable { case before, within, after }

  /// Which side notices that a connection is cut. The other one keeps an open socket, on which nothing arrives.
  package enum Ends: Sendable { case both, client, server }

  private struct State {
    var isStopped = false
    var stalled: Set<Direction> = []
    var counts: [Direction: Int] = [:]
    var connections: [ProxiedConnection] = []
  }

  /// The server's database, as it is reached through the proxy.
  package let database: TestDatabase
  private let listener: Int32
  private let serverPath: String
  private let decide: @Sendable (Message) -> Action
  private let state = Mutex(State())

  /// - Parameter decide: is asked about each message before it is passed on, on a thread of its connection and direction.
  package init(to server: TestDatabase, _ decide: @escaping @Sendable (Message) -> Action = { _ in .pass })
    throws
  {
    self.decide = decide
    serverPath = "\(server.environment["PGHOST"] ?? "")/.s.PGSQL.\(server.environment["PGPORT"] ?? "5432")"
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    let port = try listenOnLoopback(listener)
    database = TestDatabase(
      name: server.name,
      environment: server.environment.merging(["PGHOST": "127.0.0.1", "PGPORT": "\(port)"]) { $1 }
    )
    DispatchQueue(label: "proxy").async { [self] in acceptAll() }
  }

  /// Ends all connections and takes no more. Until then the proxy stays, also when nothing refers to it.
  package func stop() {
    let connections: [ProxiedConnection]? = state.withLock { state in
      guard !state.isStopped else { return nil }
      state.isStopped = true
      return state.connections
    }
    guard let connections else { return }
    shutdown(listener, Int32(SHUT_RDWR))
    for connection in connections { connection.end(.both) }
  }

  /// Lets nothing pass in a direction, on no connection, until ``resume()``; what is said meanwhile is kept.
  package func stall(_ direction: Direction) { _ = state.withLock { $0.stalled.insert(direction) } }

  /// Ends what ``stall(_:)`` began.
  package func resume() { state.withLock { $0.stalled = [] } }

  /// Ends the connections that there are now.
  package func cut(_ ends: Ends = .both) {
    for connection in state.withLock({ $0.connections }) { connection.cut(ends) }
  }

  /// How many messages went in a direction so far, over all connections.
  package func messageCount(_ direction: Direction) -> Int { state.withLock { $0.counts[direction] ?? 0 } }

  private func acceptAll() {
    while true {
      let client = accept(listener, nil, nil)
      guard client >= 0 else {
        if errno == EINTR { continue }
        break
      }
      _ = fcntl(client, F_SETFD, FD_CLOEXEC)
      // A server that is down refuses: the client sees its connection end at once.
      guard let server = connectToSocket(serverPath) else {
        close(client)
        continue
      }
      let connection = ProxiedConnection(client: client, server: server)
      let number = state.withLock { state in
        if state.isStopped { connection.end(.both) }
        state.connections.append(connection)
        return state.connections.count
      }
      for direction in [Direction.toServer, .toClient] {
        DispatchQueue(label: "proxy \(number) \(direction)").async { [self] in
          pump(connection, number, direction)
        }
      }
    }
    close(listener)
  }

  /// Passes messages on in one direction until the connection ends.
  private func pump(_ connection: ProxiedConnection, _ number: Int, _ direction: Direction) {
    var isFirst = direction == .toServer
    while let bytes = connection.readMessage(direction, isFirst: isFirst) {
      if isFirst, isEncryptionRequest(bytes) {
        // "Not here"; the client goes on in plain text (manual, "SSL Session Encryption").
        connection.write([UInt8(ascii: "N")], .toClient)
        continue
      }
      let count = state.withLock { state in
        state.counts[direction, default: 0] += 1
        return state.counts[direction]!
      }
      let message = Message(
        connection: number,
        direction: direction,
        number: count,
        type: isFirst ? 0 : bytes[0],
        body: Array(bytes.dropFirst(isFirst ? 4 : 5)),
        bytes: bytes
      )
      isFirst = false
      while state.withLock({ $0.stalled.contains(direction) && !$0.isStopped }) { usleep(2000) }
      // What answers the last message that was passed on does not arrive.
      if connection.isCut { return }
      guard perform(decide(message), message, connection) else { return }
    }
    // One side left: the other one is told, unless it must not notice.
    if !connection.isCut { connection.end(direction == .toServer ? .server : .client) }
  }

  /// Returns whether the connection goes on in this direction.
  private func perform(_ action: Action, _ message: Message, _ connection: ProxiedConnection) -> Bool {
    switch action {
    case .pass: break
    case .delay(let duration):
      let (seconds, attoseconds) = duration.components
      usleep(UInt32(seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
    case .stall: return false
    case .cut(let cut, let ends):
      connection.noteCut()
      switch cut {
      case .before: break
      case .within: connection.write(Array(message.bytes.prefix(message.bytes.count / 2)), message.direction)
      case .after: connection.write(message.bytes, message.direction)
      }
      connection.cut(ends)
      return false
    }
    connection.write(message.bytes, message.direction)
    return true
  }
}

/// The two sockets of a connection; they are closed when nobody uses them any more.
private final class ProxiedConnection: Sendable {
  private let client: Int32
  private let server: Int32
  private let cutFlag = Atomic(false)

  init(client: Int32, server: Int32) {
    (self.client, self.server) = (client, server)
  }

  deinit {
    close(client)
    close(server)
  }

  var isCut: Bool { cutFlag.load(ordering: .acquiring) }

  /// From here on the other direction passes nothing on.
  func noteCut() { cutFlag.store(true, ordering: .releasing) }

  func cut(_ ends: ServerProxy.Ends) {
    noteCut()
    end(ends)
  }

  func end(_ ends: ServerProxy.Ends) {
    if ends != .server { shutdown(client, Int32(SHUT_RDWR)) }
    if ends != .client { shutdown(server, Int32(SHUT_RDWR)) }
  }

  /// A whole message, its length included; nil when the connection has ended.
  func readMessage(_ direction: ServerProxy.Direction, isFirst: Bool) -> [UInt8]? {
    let source = direction == .toServer ? client : server
    // A client's first message has no letter (manual, "Start-up").
    guard var message = readExactly(isFirst ? 4 : 5, from: source) else { return nil }
    let length = message.suffix(4).reduce(0) { $0 << 8 | Int($1) }
    guard length >= 4, let body = readExactly(length - 4, from: source) else { return nil }
    message += body
    return message
  }

  func write(_ bytes: [UInt8], _ direction: ServerProxy.Direction) {
    let target = direction == .toServer ? server : client
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes {
        unsafe send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard written > 0 else {
        if errno == EINTR { continue }
        return
      }
      rest = rest.dropFirst(written)
    }
  }

  private func readExactly(_ count: Int, from source: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = unsafe bytes.withUnsafeMutableBytes {
        unsafe recv(source, $0.baseAddress! + filled, count - filled, 0)
      }
      guard read > 0 else {
        if read < 0, errno == EINTR { continue }
        return nil
      }
      filled += read
    }
    return bytes
  }
}

/// SSLRequest or GSSENCRequest, which stand before the first message.
private func isEncryptionRequest(_ bytes: [UInt8]) -> Bool {
  bytes.dropFirst(4) == [0x04, 0xD2, 0x16, 0x2F] || bytes.dropFirst(4) == [0x04, 0xD2, 0x16, 0x30]
}

/// Makes a socket listen at a free port of the loopback address, which is returned.
private func listenOnLoopback(_ listener: Int32) throws -> UInt16 {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  let failed = unsafe withUnsafeMutablePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
      unsafe bind(listener, pointer, size) != 0 || listen(listener, 64) != 0
        || getsockname(listener, pointer, &size) != 0
    }
  }
  guard listener >= 0, !failed else {
    throw ProxyError(description: "the proxy cannot listen (error \(errno))")
  }
  return UInt16(bigEndian: address.sin_port)
}

/// Connects to a Unix socket; nil when nobody answers there.
func connectToSocket(_ path: String) -> Int32? {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
  unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
  return connectSocket(AF_UNIX, to: address)
}

/// Connects to a port of 127.0.0.1; nil when nobody answers there.
func connectToPort(_ port: Int) -> Int32? {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = UInt16(port).bigEndian
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  return connectSocket(AF_INET, to: address)
}

private func connectSocket<Address>(_ family: Int32, to address: Address) -> Int32? {
  let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  let failed = unsafe withUnsafePointer(to: address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      unsafe connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) != 0
    }
  }
  guard failed else { return descriptor }
  close(descriptor)
  return nil
}

package struct ProxyError: Error, CustomStringConvertible {
  package let description: String
}
