/// A place in a file that an operator wrote: line and column, both from 1, the column in characters.
package struct SQLLocation: Sendable, Hashable {
  package let line: Int
  package let column: Int

  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// What is wrong with a file that an operator wrote, and where.
package struct SQLFileError: Error, Sendable, Equatable, CustomStringConvertible {
  package var file: String
  package var location: SQLLocation
  package var message: String
  package var hint: String?

  package init(file: String, location: SQLLocation, message: String, hint: String? = nil) {
    self.file = file
    self.location = location
    self.message = message
    self.hint = hint
  }

  /// `orders.sql:12:1: message`, the form that editors can jump to.
  package var description: String { "\(file):\(location.line):\(location.column): \(message)" }
}
