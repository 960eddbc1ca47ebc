/// A report of a store: one value with all its parts, each of which may be missing because of a limit or a right.
package struct StoreReport: Sendable {
  /// The table of events.
  package let table: QualifiedName
  /// The time of the report.
  package let now: Timestamp
  /// Events in this range of time count as recent.
  package let window: ClosedRange<Timestamp>
  package let statistics: ReportPart<StoreStatistics>
  /// The events of the window by hour.
  package let hours: ReportPart<[EventGroup]>
  package let types: ReportPart<ReportedTypes>
  package let payloads: ReportPart<[PayloadSize]>
  package let streams: ReportPart<ReportedStreams>
  package let health: ReportPart<StoreHealth>
  package let deadLetters: ReportPart<[DeadLetter]>
  package let verification: ReportPart<VersionCheckResult>
  package let diagnosis: ReportPart<[DiagnosisItem]>
}

/// A part of a report.
package enum ReportPart<Value: Sendable>: Sendable {
  case done(Value)
  /// The server needed longer than this.
  case late(Duration)
  case failed(EventStoreError)

  package var value: Value? { if case .done(let value) = self { value } else { nil } }
}

/// The types of a store, and their recent traffic.
package struct ReportedTypes: Sendable {
  /// All types, by most events.
  package let types: [ReportedType]
  /// The events of the first types in the window, by type and week.
  package let weeks: [EventGroup]
}

/// An event type, and when its events were written.
package struct ReportedType: Sendable, Hashable {
  package let type: String
  package let events: Int64
  package let isEstimate: Bool
  package let firstSeen: Timestamp
  package let lastSeen: Timestamp
}

/// How large payloads are, in bytes of JSON text.
package struct PayloadSize: Sendable, Hashable {
  /// Nil for the payloads of all types.
  package let type: String?
  /// How many payloads were read.
  package let examined: Int64
  /// Half of them are not larger than this.
  package let median: Int64
  /// 95 of 100 are not larger than this.
  package let high: Int64
  package let largest: Int64
}

/// How long streams are.
package struct ReportedStreams: Sendable {
  /// Streams with 2^power events or more, but fewer than twice as many.
  package struct Length: Sendable, Hashable {
    package let power: Int
    package let streams: Int64
    package let events: Int64
  }

  package let lengths: [Length]
  /// The streams with the most events.
  package let longest: [ListedStream]
  /// For each of these the version of its newest snapshot; nil without one. Nil if the role may not see the snapshots.
  package let snapshots: [Int?]?
}

/// The options of a report.
package struct ReportOptions: Sendable {
  /// The time of the report.
  package var now: Timestamp
  /// Events from here on count as recent; nil for the last 90 days with events.
  package var since: Timestamp?
  /// How long the server may work for each part.
  package var partLimit: Duration
  /// Whether to check versions; a caller may have done so already.
  package var verifies = true

  package init(now: Timestamp, partLimit: Duration) {
    (self.now, self.partLimit) = (now, partLimit)
  }
}
