extension Duration {
  /// Seconds that an option gave: as many as anybody waits for, where there are more than the clock can count.
  static func option(seconds: Double) -> Duration { .seconds(min(seconds, 1e9)) }
}
