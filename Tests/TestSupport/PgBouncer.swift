import FoundationEssentials
import Subprocess
import SystemPackage

/// A real pooler in front of a test's database.
package enum PgBouncer {
  package enum Mode: String, Sendable, CaseIterable { case session, transaction, statement }

  /// Runs the body with the database as it is reached through a pooler of its own.
  ///
  /// It ends with the body, or with this process: then the pipe to the shell's standard input closes.
  ///
  /// - Parameters:
  ///   - sessions: how many sessions of the server's it has for its clients.
  ///   - settings: more lines of its configuration.
  package static func run(
    _ mode: Mode,
    to database: TestDatabase,
    sessions: Int = 5,
    settings: String = "",
    _ body: @escaping @Sendable (TestDatabase) async throws -> Void
  ) async throws {
    let directory = "/tmp/annals-test-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    // A pooler keeps its own list of who may connect.
    let script = """
      set -e
      mkdir -m 755 "$1"
      trap 'rm -rf "$1"' EXIT
      echo "\\"$PGUSER\\" \\"\\"" > "$1/users"
      cat > "$1/pgbouncer.ini" <<END
      [databases]
      * = host=$PGHOST port=$PGPORT
      [pgbouncer]
      pool_mode = \(mode.rawValue)
      listen_addr =
      unix_socket_dir = $1
      auth_type = trust
      auth_file = $1/users
      admin_users = $PGUSER
      default_pool_size = \(sessions)
      \(settings)
      END
      # It refuses to be root's, as PostgreSQL does, and then runs as another user by itself.
      user=
      if [ "$(id -u)" = 0 ]; then chown -R "$PGUSER:" "$1"; user="-u $PGUSER"; fi
      PATH=$PATH:/usr/sbin
      pgbouncer -q $user "$1/pgbouncer.ini" & pid=$!
      read -r _ || true
      kill -TERM $pid
      wait $pid || true
      """
    var variables = ["LC_ALL": "C.UTF-8"]
    variables["PATH"] = ProcessInfo.processInfo.environment["PATH"]
    for name in ["PGHOST", "PGPORT", "PGUSER"] { variables[name] = database.environment[name] }
    let pooled = TestDatabase(
      name: database.name,
      environment: database.environment.merging(["PGHOST": directory, "PGPORT": "6432"]) { $1 }
    )
    _ = try await Subprocess.run(
      .path("/bin/sh"),
      arguments: ["-c", script, "sh", directory],
      environment: .custom(
        Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0), $1) })
      ),
      input: .inputWriter,
      output: .discarded,
      error: .currentStandardError
    ) { execution in
      while !FileManager.default.fileExists(atPath: "\(directory)/.s.PGSQL.6432") {
        try await Task.sleep(for: .milliseconds(20))
      }
      try await body(pooled)
      try await execution.standardInputWriter.finish()
    }
  }
}
