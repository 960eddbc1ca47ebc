function __annals_should_offer_completions_for_flags_or_options -a expected_commands
    set -l non_repeating_flags_or_options $argv[2..]
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __annals_parse_tokens
    test "$commands" = "$expected_commands"; and return $non_repeating_flags_or_options_absent
end

function __annals_should_offer_completions_for_positional -a expected_commands positional_index_comparison expected_positional_index
    set -l non_repeating_flags_or_options
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __annals_parse_tokens
    test "$commands" = "$expected_commands" -a \( "$positional_index" "$positional_index_comparison" "$expected_positional_index" \)
end

function __annals_parse_tokens -S
    set -l unparsed_tokens (__annals_tokens -pc)
    switch $unparsed_tokens[1]
    case 'annals'
        __annals_parse_subcommand 0 'version' 'help'
        switch $unparsed_tokens[1]
        case 'init'
            __annals_parse_subcommand 0 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'add-position' 'n/dry-run' 'version' 'help'
        case 'sandbox'
            __annals_parse_subcommand 0 'version' 'help'
            switch $unparsed_tokens[1]
            case 'start'
                __annals_parse_subcommand 0 'directory=' 'no-fsync' 'version' 'help'
            case 'stop'
                __annals_parse_subcommand 0 'directory=' 'immediate' 'version' 'help'
            case 'status'
                __annals_parse_subcommand 0 'directory=' 'o/output=' 'version' 'help'
            case 'reset'
                __annals_parse_subcommand 0 'directory=' 'y/yes' 'version' 'help'
            case 'env'
                __annals_parse_subcommand 0 'directory=' 'version' 'help'
            case 'exec'
                __annals_parse_subcommand -r 1 'directory=' 'version' 'help'
            end
        case 'append'
            __annals_parse_subcommand 3 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'expected-version=' 'id=' 'metadata=' 'correlation-id=' 'causation-id=' 'timestamp=' 'from=' 'batch-size=' 'skip-lines=' 'id-from=' 'max-errors=' 'rejects=' 'receipts' 'o/output=' 'retry-timeout=' 'n/dry-run' 'version' 'help'
        case 'stream'
            __annals_parse_subcommand 1 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'category=' 'type=+' 'from-position=' 'to-position=' 'since=' 'until=' 'limit=' 'from-version=' 'to-version=' 'reverse' 'o/output=' 'version' 'help'
        case 'replay'
            __annals_parse_subcommand 0 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'aggregate=' 'category=' 'type=+' 'from-position=' 'to-position=' 'since=' 'until=' 'limit=' 'follow' 'checkpoint=' 'exec=' 'timeout=' 'retries=' 'rate=' 'time-limit=' 'version' 'help'
        case 'watermark'
            __annals_parse_subcommand 0 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'o/output=' 'version' 'help'
        case 'snapshot'
            __annals_parse_subcommand 0 'version' 'help'
            switch $unparsed_tokens[1]
            case 'take'
                __annals_parse_subcommand -r 1 'category=' 'all' 'every=' 'workers=' 'reducer=' 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'version' 'help'
            case 'show'
                __annals_parse_subcommand 2 'at-version=' 'at=' 'diff=+' 'blame' 'no-snapshot' 'reducer=' 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'o/output=' 'version' 'help'
            case 'list'
                __annals_parse_subcommand -r 1 'category=' 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'o/output=' 'version' 'help'
            case 'verify'
                __annals_parse_subcommand -r 1 'category=' 'reducer=' 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'o/output=' 'version' 'help'
            case 'prune'
                __annals_parse_subcommand -r 1 'category=' 'keep=' 'stale' 'n/dry-run' 'y/yes' 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'version' 'help'
            end
        case 'rebuild-projection'
            __annals_parse_subcommand 1 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'chunk=' 'version' 'help'
        case 'verify-versions'
            __annals_parse_subcommand -r 1 'h/host=' 'p/port=' 'U/username=' 'd/dbname=' 'table=' 'o/output=' 'category=' 'incremental' 'first-version=' 'max-findings=' 'only=' 'skip=' 'fail-on=' 'explain' 'strict' 'manifest=' 'against=' 'metrics-file=' 'version' 'help'
        case 'help'
            __annals_parse_subcommand -r 1 'version'
        end
    end
end

function __annals_tokens
    if test (string split -m 1 -f 1 -- . "$FISH_VERSION") -gt 3
        commandline --tokens-raw $argv
    else
        commandline -o $argv
    end
