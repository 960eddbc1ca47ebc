/// Counts what a check finds.
struct FindingTally {
  private let check: VersionCheck
  private var counts: [Finding.Kind: Int] = [:]
  private var errors = 0
  private var known = 0

  init(_ check: VersionCheck) {
    self.check = check
  }

  /// Counts a finding, unless its kind was not requested.
  ///
  /// - Returns: the finding, to be reported; nil if its kind was not requested, or it is known.
  mutating func count(_ finding: Finding) -> Finding? {
    guard check.kinds.contains(finding.kind) else { return nil }
    if check.baseline?.contains(finding) == true {
      known += 1
      return nil
    }
    var finding = finding
    if check.isStrict, finding.kind != .positionHole, finding.severity != .info { finding.severity = .error }
    counts[finding.kind, default: 0] += 1
    if finding.severity == .error { errors += 1 }
    return finding
  }

  /// Adds what was counted to a result.
  func report(in result: inout VersionCheckResult) {
    result.counts.merge(counts, uniquingKeysWith: +)
    result.errors += errors
    result.known += known
  }
}
