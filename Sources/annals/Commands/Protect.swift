internal import ArgumentParser
internal import EventStore

struct Protect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "protect",
    abstract: "Make roles for a store, and refuse changes of events.",
    discussion: """
        annals protect -n               (the SQL that it would run)
        annals protect
        annals protect --off --immutable

      Without --roles and --immutable it does both. The roles are NAME_reader,
      NAME_appender, NAME_projector and NAME_admin: grant them to login roles.
      """
  )

  @Flag(help: "Create the roles, and grant them their rights.")
  var roles = false

  @Flag(help: "Refuse UPDATE, DELETE and TRUNCATE of events and of the audit.")
  var immutable = false

  @Flag(help: "Remove the roles, or allow changes again.")
  var off = false

  @Option(help: "What the names of the roles begin with; the database's name when left out.")
  var name: String?

  @Flag(name: [.customShort("n"), .long], help: "Print the SQL and change nothing.")
  var dryRun = false

  @Flag(help: "Do not ask before a protection is removed.")
  var yes = false

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if name?.isEmpty == true { throw ValidationError("--name needs a name") }
    if name != nil, immutable, !roles { throw ValidationError("--name is for --roles") }
  }

  func run() async throws {
    let store = try await connection.store(reason)
    let both = roles == immutable
    let protection = Protection(roles: both || roles, immutability: both || immutable, prefix: name)
    if off, !dryRun {
      let what = [protection.roles ? "roles" : nil, protection.immutability ? "triggers" : nil]
      let names = what.compactMap(\.self).joined(separator: " and ")
      try Confirmation.require("Remove the \(names) that protect \(store.table)?", yes: yes)
    }
    let steps =
      try await off
      ? store.endProtection(protection, dryRun: dryRun) : store.protect(protection, dryRun: dryRun)
    if dryRun {
      if !steps.isEmpty { StandardOutput.writeRaw(Initialize.script(steps)) }
      return StandardOutput.flush()
    }
    for step in steps { StandardError.note("\(step.title): done") }
    if steps.isEmpty { StandardError.note("\(store.table): nothing to do") }
  }
}
