internal import ArgumentParser

/// How far a reader may be behind: a number without a unit is events, one with a unit a time.
enum LagLimit: ExpressibleByArgument {
  case events(Int64)
  case time(DurationArgument)

  init?(argument: String) {
    if let events = Int64(argument) {
      guard events >= 0 else { return nil }
      self = .events(events)
    } else if let time = DurationArgument(argument: argument),
      argument.unicodeScalars.last?.properties.isAlphabetic == true
    {
      self = .time(time)
    } else {
      return nil
    }
  }
}
