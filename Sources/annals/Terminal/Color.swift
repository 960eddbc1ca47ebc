/// A colour of the terminal.
struct Color {
  /// From its palette (ECMA-48, SGR), which the operator has chosen; red and black have a meaning, and are not used.
  private static let codes = [32, 33, 34, 35, 36, 92, 93, 94, 95, 96]

  private let code: Int

  /// Always the same for the same name: by its hash (FNV-1a).
  init(of name: String) {
    let hash = name.utf8.reduce(2_166_136_261 as UInt32) { ($0 ^ UInt32($1)) &* 16_777_619 }
    code = Self.codes[Int(hash % UInt32(Self.codes.count))]
  }

  func paint(_ text: String) -> String { "\u{1B}[\(code)m\(text)\u{1B}[0m" }
}
