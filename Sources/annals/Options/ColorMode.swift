internal import ArgumentParser

/// Whether a table shows colours.
enum ColorMode: String, CaseIterable, ExpressibleByArgument {
  /// If the terminal supports it, unless NO_COLOR (https://no-color.org) is set.
  case auto
  case always
  case never

  var isOn: Bool {
    switch self {
    case .auto:
      StandardOutput.isTerminal && Terminal.canMoveCursor && CLibrary.environment("NO_COLOR") == nil
    case .always: true
    case .never: false
    }
  }
}
