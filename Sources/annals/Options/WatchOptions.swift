internal import ArgumentParser
internal import EventStore

/// Repeats the output of a command until an interruption.
struct WatchOptions: ParsableArguments {
  @Option(
    defaultAsFlag: "2s",
    parsing: .next,
    help: ArgumentHelp("Show it again at this interval.", valueName: "duration")
  )
  var watch: DurationArgument?

  func validate() throws {
    try watch?.requirePositive("--watch")
    // ArgumentParser ignores a value that is not a duration.
    for argument in CommandLine.arguments where argument.utf8.starts(with: "--watch=".utf8) {
      let value = String(argument.unicodeScalars.dropFirst("--watch=".unicodeScalars.count))
      guard DurationArgument(argument: value) == nil else { continue }
      throw ValidationError("'\(value)' is no duration for --watch. \(DurationArgument.hint)")
    }
  }

  /// Whether each round replaces the one before, as on a terminal; elsewhere it follows it.
  var isInPlace: Bool { watch != nil && StandardOutput.isTerminal && Terminal.canMoveCursor }

  /// Runs one round, or with the option one after the other.
  ///
  /// A failure of the first round ends the command. Later a server may be away for a while: then a round shows why.
  func repeating(_ round: () async throws -> Void) async throws {
    guard let watch else { return try await round() }
    Interruption.isTheEnd()
    var isFirst = true
    while true {
      if isInPlace { StandardOutput.beginFrame() }
      do { try await round() } catch let error as EventStoreError where !isFirst && error.isPassing {
        StandardOutput.flush()
        if isInPlace {
          StandardOutput.print("annals: \(error.message)")
        } else {
          StandardError.warn(error.message)
        }
      } catch {
        StandardOutput.dropFrame()
        throw error
      }
      isFirst = false
      if isInPlace { StandardOutput.endFrame(below: title(watch)) }
      try await Task.sleep(for: watch.duration)
    }
  }

  private func title(_ watch: DurationArgument) -> String {
    "every \(Interval(seconds: watch.seconds)), now \(CLibrary.now)"
  }
}

extension EventStoreError {
  /// Whether the only fault is a server that is away, or a lock.
  fileprivate var isPassing: Bool {
    [.cannotConnect, .connectionLost, .timedOut, .locked, .stale, .recoveryConflict].contains(code)
  }
}
