internal import ArgumentParser
internal import EventStore

/// The script that makes a shell complete `annals`.
///
/// It is ArgumentParser's script, changed because of some limits: it cannot handle an option that a shell takes as a
/// wildcard, such as -?; it splits words as readline does, also at colons; and it lets bash and zsh interpret the
/// offered names, which may contain any text here. For an option it offers words or files, but --layout takes both.
enum CompletionScript {
  /// The script that a command line requests with `--generate-completion-script SHELL`.
  static func requested(in arguments: [String]) -> String? {
    guard arguments.count == 2, arguments[0] == "--generate-completion-script" else { return nil }
    return CompletionShell(rawValue: arguments[1]).map(text)
  }

  private static func text(for shell: CompletionShell) -> String {
    let script = Annals.completionScript(for: shell)
    return switch shell {
    case .bash: forBash(script).edited(bashHelp, with: bashHelpSearch)
    case .zsh:
      replacingFunction("__annals_custom_complete", in: script, with: zshNames + zshLayouts)
        .editedEverywhere(":layout:_files -g '\\''*.sql'\\'''", with: ":layout:__annals_layout_names'")
        .edited("{-?,--help}", times: commandCount, with: "{'-?',--help}")
        .edited("        '*:subcommands:'\n", with: "        '*:subcommands:'\n" + zshHelpSearch)
    // fish cannot even parse -?, so only --help is offered there.
    case .fish:
      script.edited("    command $tokens[1] $argv $tokens\n", with: fishNames)
        .edited("'?/help'", times: commandCount, with: "'help'")
        .edited(" ? help'", times: commandCount, with: " help'")
        .edited(" -s '?'", times: commandCount, with: "")
        .edited("-r 1 'version'\n", with: "-r 1 'k=' 'version'\n")
        .editedEverywhere(
          "store; auto finds it.' -rfa '(for ",
          with: "store; auto finds it.' -rfa '\(layoutNames.joined(separator: " ")) (for "
        ) + fishHelpSearch
    default: script
    }
  }

  /// The values of --layout besides files; no shell gives their characters a special meaning.
  private static let layoutNames = [ConnectionOptions.automatic] + Layout.shippedNames

  /// One word on each line, as in ArgumentParser's scripts.
  private static let bashWords = layoutNames.map { "'\($0)'" }.joined(separator: "$'\\n'")

  private static let zshLayouts = """

    __annals_layout_names() {
        local -i ret=1
        __annals_complete \(layoutNames.joined(separator: " ")) && ret=0
        _files -g '*.sql' && ret=0
        return "${ret}"
    }

    """

  // `help` is ArgumentParser's, which does not know `help -k`.
  private static let bashHelp = """
    _annals_help() {
        repeating_flags=()
        non_repeating_flags=(--version)
        repeating_options=()
        non_repeating_options=(
    """
  private static let bashHelpSearch = bashHelp + "-k"
  private static let zshHelpSearch = "        '-k[\(HelpSearch.abstract)]:word:'\n"
  private static let fishHelpSearch =
    "\ncomplete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options \"annals help\" k' -s 'k'"
    + " -d '\(HelpSearch.abstract)' -rfka ''"

  /// Each command has help.
  private static let commandCount = count(Annals.self)

  private static func count(_ command: any ParsableCommand.Type) -> Int {
    command.configuration.subcommands.reduce(1) { $0 + count($1) }
  }

  private static func forBash(_ script: String) -> String {
    let nameCount = script.occurrences(of: "$(__annals_custom_complete ")
    return replacingFunction("__annals_custom_complete", in: script, with: bashNames)
      .edited(
        "__annals_add_completions -W \"$(__annals_custom_complete ",
        times: nameCount,
        with: "__annals_custom_complete "
      )
      .edited(
        " \"${COMP_CWORD}\" \"$(__annals_cursor_index_in_current_word)\")\"",
        times: nameCount,
        with: ""
      )
      .edited("    local -r cur=\"${2}\"\n", with: bashSplit + "    local -r cur=\"${2}\"\n")
      .edited("prev=\"${3}\"", with: "prev=\"${COMP_WORDS[COMP_CWORD - 1]}\"")
      .edited(" -? --help)", times: commandCount, with: " '-?' --help)")
      .editedEverywhere(
        "    '--layout')\n",
        with: "    '--layout')\n        __annals_add_completions -W \(bashWords)\n"
      )
  }

