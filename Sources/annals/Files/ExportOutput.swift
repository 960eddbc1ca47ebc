internal import EventStore
internal import FoundationEssentials
internal import Synchronization

/// The target of an export: a file, the files of a folder, or standard output.
final class ExportOutput: Sendable {
  private let folder: String?
  private let isStandardOutput: Bool
  /// The file that is being written, with its number.
  private let current: Mutex<(file: OutputFile?, number: Int)>

  init(file: String?, folder: String?) throws {
    isStandardOutput = folder == nil && (file ?? "-") == "-"
    self.folder = folder
    if let folder { try Self.makeEmpty(folder) }
    let first = isStandardOutput || folder != nil ? nil : try file.map { try OutputFile($0) }
    current = Mutex((first, 1))
    if isStandardOutput, StandardOutput.isTerminal, StandardError.isTerminal {
      StandardError.note("writing to the terminal; name a file, or use a pipe")
    }
  }

  func write(_ bytes: [UInt8], toFile number: Int) throws {
    if isStandardOutput { return StandardOutput.writeJSON(bytes) }
    try current.withLock { current in
      if let folder, current.file == nil || current.number != number {
        try current.file?.finish()
        current = (try OutputFile(Self.path(of: number, in: folder)), number)
      }
      try current.file?.write(bytes)
    }
  }

  func finish() throws {
    if isStandardOutput { return StandardOutput.flush() }
    try current.withLock { try $0.file?.finish() }
  }

  private static func path(of number: Int, in folder: String) -> String {
    let digits = String(number)
    let zeros = String(repeating: "0", count: max(0, 6 - digits.utf8.count))
    return NamedFiles.path(of: zeros + digits + ".ndjson", in: folder)
  }

  /// Refuses a folder with files, which would be taken as files of this export.
  private static func makeEmpty(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      guard try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty else {
        throw CommandError.unwritable(
          folder,
          "the folder is not empty",
          hint: "Name another folder, or one that does not exist."
        )
      }
    } catch let error as CommandError {
      throw error
    } catch {
      throw CommandError.unwritable(folder, "it cannot be created or read")
    }
  }
}

/// The input of a restore.
enum ExportInput {
  /// The files of a command line; for a folder, its files whose names end in `.ndjson`, in the order of their names.
  static func files(_ paths: [String]) throws -> [ExportFile] {
    let paths = try NamedFiles.paths(paths, endingIn: ".ndjson") { folder in
      CommandError(
        .notFound,
        "there is no export in \(folder)",
        code: "notFound",
        hint: "The names of its files end in .ndjson."
      )
    }
    return try paths.map { path in
      let file = try InputFile(path)
      let status = CLibrary.status(of: file.file)
      // A pipe, or what a shell makes of one.
      guard path != "-", status?.isRegular == true else { return ExportFile(path, reading: file.next) }
      return ExportFile(path, size: (status?.size).map { Int64($0) }) { try InputFile(path).next }
    }
  }
}

/// Shows how far a restore is, with one bar for each pass over the files.
final class RestoreProgressLines: Sendable {
  private let options: ProgressOptions
  private let state = Mutex<(phase: RestoreProgress.Phase, line: ProgressLine)?>(nil)

  init(_ options: ProgressOptions) { self.options = options }

  func show(_ progress: RestoreProgress) {
    state.withLock { state in
      if state?.phase != progress.phase {
        state?.line.finish()
        state = (progress.phase, options.line(Self.title(progress.phase), rest: nil))
      }
      state?.line.show(done: progress.bytes, of: progress.totalBytes, events: progress.events)
    }
  }

  func finish() { state.withLock { $0?.line.finish() } }

  private static func title(_ phase: RestoreProgress.Phase) -> String {
    switch phase {
    case .proving: "proving the files"
    case .comparing: "comparing with the store"
    case .storing: "restoring"
    }
  }
}
