internal import ArgumentParser
internal import EventStore

/// Options of `append` for a single event besides its stream, type and payload.
struct NewEventOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Last version of the stream: number, none, any, exists.", valueName: "n"),
    transform: NewEventOptions.parseExpectedVersion
  )
  var expectedVersion: ExpectedVersion?

  @Option(help: "The event's id; with the same id it is stored once.", transform: parseID)
  var id: EventID?

  @Option(help: "A JSON object to keep beside the payload.")
  var metadata: String?

  @Option(help: ArgumentHelp("Stored in the metadata as correlation_id.", valueName: "id"))
  var correlationID: String?

  @Option(help: ArgumentHelp("Stored in the metadata as causation_id.", valueName: "id"))
  var causationID: String?

  @Option(help: "When it happened (ISO 8601); otherwise now.", transform: parseTimestamp)
  var timestamp: Timestamp?

  /// Whether any of them was given.
  var isEmpty: Bool {
    expectedVersion == nil && id == nil && metadata == nil && correlationID == nil && causationID == nil
      && timestamp == nil
  }

  func event(type: String, data: String) throws -> NewEvent {
    NewEvent(
      id: id ?? EventID(),
      type: type,
      data: data,
      metadata: try mergedMetadata(),
      timestamp: timestamp
    )
  }

  /// The metadata with the ids as its last members.
  private func mergedMetadata() throws -> String? {
    var members: [(name: String, value: String)] = []
    if let correlationID { members.append(("correlation_id", correlationID)) }
    if let causationID { members.append(("causation_id", causationID)) }
    guard !members.isEmpty else { return metadata }
    var scanner = JSONScanner()
    let given = Array((metadata ?? "{}").utf8)
    guard let object = try? scanner.scanValue(in: given.span, from: 0), given[object.lowerBound] == 0x7B,
      given[object.upperBound...].allSatisfy(JSONScanner.isWhitespace)
    else {
      throw CommandError(.badInput, "--metadata is not a JSON object", code: "invalidInput")
    }
    var text = String(decoding: given[object].dropLast(), as: UTF8.self)
    for (name, value) in members {
      guard JSONScanner.member(name, of: object, in: given.span) == nil else {
        throw CommandError(
          .badInput,
          "\(name) is given in --metadata and as an option",
          code: "invalidInput",
          hint: "Omit one of the two."
        )
      }
      let isEmpty = text.utf8.dropFirst().allSatisfy(JSONScanner.isWhitespace)
      text += (isEmpty ? "" : ",") + "\(JSONObject.quote(name)):\(JSONObject.quote(value))"
    }
    return text + "}"
  }

  private static func parseExpectedVersion(_ text: String) throws -> ExpectedVersion {
    switch text {
    case "none", "0": return .noStream
    case "any": return .any
    case "exists": return .exists
    default:
      guard let version = Int(text), version > 0, version <= Int32.max else {
        throw ValidationError("'\(text)' is not a version from 0 to \(Int32.max), none, any or exists")
      }
      return .version(version)
    }
  }

  private static func parseID(_ text: String) throws -> EventID {
    guard let id = EventID(text) else { throw ValidationError("'\(text)' is not a UUID") }
    return id
  }

  private static func parseTimestamp(_ text: String) throws -> Timestamp {
    do {
      return try Timestamp(iso8601: text)
    } catch {
      throw ValidationError("'\(text)': \(error.message). \(error.hint)")
    }
  }
}
