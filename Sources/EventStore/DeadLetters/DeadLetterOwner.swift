internal import LibPQ

/// An owner of dead letters: a generation of a read model, or the consumer of a checkpoint.
enum DeadLetterOwner {
  case generation(Generation)
  case checkpoint(String)

  var table: SQL {
    switch self {
    case .generation: "annals.dead_letters"
    case .checkpoint: "annals.parked_events"
    }
  }

  var isTheirs: SQL {
    switch self {
    case .generation(let generation):
      "projection = \(generation.projection) AND generation = \(generation.number)"
    case .checkpoint(let name): "checkpoint = \(name)"
    }
  }

  /// Its name in messages.
  var name: String {
    switch self {
    case .generation(let generation): "projection \(generation.projection)"
    case .checkpoint(let name): "checkpoint \(name)"
    }
  }

  /// Marks a dead letter as no longer waiting.
  func settle(_ position: Int64, _ state: DeadLetter.State, _ connection: Connection) throws {
    let tries: Int32 = state == .applied ? 1 : 0
    let settled = try connection.query(
      """
      UPDATE \(table) SET state = \(state.rawValue), attempts = attempts + \(tries)
      WHERE \(isTheirs) AND position = \(position) AND state = 'parked'
      """
    )
    if settled.affectedRows != 1, case .generation(let generation) = self {
      throw generation.checkpointMoved()
    }
  }
}
