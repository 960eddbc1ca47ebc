internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// The sandbox's folder: creating, recognising and locking it.
extension Sandbox {
  /// Whether the folder is a sandbox.
  ///
  /// - Throws: When the folder exists and is something else.
  func isCreated() throws -> Bool {
    if try exists(marker) { return true }
    if try !exists(directory) || contents().isEmpty { return false }
    throw notASandbox
  }

  func createDirectory() throws {
    if try exists(directory) { return }
    let files = FileManager.default
    do {
      let parent = directory.removingLastComponent().string
      try files.createDirectory(atPath: parent, withIntermediateDirectories: true)
      try files.createDirectory(
        atPath: directory.string,
        withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700]
      )
    } catch {
      throw SandboxError(.directoryUnusable, "cannot make the folder \(directory)", detail: "\(error)")
    }
  }

  /// Takes over an empty folder and puts the marker in it; refuses any other.
  func adoptDirectory() async throws {
    if try isCreated() { return }
    if user.dropsPrivileges {
      try FileManager.default.setAttributes(
        [.ownerAccountID: user.userID, .groupOwnerAccountID: user.groupID],
        ofItemAtPath: directory.string
      )
    }
    guard try await user.run("/bin/sh", ["-c", "cd \"$1\" && [ -w . ]", "sh", directory.string]).isSuccess
    else {
      throw SandboxError(
        .directoryUnusable,
        "the user \(user.name), who runs the server, cannot write in \(directory)",
        hint: .chooseReachableFolder
      )
    }
    try await user.shell(
      "cat > \"$1\"",
      [marker.string],
      in: directory,
      input: "This folder belongs to a sandbox of annals, whose reset empties it.\n"
    )
  }

  /// Runs the body while no other process changes the sandbox.
  ///
  /// The lock is on the folder itself: nothing to clean up, and it ends with the process.
  func withLock<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    let folder: FileDescriptor
    do {
      folder = try FileDescriptor.open(directory, .readOnly, options: [.closeOnExec, .directory])
    } catch {
      throw unusable(error)
    }
    // Closed by hand on both ways out: closing is what unlocks.
    while flock(folder.rawValue, LOCK_EX | LOCK_NB) != 0 {
      let error = Errno(rawValue: errno)
      guard error == .wouldBlock || error == .interrupted else {
        try folder.close()
        throw unusable(error)
      }
      do { try await Task.sleep(for: .milliseconds(50)) } catch {
        try folder.close()
        throw error
      }
    }
    do {
      let result = try await body()
      try folder.close()
      return result
    } catch {
      try folder.close()
      throw error
    }
  }

  /// Unlike FileManager's `fileExists`, it distinguishes a missing file from one that may not be seen.
  func exists(_ path: FilePath) throws -> Bool {
    do {
      _ = try path.stat()
      return true
    } catch Errno.noSuchFileOrDirectory {
      return false
    } catch {
      throw unusable(error)
    }
  }

  private func contents() throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory.string)
    } catch {
      throw SandboxError(.directoryUnusable, "cannot read the folder \(directory)", detail: "\(error)")
    }
  }

  private func unusable(_ error: any Error) -> SandboxError {
    SandboxError(.directoryUnusable, "cannot use the folder \(directory)", detail: "\(error)")
  }

  private var notASandbox: SandboxError {
    SandboxError(
      .notASandbox,
      "\(directory) is not a sandbox",
      detail: "It has files, but no file annals-sandbox.",
      hint: "Choose an empty or a new folder."
    )
  }
}
