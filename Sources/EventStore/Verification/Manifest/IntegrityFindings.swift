extension Finding {
  /// Differences as findings; the same change of several consecutive versions is one finding.
  static func findings(of differences: [StreamDifference], aggregateID: String) -> [Finding] {
    var findings: [Finding] = []
    var run: (first: StreamDifference, last: StreamDifference)?
    for difference in differences {
      if let (first, last) = run, difference.continues(last) {
        run = (first, difference)
        continue
      }
      if let (first, last) = run { findings.append(Finding(first, last, aggregateID)) }
      run = (difference, difference)
    }
    if let (first, last) = run { findings.append(Finding(first, last, aggregateID)) }
    return findings
  }

  /// The chain differs, but the beginnings of the hashes do not: somebody forged 48 bits.
  static func changedUnnamed(aggregateID: String) -> Finding {
    Finding(
      kind: .eventChanged,
      severity: .error,
      aggregateID: aggregateID,
      detail: "the chain of hashes is not that of the manifest; it does not show which event was changed"
    )
  }

  static func gone(aggregateID: String, events: [EventDigest]) -> Finding {
    Finding(
      kind: .streamCutOff,
      severity: .error,
      aggregateID: aggregateID,
      version: events.first.map { Int($0.version) },
      lastVersion: events.last.map { Int($0.version) },
      detail:
        "the whole stream is gone; the manifest has \(events.count) \(events.count == 1 ? "event" : "events")"
    )
  }

  private init(_ first: StreamDifference, _ last: StreamDifference, _ aggregateID: String) {
    let isOne = first == last
    let hasVersion = first.version > .min
    let events =
      !hasVersion
      ? "an event without a version"
      : isOne
        ? "the event of version \(first.version)"
        : "the events of versions \(first.version) to \(last.version)"
    let (kind, detail): (Kind, String) =
      switch (first, last) {
      case (.changed, _):
        (.eventChanged, "\(events) \(isOne ? "is not the one" : "are not those") of the manifest")
      case (.removed, _):
        (.eventRemoved, "\(events) of the manifest \(isOne ? "is" : "are") gone")
      case (.added, _):
        (.eventAdded, "\(events) \(isOne ? "is" : "are") not in the manifest, which has later versions")
      case (.cutOff, _):
        (.streamCutOff, "the stream ends before version \(first.version); the manifest has \(events)")
      case (.moved(_, let to), .moved(_, let lastTo)):
        (
          .eventMoved,
          isOne
            ? "\(events) now has \(to == .min ? "none" : "version \(to)")"
            : "\(events) now have versions \(to) to \(lastTo)"
        )
      case (.redacted, _):
        (.eventRedacted, "\(events) \(isOne ? "was" : "were") redacted, as the audit says")
      case (.moved, _): preconditionFailure("a run of differences is of one kind")
      }
    self.init(
      kind: kind,
      severity: kind == .eventRedacted ? .info : .error,
      aggregateID: aggregateID,
      version: hasVersion ? Int(first.version) : nil,
      lastVersion: isOne ? nil : Int(last.version),
      detail: detail
    )
  }
}

extension StreamDifference {
  /// Whether this is the same change as that of the version before.
  fileprivate func continues(_ previous: StreamDifference) -> Bool {
    guard previous.version < .max, version == previous.version + 1 else { return false }
    switch (previous, self) {
    case (.changed, .changed), (.removed, .removed), (.added, .added), (.cutOff, .cutOff),
      (.redacted, .redacted):
      return true
    case (.moved(let version, let to), .moved(let next, let nextTo)):
      return Int64(to) - Int64(version) == Int64(nextTo) - Int64(next)
    default: return false
    }
  }
}
