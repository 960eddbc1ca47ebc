/// The SQLSTATE codes that this project acts upon (manual, appendix A).
package enum SQLState {
  package static let featureNotSupported = "0A000"
  package static let invalidParameterValue = "22023"
  package static let characterNotInRepertoire = "22021"
  package static let uniqueViolation = "23505"
  package static let readOnlyTransaction = "25006"
  package static let serializationFailure = "40001"
  package static let deadlockDetected = "40P01"
  package static let insufficientPrivilege = "42501"
  package static let untranslatableCharacter = "22P05"
  package static let undefinedTable = "42P01"
  package static let undefinedColumn = "42703"
  package static let undefinedObject = "42704"
  package static let undefinedFunction = "42883"
  package static let undefinedSchema = "3F000"
  package static let lockNotAvailable = "55P03"
  package static let queryCanceled = "57014"
}
