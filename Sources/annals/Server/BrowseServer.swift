internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import SystemPackage

/// Serves pages only to this machine.
struct BrowseServer {
  enum Address: Sendable, Equatable {
    /// On 127.0.0.1; 0 means any free port.
    case port(Int)
    /// A file that only its owner may open.
    case socket(String)
  }

  private let channel: any Channel
  private let address: Address

  /// - Parameters:
  ///   - service: makes the answers.
  /// - Throws: ``CommandError`` when the address is not available.
  static func listen(
    on address: Address,
    patience: BrowsePatience = BrowsePatience(),
    _ service: BrowseService
  ) async throws -> BrowseServer {
    let connections = ConnectionCount()
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(HeadCollector(connections, patience))
          try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
          try pipeline.addHandler(RequestHandler(service, patience))
        }
      }
    do {
      switch address {
      case .port(let port):
        return BrowseServer(
          channel: try await bootstrap.bind(host: "127.0.0.1", port: port).get(),
          address: address
        )
      case .socket(let path):
        try await removeDeadSocket(path)
        let bound = try CLibrary.boundSocket(path)
        let channel = try await bootstrap.withBoundSocket(bound.rawValue).get()
        return BrowseServer(channel: channel, address: address)
      }
    } catch let error as IOError {
      throw address.failure(Errno(rawValue: error.errnoCode))
    } catch let error as Errno {
      throw address.failure(error)
    }
  }

  var port: Int? { channel.localAddress?.port }

  /// Runs until the task is cancelled.
  func run() async throws {
    defer { if case .socket(let path) = address { CLibrary.remove(path) } }
    try await withTaskCancellationHandler {
      try await channel.closeFuture.get()
    } onCancel: {
      channel.close(promise: nil)
    }
    try Task.checkCancellation()
  }

  /// A killed process leaves its socket behind, which is removed. A socket in use, and any other file, is not touched.
  private static func removeDeadSocket(_ path: String) async throws {
    guard let status = CLibrary.status(of: path) else { return }
    let isInUse =
      if status.isSocket {
        (try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
          .connect(unixDomainSocketPath: path).get().close()) != nil
      } else { true }
    if isInUse {
      throw CommandError(.failure, "cannot listen on \(path): it exists and is in use", code: "failed")
    }
    CLibrary.remove(path)
  }
}

extension BrowseServer.Address {
  fileprivate func failure(_ reason: Errno) -> CommandError {
    let text =
      switch self {
      case .port(let port): "port \(port) of 127.0.0.1"
      case .socket(let path): path
      }
    return CommandError(.failure, "cannot listen on \(text): \(reason)", code: "failed")
  }
}
