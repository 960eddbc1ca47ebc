/// Input of the operator besides files: arguments and environment variables, which the system passes as bytes.
///
/// Swift replaces bytes that are not UTF-8 by U+FFFD. Two different ids would become one, and the stored id would be
/// neither: so they are refused at the beginning, as in a file.
enum GivenText {
  /// The variables of libpq that messages show, and those that this program reads itself.
  private static let variables =
    MirroredOption.allCases.map(\.variable) + [
      "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "ANNALS_PAGER", "PAGER",
      "TMPDIR",
    ]
  /// The variables for the sandbox, which is only looked for if it is needed.
  private static let variablesOfSandbox = ["ANNALS_SANDBOX_DIR", "XDG_DATA_HOME", "HOME"]

  /// - Throws: ``CommandError`` when an argument or a variable is not UTF-8.
  static func check() throws {
    let arguments = CLibrary.arguments
    // A shell that completes a name may ask in the middle of a character.
    if arguments.first?.elementsEqual("---completion".utf8) == true { return }
    for (index, argument) in arguments.enumerated() { try check(argument, "argument \(index + 1)") }
    let isOfSandbox = arguments.first?.elementsEqual("sandbox".utf8) == true
    for name in variables + (isOfSandbox ? variablesOfSandbox : []) {
      if let value = CLibrary.environmentBytes(name) { try check(value, "the variable \(name)") }
    }
  }

  private static func check(_ bytes: [UInt8], _ subject: String) throws {
    guard String(validating: bytes, as: UTF8.self) == nil else { return }
    throw CommandError(
      .usage,
      "\(subject) is not UTF-8: '\(escaped(bytes))'",
      code: "usage",
      hint: "Use UTF-8. 'locale charmap' shows the encoding of a terminal."
    )
  }

  /// With `\xHH` for bytes that are not ASCII; printf(1) turns it into the byte again.
  private static func escaped(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      byte < 0x80 ? String(Unicode.Scalar(byte)) : "\\x" + String(byte, radix: 16, uppercase: true)
    }.joined()
  }
}