end

function __annals_parse_subcommand -S -a positional_count
    argparse -s r -- $argv
    set -l option_specs $argv[2..]
    set -l is_repeating_positional $_flag_r
    set -el _flag_r
    set -a commands $unparsed_tokens[1]
    set positional_index 0
    while true
        set -e unparsed_tokens[1]
        argparse -sn "$commands" $option_specs -- $unparsed_tokens 2> /dev/null
        set unparsed_tokens $argv
        set positional_index (math $positional_index + 1)
        for non_repeating_flag_or_option in $non_repeating_flags_or_options
            if set -ql "_flag_$(string replace -a - _ -- $non_repeating_flag_or_option)"
                set non_repeating_flags_or_options_absent 1
                break
            end
        end
        test (count $unparsed_tokens) -eq 0 -o \( -z "$is_repeating_positional" -a "$positional_index" -gt "$positional_count" \) && break
    end
end

function __annals_complete_directories
    set -l token (commandline -t)
    string match -- '*/' $token
    set -l subdirs $token*/
    printf %s\n $subdirs
end

function __annals_custom_completion
    set -x SAP_SHELL fish
    set -x SAP_SHELL_VERSION $FISH_VERSION
    set -l tokens (__annals_tokens -p)
    if test -z "$(__annals_tokens -t)"
        set -l index (count (__annals_tokens -pc))
        set tokens $tokens[..$index] \'\' $tokens[(math $index + 1)..]
    end
    command $tokens[1] $argv $tokens
end

