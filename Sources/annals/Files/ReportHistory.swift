internal import EventStore
internal import FoundationEssentials
internal import SystemPackage

/// The result of one run of a report, as a line of a history file.
struct ReportRun: Decodable, Sendable {
  struct Reader: Decodable, Sendable {
    let name: String
    let position: Int64
    let lagEvents: Int64
    let lagSeconds: Int64
    let deadLetters: Int64
  }

  let time: String
  let store: String
  let events: Int64?
  let streams: Int64?
  let tableBytes: Int64?
  let indexBytes: Int64?
  let toastBytes: Int64?
  let head: Int64?
  let lagEvents: Int64?
  let deadLetters: Int64?
  let errors: Int64?
  let bad: Bool
  let readers: [Reader]

  var totalBytes: Int64? {
    guard let tableBytes, let indexBytes, let toastBytes else { return nil }
    return tableBytes + indexBytes + toastBytes
  }

  /// The names of the fields, in their order.
  static let fields = [
    "time", "store", "events", "streams", "table_bytes", "index_bytes", "toast_bytes", "head", "lag_events",
    "dead_letters", "errors", "bad", "readers",
  ]

  var json: String {
    var line = JSONObject()
    line.add("time", time)
    line.add("store", store)
    let numbers = [
      events, streams, tableBytes, indexBytes, toastBytes, head, lagEvents, deadLetters, errors,
    ]
    for (name, number) in zip(Self.fields.dropFirst(2), numbers) {
      line.add(name, json: number.map(String.init) ?? "null")
    }
    line.add("bad", bad)
    let readers = readers.map { reader -> String in
      var object = JSONObject()
      object.add("name", reader.name)
      object.add("position", reader.position)
      object.add("lag_events", reader.lagEvents)
      object.add("lag_seconds", reader.lagSeconds)
      object.add("dead_letters", reader.deadLetters)
      return object.text
    }
    line.add("readers", json: "[\(readers.joined(separator: ","))]")
    return line.text
  }
}

/// The file with a line of every run.
struct ReportHistory {
  let path: String
  /// The runs of the store, in their order of time; none of other stores.
  private(set) var runs: [(time: Timestamp, run: ReportRun)] = []
  /// A fault of the file, in a sentence.
  private(set) var complaint: String?
  /// Whether the last line has no end, as after a full disk.
  private var isCut = false

  /// Reads the file; before the first run there is none.
  init(_ path: String, of table: String) throws {
    self.path = path
    guard CLibrary.status(of: path) != nil else { return }
    let bytes = try InputFile.read(path)
    isCut = bytes.last.map { $0 != UInt8(ascii: "\n") } ?? false
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    for (index, line) in lines.enumerated() {
      guard let run = try? decoder.decode(ReportRun.self, from: Data(line)),
        let time = Self.time(run.time)
      else {
        let isEnd = isCut && index == lines.count - 1
        complaint =
          "\(path): line \(index + 1) \(isEnd ? "is cut off" : "is no record of a run") and is left out"
        continue
      }
      if run.store.utf8.elementsEqual(table.utf8) { runs.append((time, run)) }
    }
    runs.sort { $0.time < $1.time }
  }

  /// Adds a run in one write, so that two that end together do not mix their lines.
  func append(_ run: ReportRun) throws {
    do {
      let file = try FileDescriptor.open(
        FilePath(path),
        .writeOnly,
        options: [.append, .create, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead]
      )
      try file.closeAfter { _ = try file.writeAll(Array(((isCut ? "\n" : "") + run.json + "\n").utf8)) }
    } catch let error as Errno {
      throw CommandError.unwritable(path, "\(error)")
    }
  }

  static func time(_ text: String) -> Timestamp? {
    guard let date = try? Date(text, strategy: .iso8601) else { return nil }
    return Timestamp(secondsSince1970: Int64(date.timeIntervalSince1970))
  }
}

extension Timestamp {
  /// In the form of `SOURCE_DATE_EPOCH`.
  init(secondsSince1970 seconds: Int64) {
    self.init(microseconds: (seconds - 946_684_800) * 1_000_000)
  }

  var secondsSince1970: Int64 { microseconds / 1_000_000 + 946_684_800 }
}