  private static func replacingFunction(_ name: String, in script: String, with function: String) -> String {
    let scalars = script.unicodeScalars
    guard let start = scalars.firstRange(of: "\(name)() {\n".unicodeScalars),
      let end = scalars[start.upperBound...].firstRange(of: "\n}\n".unicodeScalars),
      script.occurrences(of: "\(name)() {\n") == 1
    else { preconditionFailure("ArgumentParser's script has not one function \(name)") }
    return script[..<start.lowerBound] + function + script[end.upperBound...]
  }

  private static let bashSplit = """
        local -a COMP_WORDS
        local -i COMP_CWORD
        __annals_split_line


    """

  private static let bashNames = #"""
    # Offers names that annals finds in the database, quoted where they must be. compgen -W would expand them, commands
    # and all.
    __annals_custom_complete() {
        local name
        compopt +o filenames 2>/dev/null
        while IFS='' read -r name; do
            COMPREPLY+=("${name}")
        done < <("${COMP_WORDS[0]}" "${@}" 0 0 "${COMP_LINE:0:COMP_POINT}" "${cur}" 2>/dev/null)
    }

    # Splits the line up to the cursor at blanks. readline splits at the characters of COMP_WORDBREAKS as well, such
    # as a colon, which may be part of a name.
    __annals_split_line() {
        local -r line="${COMP_LINE:0:COMP_POINT}"
        local word='' quote='' character
        local -i index
        COMP_WORDS=()
        for ((index = 0; index < ${#line}; index++)); do
            character="${line:index:1}"
            if [[ "${character}" = \\ && "${quote}" != \' ]]; then
                word+="${character}"
                ((++index))
                character="${line:index:1}"
            elif [[ "${character}" = "${quote}" ]]; then
                quote=''
            elif [[ -z "${quote}" && "${character}" = [\'\"] ]]; then
                quote="${character}"
            elif [[ -z "${quote}" && "${character}" = [[:blank:]] ]]; then
                [[ -n "${word}" ]] && COMP_WORDS+=("${word}")
                word=''
                continue
            fi
            word+="${character}"
        done
        COMP_WORDS+=("${word}")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    }

    """#

  private static let zshNames = #"""
    __annals_custom_complete() {
        local -a names
        names=("${(@f)$("${command_name}" "${@}" "${(j: :)command_line[1,current_word_index + 1]}" 2>/dev/null)}")
        # The last line is a blank. zsh does not keep an exclamation mark from its history, which would bring any earlier
        # command into the line. _describe would take what follows a colon for a description.
        names=("${(@)names:#*\!*}")
        (( ${#names} > 1 )) && compadd -V names -- "${(@)names[1,-2]}"
    }

    """#

  private static let fishNames = """
        command $tokens[1] $argv (commandline -cp | string collect) 2>/dev/null

    """
}

extension String {
  /// Replaces a text that ArgumentParser writes `count` times. Without the change a script would be unsafe, and a text
  /// that occurs more often must not be changed.
  func edited(_ text: String, times count: Int = 1, with other: String) -> String {
    let found = occurrences(of: text)
    precondition(found == count, "ArgumentParser's script has \(found) times, not \(count) times: \(text)")
    return String(unicodeScalars.replacing(text.unicodeScalars, with: other.unicodeScalars))
  }

  /// Replaces a text wherever it occurs; it must occur.
  fileprivate func editedEverywhere(_ text: String, with other: String) -> String {
    edited(text, times: max(1, occurrences(of: text)), with: other)
  }

  fileprivate func occurrences(of text: String) -> Int {
    unicodeScalars.ranges(of: text.unicodeScalars).count
  }
}