complete -c 'annals' -f
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'init' -d 'Make a database ready: the events table and schema annals.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'sandbox' -d 'Run a private PostgreSQL to try things out.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'append' -d 'Append an event to a stream, or the events of an NDJSON file.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'stream' -d 'Show the events of one aggregate, or of the whole store.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'replay' -d 'Print events as NDJSON, in the order of the whole store.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'watermark' -d 'Show how far history is final, and who holds it up.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'snapshot' -d 'Show the state of an aggregate at any time, and keep states.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'rebuild-projection' -d 'Build a read model anew from history and swap it in.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'verify-versions' -d 'Check that no version is missing, doubled or out of place.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals" -eq 1' -fa 'help' -d 'Show subcommand help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals init" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals init" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals init" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals init" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals init" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals init" add-position' -l 'add-position' -d 'Also add what a classic table lacks: position, metadata. Locks the table meanwhile.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals init" dry-run n' -s 'n' -l 'dry-run' -d 'Print the SQL and change nothing.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals init" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals init" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals sandbox" -eq 1' -fa 'start' -d 'Start the sandbox; make it when there is none.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals sandbox" -eq 1' -fa 'stop' -d 'Stop the sandbox.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals sandbox" -eq 1' -fa 'status' -d 'Show the sandbox\'s state.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals sandbox" -eq 1' -fa 'reset' -d 'Stop the sandbox and delete all its data.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals sandbox" -eq 1' -fa 'env' -d 'Print the variables that lead to the sandbox, for eval in a shell.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals sandbox" -eq 1' -fa 'exec' -d 'Run a command against the sandbox; start it if needed.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox start" directory' -l 'directory' -d 'The sandbox\'s folder.' -rfa '(__annals_complete_directories)'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox start" no-fsync' -l 'no-fsync' -d 'Run faster; a crash of the machine may destroy the sandbox.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox start" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox start" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox stop" directory' -l 'directory' -d 'The sandbox\'s folder.' -rfa '(__annals_complete_directories)'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox stop" immediate' -l 'immediate' -d 'Stop at once, without writing all to disk; the next start recovers.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox stop" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox stop" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox status" directory' -l 'directory' -d 'The sandbox\'s folder.' -rfa '(__annals_complete_directories)'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox status" o output' -s 'o' -l 'output' -d 'Output format.' -rfka 'table ndjson json csv'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox status" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox status" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox reset" directory' -l 'directory' -d 'The sandbox\'s folder.' -rfa '(__annals_complete_directories)'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox reset" y yes' -s 'y' -l 'yes' -d 'Do not ask.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox reset" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox reset" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox env" directory' -l 'directory' -d 'The sandbox\'s folder.' -rfa '(__annals_complete_directories)'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox env" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox env" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox exec" directory' -l 'directory' -d 'The sandbox\'s folder.' -rfa '(__annals_complete_directories)'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox exec" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals sandbox exec" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" expected-version' -l 'expected-version' -d 'The stream\'s last version: a number, none, any or exists.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" id' -l 'id' -d 'The event\'s id; appended again with the same id it is stored once.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" metadata' -l 'metadata' -d 'A JSON object to keep beside the payload.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" correlation-id' -l 'correlation-id' -d 'Stored in the metadata as correlation_id.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" causation-id' -l 'causation-id' -d 'Stored in the metadata as causation_id.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" timestamp' -l 'timestamp' -d 'When it happened (ISO 8601); otherwise now.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" from' -l 'from' -d 'Append the events of an NDJSON file, one a line; - is standard input.' -rF
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" batch-size' -l 'batch-size' -d 'Commit after so many lines, instead of all or nothing.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" skip-lines' -l 'skip-lines' -d 'Pass over lines that were committed before.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" id-from' -l 'id-from' -d 'Make missing ids from this member of the payload, the same in each run.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" max-errors' -l 'max-errors' -d 'Set up to so many bad lines aside, and exit with 5.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" rejects' -l 'rejects' -d 'Where bad lines go, as they were.' -rF
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" receipts' -l 'receipts' -d 'Print a record of each event: where it stands.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" o output' -l 'output' -s 'o' -d 'Format of the receipts (implies --receipts).' -rfka 'table ndjson json csv'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" retry-timeout' -l 'retry-timeout' -d 'Seconds to try to connect again after a lost connection.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" dry-run n' -s 'n' -l 'dry-run' -d 'Check everything, and change nothing.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals append" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" category' -l 'category' -d 'Only aggregates whose id is NAME or begins with NAME and a \'-\'.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream"' -l 'type' -d 'Only events of this type; can be given again for more.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" from-position' -l 'from-position' -d 'Begin at this place in the whole store.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" to-position' -l 'to-position' -d 'End at this place in the whole store.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" since' -l 'since' -d 'Only events from this time on: ISO 8601, \'yesterday\', \'2 hours ago\' (UTC).' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" until' -l 'until' -d 'Only events up to this time.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" limit' -l 'limit' -d 'At most this many events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" from-version' -l 'from-version' -d 'Begin at this version.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" to-version' -l 'to-version' -d 'End at this version.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" reverse' -l 'reverse' -d 'Show the last event first.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" o output' -s 'o' -l 'output' -d 'Output format.' -rfka 'table ndjson json csv'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals stream" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" aggregate' -l 'aggregate' -d 'Only the events of one aggregate.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" category' -l 'category' -d 'Only aggregates whose id is NAME or begins with NAME and a \'-\'.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay"' -l 'type' -d 'Only events of this type; can be given again for more.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" from-position' -l 'from-position' -d 'Begin at this place in the whole store.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" to-position' -l 'to-position' -d 'End at this place in the whole store.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" since' -l 'since' -d 'Only events from this time on: ISO 8601, \'yesterday\', \'2 hours ago\' (UTC).' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" until' -l 'until' -d 'Only events up to this time.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" limit' -l 'limit' -d 'At most this many events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" follow' -l 'follow' -d 'Go on with the events to come, as \'tail -f\' does.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" checkpoint' -l 'checkpoint' -d 'Remember under this name how far it got, and begin there the next time.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" exec' -l 'exec' -d 'Pass the events to this command (by sh -c), which answers with positions that it has done.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" timeout' -l 'timeout' -d 'Seconds that the command may take for an answer.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" retries' -l 'retries' -d 'How often the command is tried again when it fails at the same event.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" rate' -l 'rate' -d 'Most events a second.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" time-limit' -l 'time-limit' -d 'End after as many seconds.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals replay" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals watermark" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals watermark" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals watermark" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals watermark" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals watermark" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals watermark" o output' -s 'o' -l 'output' -d 'Output format.' -rfka 'table ndjson json csv'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals watermark" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals watermark" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals snapshot" -eq 1' -fa 'take' -d 'Store the states of aggregates.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals snapshot" -eq 1' -fa 'show' -d 'Show the state of an aggregate at any time, what changed in it, and which event changed it.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals snapshot" -eq 1' -fa 'list' -d 'List the stored snapshots.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals snapshot" -eq 1' -fa 'verify' -d 'Fold from the beginning and compare with the stored snapshots.'
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals snapshot" -eq 1' -fa 'prune' -d 'Delete old snapshots; they can be taken again.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" category' -l 'category' -d 'The aggregates whose id is NAME or begins with NAME and a \'-\'.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" all' -l 'all' -d 'All aggregates.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" every' -l 'every' -d 'Only where this many events or more came since the last snapshot.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" workers' -l 'workers' -d 'Connections that work side by side.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" reducer' -l 'reducer' -d 'The reducer: see annals-reducer(5). Default: the payloads merged in order.' -rfa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'sql\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot take" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" at-version' -l 'at-version' -d 'The state after the event of this version.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" at' -l 'at' -d 'The state at this time: ISO 8601, \'yesterday\', \'2 hours ago\' (UTC).' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show"' -l 'diff' -d 'What changed between two versions or times, A and B.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" blame' -l 'blame' -d 'For each path, the event that last changed it.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" no-snapshot' -l 'no-snapshot' -d 'Fold from the first event.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" reducer' -l 'reducer' -d 'The reducer: see annals-reducer(5). Default: the payloads merged in order.' -rfa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'sql\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" o output' -l 'output' -s 'o' -d 'Output format; without it, a state is printed as it is.' -rfka 'table ndjson json csv'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot show" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot list" category' -l 'category' -d 'The aggregates whose id is NAME or begins with NAME and a \'-\'.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot list" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot list" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot list" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot list" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot list" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot list" o output' -s 'o' -l 'output' -d 'Output format.' -rfka 'table ndjson json csv'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot list" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot list" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" category' -l 'category' -d 'The aggregates whose id is NAME or begins with NAME and a \'-\'.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" reducer' -l 'reducer' -d 'The reducer: see annals-reducer(5). Default: the payloads merged in order.' -rfa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'sql\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" o output' -s 'o' -l 'output' -d 'Output format.' -rfka 'table ndjson json csv'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot verify" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" category' -l 'category' -d 'The aggregates whose id is NAME or begins with NAME and a \'-\'.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" keep' -l 'keep' -d 'Keep so many of each aggregate and reducer, the newest.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" stale' -l 'stale' -d 'Also delete those that an older text of a reducer took.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" dry-run n' -s 'n' -l 'dry-run' -d 'Print the SQL and change nothing.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" y yes' -s 'y' -l 'yes' -d 'Do not ask.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals snapshot prune" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals rebuild-projection" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals rebuild-projection" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals rebuild-projection" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals rebuild-projection" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals rebuild-projection" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals rebuild-projection" chunk' -l 'chunk' -d 'Positions a transaction.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_positional "annals rebuild-projection" -eq 1' -fa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'sql\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals rebuild-projection" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals rebuild-projection" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" h host' -s 'h' -l 'host' -d 'Server host, or the folder of its socket.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" p port' -s 'p' -l 'port' -d 'Server port.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" U username' -s 'U' -l 'username' -d 'User to connect as.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" d dbname' -s 'd' -l 'dbname' -d 'Database, conninfo string or URI.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" table' -l 'table' -d 'The table of events.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" o output' -s 'o' -l 'output' -d 'Output format.' -rfka 'table ndjson json csv'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" category' -l 'category' -d 'Check the aggregates whose id is this up to the first \'-\'.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" incremental' -l 'incremental' -d 'Check the streams that have events since the last such check without an error.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" first-version' -l 'first-version' -d 'The version that a stream begins with, 0 or 1.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" max-findings' -l 'max-findings' -d 'Print at most so many findings; all are counted.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" only' -l 'only' -d 'Look for these kinds of finding only, separated by commas; \'versions\' is all that versions show.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" skip' -l 'skip' -d 'Leave out these kinds of finding.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" fail-on' -l 'fail-on' -d 'Exit with status 2 for these kinds of finding only; all errors otherwise.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" explain' -l 'explain' -d 'Add the likely cause of missing versions, and list holes in positions.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" strict' -l 'strict' -d 'Take warnings (time_order, classic_table) for errors.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" manifest' -l 'manifest' -d 'Also write a manifest of all events, to compare with later.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" against' -l 'against' -d 'Also compare all events with a manifest.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" metrics-file' -l 'metrics-file' -d 'Write Prometheus metrics to a textfile collector\'s *.prom file.' -rfka ''
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" version' -l 'version' -d 'Show the version.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals verify-versions" help' -l 'help' -d 'Show help information.'
complete -c 'annals' -n '__annals_should_offer_completions_for_flags_or_options "annals help" version' -l 'version' -d 'Show the version.'
