/// What to do about a failure: a sentence, in which what the store can do stands as a value.
///
/// A program that offers the store's operations under names of its own puts them in with ``text(naming:)``.
public struct Hint: Sendable, Hashable {
  fileprivate enum Piece: Sendable, Hashable {
    case text(String)
    case remedy(Remedy)
  }

  private var pieces: [Piece]

  /// A hint that names no operation.
  public init(_ text: String) {
    pieces = [.text(text)]
  }

  /// The operations and settings that it names.
  public var remedies: [Remedy] {
    pieces.compactMap { if case .remedy(let remedy) = $0 { remedy } else { nil } }
  }

  /// The sentence, with the operations named by `name`.
  public func text(naming name: (Remedy) -> String) -> String {
    var text = ""
    for piece in pieces {
      switch piece {
      case .text(let part): text += part
      case .remedy(let remedy): text += name(remedy)
      }
    }
    return text
  }

  static func + (first: Hint, second: Hint) -> Hint {
    var both = first
    both.pieces += second.pieces
    return both
  }
}

extension Hint: CustomStringConvertible {
  /// The sentence, with the names of this library.
  public var description: String { text { "`\($0.libraryName)`" } }
}

extension Hint: ExpressibleByStringInterpolation {
  public init(stringLiteral text: String) {
    self.init(text)
  }

  public init(stringInterpolation: StringInterpolation) {
    pieces = stringInterpolation.pieces
  }

  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var pieces: [Piece] = []

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ text: String) {
      // One hint has one form, so that hints can be compared.
      if text.isEmpty { return }
      guard case .text(let before)? = pieces.last else { return pieces.append(.text(text)) }
      pieces[pieces.count - 1] = .text(before + text)
    }

    public mutating func appendInterpolation(_ remedy: Remedy) {
      pieces.append(.remedy(remedy))
    }

    public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      appendLiteral(value.description)
    }
  }
}

/// An operation of the store, or a setting, that a hint advises. Later versions may add some: a `switch` needs a default.
public enum Remedy: Sendable, Hashable {
  // The store.
  case connection
  case table(String? = nil)
  case layout
  case upcasters
  case rawEvents
  case initialize
  case addPosition
  case previewAddPosition
  case diagnose(layout: String)

  // Appending and reading.
  case stream(aggregateID: String)
  case types
  case append(expecting: ExpectedVersion)
  case appendBatches(ofLines: Int)
  case skipLines(Int)
  case runID(String? = nil)
  case replay(fromPosition: Int64? = nil)

  // Projections and dead letters.
  case rebuild(path: String? = nil)
  case restartRebuild
  case projections(name: String? = nil)
  case dropProjection(name: String)
  case deadLetters
  case retryByCommand

  // Snapshots.
  case snapshots
  case takeSnapshots

  // Verification and evolution.
  case verify(only: String? = nil)
  case checkEvolution
  case planEvolution(path: String)
  case applyEvolution
  case copyName
  case withoutSwap
  case rollBackEvolution(copy: String)
}

extension Remedy {
  /// Where this library has it.
  fileprivate var libraryName: String {
    switch self {
    case .connection: "EventStore(connecting:)"
    case .table: "EventStore(connecting:table:)"
    case .layout: "EventStore(connecting:layout:)"
    case .upcasters: "use(_:)"
    case .rawEvents: "use(.none)"
    case .initialize: "initialize()"
    case .addPosition: "initialize(addPosition: true)"
    case .previewAddPosition: "initialize(addPosition: true, dryRun: true)"
    case .diagnose: "diagnose()"
    case .stream: "events(matching:)"
    case .types: "eventTypes()"
    case .append(let expected): "append(_:to:expecting: \(expected))"
    case .appendBatches(let lines): "BulkAppendOptions.batchSize = \(lines)"
    case .skipLines(let lines): "BulkAppendOptions.skippedLines = \(lines)"
    case .runID: "BulkAppendOptions.runID"
    case .replay: "replay(_:_:into:)"
    case .rebuild: "rebuildProjections(_:)"
    case .restartRebuild: "RebuildOptions.restarts"
    case .projections: "projections()"
    case .dropProjection: "dropProjection(_:)"
    case .deadLetters: "deadLetters()"
    case .retryByCommand: "retryParkedEvents(under:at:by:)"
    case .snapshots: "listSnapshots(of:)"
    case .takeSnapshots: "takeSnapshots(of:)"
    case .verify: "verifyVersions(_:)"
    case .checkEvolution: "check(_:)"
    case .planEvolution: "planEvolution(_:)"
    case .applyEvolution: "applyEvolution(_:into:)"
    case .copyName: "applyEvolution(_:into:)"
    case .withoutSwap: "applyEvolution(_:into:swap: false)"
    case .rollBackEvolution: "rollBackEvolution(_:)"
    }
  }
}
