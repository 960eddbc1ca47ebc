/// An input that is not NDJSON at all. Otherwise each of its lines would be reported by itself.
enum ForeignInput {
  /// The first bytes of files of other formats (`/usr/share/misc/magic`).
  private static let compressed: [(name: String, signature: [UInt8], program: String)] = [
    ("gzip", [0x1F, 0x8B], "gzip -dc"), ("zstd", [0x28, 0xB5, 0x2F, 0xFD], "zstd -dc"),
    ("bzip2", Array("BZh".utf8), "bzip2 -dc"), ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz -dc"),
    ("zip", [0x50, 0x4B, 0x03, 0x04], "unzip -p"),
  ]

  /// - Parameter line: the first line that is not blank.
  /// - Throws: ``EventStoreError`` when the line is of another format.
  static func refuse(_ line: ArraySlice<UInt8>) throws {
    guard let (fault, remedy) = fault(line) else { return }
    throw EventStoreError(
      .invalidInput,
      "the input is \(fault), and not NDJSON",
      detail: "NDJSON has one event a line, each a JSON object.",
      hint: remedy
    )
  }

  private static func fault(_ line: ArraySlice<UInt8>) -> (fault: String, remedy: Hint)? {
    for (name, signature, program) in compressed where line.starts(with: signature) {
      return ("compressed with \(name)", "Unpack it first, for example with \(program).")
    }
    if line.starts(with: [0xFF, 0xFE]) || line.starts(with: [0xFE, 0xFF]) {
      return ("UTF-16", "Convert it to UTF-8 first, for example with iconv -f UTF-16 -t UTF-8.")
    }
    let utf8 = line.drop(while: JSONScanner.isWhitespace)
    switch utf8.first {
    case UInt8(ascii: "{"): return nil
    case UInt8(ascii: "["):
      return ("a JSON array", "Convert it to lines first, for example with jq -c '.[]'.")
    case UInt8(ascii: "<"): return ("XML", "Convert each event to a JSON object first.")
    default:
      let names = EventLineField.allCases.map { Array($0.name.utf8) }
      let words = utf8.split { !isPartOfName($0) }
      guard words.count > 1, words.allSatisfy({ word in names.contains { word.elementsEqual($0) } }) else {
        return nil
      }
      return ("CSV", "Convert each line to a JSON object first, for example with Miller (mlr).")
    }
  }

  private static func isPartOfName(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
  }
}
