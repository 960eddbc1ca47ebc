import FoundationEssentials

/// Files of the source tree, which tests find through their own place in it.
package enum SourceTree {
  private static let root = String(#filePath.dropLast("/Tests/TestSupport/SourceTree.swift".count))

  package static var isCI: Bool { ProcessInfo.processInfo.environment["CI"] != nil }

  package static func path(_ name: String) -> String { root + "/" + name }

  package static func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  package static func read(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  package static func list(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
  }

  /// Compares a text with the file that records it. A missing record is written, and the test fails once, so that
  /// somebody looks at it; `ANNALS_RECORD=1 swift test` writes all anew.
  ///
  /// - Returns: nil when both are the same, else what to do.
  package static func difference(of text: String, from name: String) throws -> String? {
    let isRecording = ProcessInfo.processInfo.environment["ANNALS_RECORD"] != nil
    if exists(name), !isRecording {
      let recorded = try read(name)
      return recorded == text
        ? nil : "\(name) is out of date: run ANNALS_RECORD=1 swift test, and look at the change\n\(text)"
    }
    let isNew = try !exists(name) || read(name) != text
    try FileManager.default.createDirectory(
      atPath: path(name.split(separator: "/").dropLast().joined(separator: "/")),
      withIntermediateDirectories: true
    )
    try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    return isNew && !isRecording ? "\(name) was missing and is recorded now: look at it and commit it" : nil
  }
}
