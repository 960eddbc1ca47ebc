/// What to do about a failure: a sentence, in which an operation of the store is a value.
///
/// A program that offers the operations under other names inserts these with ``text(naming:)``.
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
      // A hint has one form, so that hints can be compared.
      if text.isEmpty { return }
      guard case .text(let before)? = pieces.last else { return pieces.append(.text(text)) }
      pieces[pieces.count - 1] = .text(before + text)
    }

    /// An operation or a setting.
    public mutating func appendInterpolation(_ remedy: Remedy) {
      pieces.append(.remedy(remedy))
    }

    /// A value in words.
    public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      appendLiteral(value.description)
    }
  }
}

/// An operation of the store, or a setting, that a hint advises. Later versions may add some: a `switch` needs a default.
public enum Remedy: Sendable, Hashable {
  // The store.
  /// Check the server, the database and the user.
  case connection
  /// Name the table of events; with its name if it is known.
  case table(String? = nil)
  /// The layout that reads another framework's store.
  case layout
  /// The names that the table has for the columns.
  case columns
  /// The upcasters that are applied to events.
  case upcasters
  /// Read events as they are stored, without upcasters.
  case rawEvents
  /// Read archived events too.
  case includedArchive
  /// Move archived events back.
  case unarchive
  /// Create the table of events and the schema of records.
  case initialize
  /// Add the columns that a classic table lacks.
  case addPosition
  /// Add them without stopping writers.
  case addPositionOnline
  /// See the SQL that would add them.
  case previewAddPosition
  /// Look at the store through a shipped layout, with these parameters.
  case diagnose(layout: String, setting: [LayoutParameter] = [])
  /// Show the state of the store and the rights of the role.
  case doctor
  /// See which layouts there are.
  case layouts
  /// Keep history from being changed.
  case protect

  // Appending and reading.
  /// Look at the stream.
  case stream(aggregateID: String)
  /// See which types of events there are.
  case types
  /// Append again, expecting this.
  case append(expecting: ExpectedVersion)
  /// Commit after as many lines as this.
  case appendBatches(ofLines: Int)
  /// Continue after this line.
  case skipLines(Int)
  /// Give lines without ids the ids of this run; nil means another run than before.
  case runID(String? = nil)
  /// Also restore events that the store lacks below its last one.
  case restoreMissing
  /// Read history from a position on.
  case replay(fromPosition: Int64? = nil)

  // Projections and dead letters.
  /// Rebuild the read model from the file of that name.
  case rebuild(path: String? = nil)
  /// Drop an interrupted build, and start again.
  case restartRebuild
  /// Show the state of projections.
  case projections(name: String? = nil)
  /// Get the file that built a generation.
  case projectionFile(name: String, generation: Int)
  /// Remove the projection.
  case dropProjection(name: String)
  /// See the checkpoints of all readers.
  case checkpoints
  /// Show the events that were given up on.
  case deadLetters
  /// Pass the dead letters of a checkpoint to their consumer.
  case retryByCommand
  /// Show the events that readers leave out.
  case skippedEvents

  // Snapshots.
  /// See which snapshots there are.
  case snapshots
  /// Take snapshots.
  case takeSnapshots

  // Verification and evolution.
  /// Look for faults of events; for one kind of fault if it is given.
  case verify(only: String? = nil)
  /// Publish the position up to which history is final, for readers on standbys.
  case publishWatermark
  /// Try upcasters on all events.
  case checkEvolution
  /// Make a plan, and write it to that file.
  case planEvolution(path: String)
  /// Copy the store into today's shapes.
  case applyEvolution
  /// Give the copy another name.
  case copyName
  /// The swap of a copy, which can be left out.
  case withoutSwap
  /// Exchange the copy and the store again.
  case rollBackEvolution(copy: String)

  // Tests.
  /// Write the rows that come out into the file of a test.
  case recordTests
  /// The longest that a statement of a test may run.
  case testTimeout

  /// Read what the manual says about this.
  case manual(ManualTopic)
}

/// What a hint refers to in a manual. Later versions may add some: a `switch` needs a default.
public enum ManualTopic: Sendable, Hashable {
  /// Files that read somebody else's store.
  case layoutFiles
  /// Files that bring events of old shapes into the shape of today.
  case upcasterFiles
  /// How the table of events is made.
  case initialization
  /// What is looked at to see how a store is.
  case diagnosis
}

extension Remedy {
  /// The name of the operation in this library.
  fileprivate var libraryName: String {
    switch self {
    case .connection: "EventStore(connecting:)"
    case .table: "EventStore(connecting:table:)"
    case .layout: "EventStore(connecting:layout:)"
    case .columns: "layoutFile(naming:)"
    case .upcasters: "use(_:)"
    case .rawEvents: "use(.none)"
    case .includedArchive: "includeArchive()"
    case .unarchive: "unarchive(_:_:)"
    case .initialize: "initialize()"
    case .addPosition: "initialize(addPosition: true)"
    case .addPositionOnline: "addPositionOnline()"
    case .previewAddPosition: "initialize(addPosition: true, dryRun: true)"
    case .diagnose: "diagnose()"
    case .doctor: "diagnose()"
    case .layouts: "Layout.shippedNames"
    case .protect: "protect(_:)"
    case .stream: "events(matching:)"
    case .types: "eventTypes()"
    case .append(let expected): "append(_:to:expecting: \(expected))"
    case .appendBatches(let lines): "BulkAppendOptions.batchSize = \(lines)"
    case .skipLines(let lines): "BulkAppendOptions.skippedLines = \(lines)"
    case .runID: "BulkAppendOptions.runID"
    case .restoreMissing: "RestoreOptions.restoresMissing"
    case .replay: "replay(_:_:into:)"
    case .rebuild: "rebuildProjections(_:)"
    case .restartRebuild: "RebuildOptions.restarts"
    case .projections: "projections()"
    case .projectionFile: "projectionFile(of:generation:)"
    case .dropProjection: "dropProjection(_:)"
    case .checkpoints: "checkpoints()"
    case .deadLetters: "deadLetters()"
    case .retryByCommand: "retryDeadLetters(ofCheckpoint:at:by:)"
    case .skippedEvents: "skippedEvents()"
    case .snapshots: "listSnapshots(of:)"
    case .takeSnapshots: "takeSnapshots(of:)"
    case .verify: "verifyVersions(_:)"
    case .publishWatermark: "publishWatermark()"
    case .checkEvolution: "check(_:)"
    case .planEvolution: "planEvolution(_:)"
    case .applyEvolution: "applyEvolution(_:into:)"
    case .copyName: "applyEvolution(_:into:)"
    case .withoutSwap: "applyEvolution(_:into:swap: false)"
    case .rollBackEvolution: "rollBackEvolution(_:)"
    case .recordTests: "TestFile.recording(_:)"
    case .testTimeout: "the timeout"
    case .manual(let topic): topic.articleName
    }
  }
}

extension ManualTopic {
  /// Where this library's documentation has it.
  fileprivate var articleName: String {
    switch self {
    case .layoutFiles: "Layout"
    case .upcasterFiles: "Upcasters"
    case .initialization: "initialize(addPosition:dryRun:)"
    case .diagnosis: "diagnose()"
    }
  }
}
