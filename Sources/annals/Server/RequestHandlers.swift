internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// The open connections.
final class ConnectionCount: Sendable {
  static let most = 16
  private let open = Atomic(0)

  /// False if there are too many.
  func add() -> Bool { open.add(1, ordering: .relaxed).newValue <= Self.most }
  func remove() { open.subtract(1, ordering: .relaxed) }
}

/// How long a client may take for each step.
struct BrowsePatience: Sendable {
  /// To send its head.
  var head = Duration.seconds(5)
  /// To read the answer.
  var answer = Duration.seconds(30)
  /// To end the connection after it.
  var end = Duration.seconds(1)
}

/// Collects the head of a connection's one request, checks its bytes, and passes it to the parser; reads no more.
final class HeadCollector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let connections: ConnectionCount
  private let patience: BrowsePatience
  private var head: [UInt8] = []
  private var isDone = false
  private var limit: Scheduled<Void>?

  init(_ connections: ConnectionCount, _ patience: BrowsePatience) {
    (self.connections, self.patience) = (connections, patience)
  }

  func channelActive(context: ChannelHandlerContext) {
    guard connections.add() else { return refuse(BrowseService.busy, context) }
    let channel = context.channel
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    limit = context.eventLoop.scheduleTask(in: TimeAmount(patience.head)) {
      let collector = handler.value
      guard !collector.isDone else { return }
      collector.isDone = true
      channel.send(
        .text(408, "The request header did not arrive in time."),
        isHead: false,
        collector.patience
      )
    }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    connections.remove()
    limit?.cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDone else { return }
    // The empty line may begin in earlier data.
    let start = max(0, head.count - 3)
    head += unwrapInboundIn(data).readableBytesView
    let end = head[start...].indices.first { index in
      index + 4 <= head.count && head[index..<index + 4].elementsEqual([0x0D, 0x0A, 0x0D, 0x0A])
    }
    guard let end, end + 4 <= RequestRules.longestHead else {
      if head.count > RequestRules.longestHead {
        refuse(.text(431, "The request header is too long."), context)
      }
      return
    }
    let bytes = Array(head[..<(end + 4)])
    if let refusal = RequestRules.refusal(ofHead: bytes) { return refuse(refusal, context) }
    isDone = true
    head = []
    limit?.cancel()
    context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: bytes)))
    context.fireChannelReadComplete()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func refuse(_ answer: PageAnswer, _ context: ChannelHandlerContext) {
    isDone = true
    head = []
    limit?.cancel()
    context.channel.send(answer, isHead: false, patience)
  }
}

/// Answers the one request of a connection. The work is done elsewhere, and ends when the client closes the connection.
final class RequestHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart

  private let service: BrowseService
  private let patience: BrowsePatience
  private var request: BrowseRequest?
  private var work: Task<Void, Never>?

  init(_ service: BrowseService, _ patience: BrowsePatience) {
    (self.service, self.patience) = (service, patience)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data), work == nil else { return }
    let request = BrowseRequest(
      method: head.method.rawValue,
      target: head.uri,
      fields: head.headers.map { ($0.name.lowercased(), $0.value) }
    )
    let (channel, service, patience) = (context.channel, service, patience)
    work = Task {
      let answer = await service.answer(to: request)
      channel.send(answer, isHead: request.method == "HEAD", patience)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    work?.cancel()
    context.fireChannelInactive()
  }

  /// Input that the parser does not accept as a request.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard work == nil else { return }
    context.channel.send(.text(400, "This is not an HTTP/1.1 request."), isHead: false, patience)
  }
}

extension Channel {
  /// Sends an answer and ends the connection. First it closes only the sending half: if the client still sends, a full
  /// close would make the system discard what the client has not read.
  func send(_ answer: PageAnswer, isHead: Bool, _ patience: BrowsePatience) {
    let limit = eventLoop.scheduleTask(in: TimeAmount(patience.answer)) { self.close(promise: nil) }
    writeAndFlush(ByteBuffer(bytes: answer.message(isHead: isHead))).whenComplete { _ in
      limit.cancel()
      self.close(mode: .output, promise: nil)
      self.eventLoop.scheduleTask(in: TimeAmount(patience.end)) { self.close(promise: nil) }
    }
  }
}
