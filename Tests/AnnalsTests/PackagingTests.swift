import FoundationEssentials
import TestSupport
import Testing

/// What `make dist` and `make deb` hand to others.
@Suite struct PackagingTests {
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/dpkg-deb")))
  func theDebianPackageHoldsWhatIsInstalled() async throws {
    let output = try await run(
      """
      export SOURCE_DATE_EPOCH=1700000000 DPKG_DEB_COMPRESSOR_TYPE=none
      for name in one two; do
        make -s deb BINARY="$ANNALS" DEB="$FOLDER/$name.deb" MAINTAINER='Test <test@example.org>' LINTIAN= > /dev/null 2>&1
      done
      cmp "$FOLDER/one.deb" "$FOLDER/two.deb"
      dpkg-deb -x "$FOLDER/one.deb" "$FOLDER/root"
      for page in man/*; do
        gzip -dc "$FOLDER/root/usr/share/man/man${page##*.}/${page##*/}.gz" | cmp - "$page"
      done
      cd "$FOLDER/root/usr/share"
      cmp bash-completion/completions/annals.bash "$SOURCE/completions/annals.bash"
      cmp zsh/vendor-completions/_annals "$SOURCE/completions/_annals"
      cmp fish/vendor_completions.d/annals.fish "$SOURCE/completions/annals.fish"
      diff annals/layouts "$SOURCE/Sources/EventStore/Layouts/SQL" || :
      gzip -dc doc/annals/changelog.gz | cmp - "$SOURCE/CHANGELOG.md"
      test -s doc/annals/copyright
      ../bin/annals --version
      dpkg-deb -f "$FOLDER/one.deb" Version Maintainer Depends
      gzip -dc doc/annals/changelog.Debian.gz | tail -n 1
      """
    )
    let lines = output.split(separator: "\n").map(String.init)
    let version = lines[0].replacing("annals ", with: "")
    #expect(lines.count == 5, "\(output)")
    #expect(lines[1] == "Version: \(version)-1")
    #expect(lines[2] == "Maintainer: Test <test@example.org>")
    #expect(lines[3].contains("libc6") && lines[3].contains("libpq5 (>= 15)"))
    #expect(lines[4] == " -- Test <test@example.org>  Tue, 14 Nov 2023 22:13:20 +0000")
  }

  @Test(.enabled(if: SourceTree.exists(".git")))
  func theTarballHoldsWhatIsCommitted() async throws {
    let output = try await run(
      """
      make -s dist TARBALL="$FOLDER/one.tar.gz"
      make -s dist TARBALL="$FOLDER/two.tar.gz"
      cmp "$FOLDER/one.tar.gz" "$FOLDER/two.tar.gz"
      "$ANNALS" --version | tr ' ' -
      git ls-tree -r --name-only HEAD | LC_ALL=C sort > "$FOLDER/committed"
      cd "$FOLDER" && tar -xzf one.tar.gz && ls -d annals-*
      cd annals-* && find . -type f | cut -c 3- | LC_ALL=C sort | diff ../committed -
      """
    )
    let lines = output.split(separator: "\n")
    #expect(lines.count == 2 && lines[0] == lines[1], "\(output)")
  }

  /// The output of a script that runs in the source tree, and may leave files in `$FOLDER`.
  private func run(_ script: String) async throws -> String {
    let folder = "/tmp/annals-test-packaging-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = try await runShell(
      "set -e; cd \"$SOURCE\"\n" + script,
      environment: [
        "SOURCE": SourceTree.path(""), "FOLDER": folder, "ANNALS": "\(AnnalsBinary.path)",
        // Whoever runs the tests need not own the sources.
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
      ]
    )
    #expect(run.exitCode == 0, "\(run.standardOutput)\(run.standardError)")
    return run.standardOutput
  }
}
