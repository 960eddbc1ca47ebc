internal import Dispatch
internal import Glibc
internal import Synchronization

/// The effect of SIGUSR1: each running piece of work reports its progress in a line. It never ends the process.
enum StatusSignal {
  private static let source = Mutex<(any DispatchSourceSignal)?>(nil)
  private static let reports = Mutex<[ObjectIdentifier: @Sendable () -> Void]>([:])

  /// From now on the signal is answered; without other work, by the command's name and time.
  static func answer(as command: String) {
    let start = ContinuousClock.now
    // Dispatch only watches: without this the signal would end the process.
    signal(SIGUSR1, SIG_IGN)
    source.withLock {
      let source = DispatchSource.makeSignalSource(signal: SIGUSR1)
      source.setEventHandler {
        let reports = reports.withLock { Array($0.values) }
        for report in reports { report() }
        guard reports.isEmpty else { return }
        StandardError.warn("\(command): under way for \(Int((.now - start) / .seconds(1))) s")
      }
      source.resume()
      $0 = source
    }
  }

  /// Calls `report` at each signal until ``remove(_:)``. It must not hold `work`, which would then never be released.
  static func add(_ work: AnyObject, report: @escaping @Sendable () -> Void) {
    reports.withLock { $0[ObjectIdentifier(work)] = report }
  }

  static func remove(_ work: AnyObject) {
    reports.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(work)) }
  }
}
