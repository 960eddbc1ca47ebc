#!/bin/bash

__annals_cursor_index_in_current_word() {
    local remaining="${COMP_LINE}"

    local word
    for word in "${COMP_WORDS[@]::COMP_CWORD}"; do
        remaining="${remaining##*([[:space:]])"${word}"*([[:space:]])}"
    done

    local -ir index="$((COMP_POINT - ${#COMP_LINE} + ${#remaining}))"
    if [[ "${index}" -le 0 ]]; then
        printf 0
    else
        printf %s "${index}"
    fi
}

# positional arguments:
#
# - 1: the current (sub)command's count of positional arguments
#
# required variables:
#
# - repeating_flags: the repeating flags that the current (sub)command can accept
# - non_repeating_flags: the non-repeating flags that the current (sub)command can accept
# - repeating_options: the repeating options that the current (sub)command can accept
# - non_repeating_options: the non-repeating options that the current (sub)command can accept
# - positional_number: value ignored
# - unparsed_words: unparsed words from the current command line
#
# modified variables:
#
# - non_repeating_flags: remove flags for this (sub)command that are already on the command line
# - non_repeating_options: remove options for this (sub)command that are already on the command line
# - positional_number: set to the current positional number
# - unparsed_words: remove all flags, options, and option values for this (sub)command
__annals_offer_flags_options() {
    local -ir positional_count="${1}"
    positional_number=0

    local was_flag_option_terminator_seen=false
    local is_parsing_option_value=false

    local -ar unparsed_word_indices=("${!unparsed_words[@]}")
    local -i word_index
    for word_index in "${unparsed_word_indices[@]}"; do
        if "${is_parsing_option_value}"; then
            # This word is an option value:
            # Reset marker for next word iff not currently the last word
            [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]] && is_parsing_option_value=false
            unset "unparsed_words[${word_index}]"
            # Do not process this word as a flag or an option
            continue
        fi

        local word="${unparsed_words["${word_index}"]}"
        if ! "${was_flag_option_terminator_seen}"; then
            case "${word}" in
            --)
                unset "unparsed_words[${word_index}]"
                # by itself -- is a flag/option terminator, but if it is the last word, it is the start of a completion
                if [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]]; then
                    was_flag_option_terminator_seen=true
                fi
                continue
                ;;
            -*)
                # ${word} is a flag or an option
                # If ${word} is an option, mark that the next word to be parsed is an option value
                local option
                for option in "${repeating_options[@]}" "${non_repeating_options[@]}"; do
                    [[ "${word}" = "${option}" ]] && is_parsing_option_value=true && break
                done

                # Remove ${word} from ${non_repeating_flags} or ${non_repeating_options} so it isn't offered again
                local not_found=true
                local -i index
                for index in "${!non_repeating_flags[@]}"; do
                    if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                        unset "non_repeating_flags[${index}]"
                        non_repeating_flags=("${non_repeating_flags[@]}")
                        not_found=false
                        break
                    fi
                done
                if "${not_found}"; then
                    for index in "${!non_repeating_flags[@]}"; do
                        if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                            unset "non_repeating_flags[${index}]"
                            non_repeating_flags=("${non_repeating_flags[@]}")
                            break
                        fi
                    done
                fi
                unset "unparsed_words[${word_index}]"
                continue
                ;;
            esac
        fi

        # ${word} is neither a flag, nor an option, nor an option value
        if [[ "${positional_number}" -lt "${positional_count}" || "${positional_count}" -lt 0 ]]; then
            # ${word} is a positional
            ((positional_number++))
            unset "unparsed_words[${word_index}]"
        else
            if [[ -z "${word}" ]]; then
                # Could be completing a flag, option, or subcommand
                positional_number=-1
            else
                # ${word} is a subcommand or invalid, so stop processing this (sub)command
                positional_number=-2
            fi
            break
        fi
    done

    unparsed_words=("${unparsed_words[@]}")

    if\
        ! "${was_flag_option_terminator_seen}"\
        && ! "${is_parsing_option_value}"\
        && [[ ("${cur}" = -* && "${positional_number}" -ge 0) || "${positional_number}" -eq -1 ]]
    then
        COMPREPLY+=($(compgen -W "${repeating_flags[*]} ${non_repeating_flags[*]} ${repeating_options[*]} ${non_repeating_options[*]}" -- "${cur}"))
    fi
}

__annals_add_completions() {
    local completion
    while IFS='' read -r completion; do
        COMPREPLY+=("${completion}")
    done < <(IFS=$'\n' compgen "${@}" -- "${cur}")
}

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

_annals() {
    local state
    state="$(shopt -p;shopt -po)"
    trap "${state//$'\n'/;}" RETURN
    shopt -s extglob
    set +o history +o posix

    local -xr SAP_SHELL=bash
    local -x SAP_SHELL_VERSION
    SAP_SHELL_VERSION="$(IFS='.';printf %s "${BASH_VERSINFO[*]}")"
    local -r SAP_SHELL_VERSION

    local -a COMP_WORDS
    local -i COMP_CWORD
    __annals_split_line

    local -r cur="${2}"
    local -r prev="${COMP_WORDS[COMP_CWORD - 1]}"

    local -i positional_number
    local -a unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")

    local -a repeating_flags=()
    local -a non_repeating_flags=(--version '-?' --help)
    local -a repeating_options=()
    local -a non_repeating_options=()
    __annals_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    init|layouts|sandbox|verify-versions|check|doctor|protect|audit|version|compare|report|types|evolve|export|restore|archive|redact|append|stream|streams|show|trace|replay|watermark|snapshot|stats|browse|check-projection|rebuild-projection|project|run|projections|checkpoints|dead-letters|test|help)
        # Offer subcommand argument completions
        "_annals_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'init layouts sandbox verify-versions check doctor protect audit version compare report types evolve export restore archive redact append stream streams show trace replay watermark snapshot stats browse check-projection rebuild-projection project run projections checkpoints dead-letters test help' -- "${cur}"))
        ;;
    esac
}

_annals_init() {
    repeating_flags=()
    non_repeating_flags=(--add-position --online --citus --notify --no-notify -n --dry-run --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --progress --partitions)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--progress')
        return
        ;;
    '--partitions')
        return
        ;;
    esac
}

_annals_layouts() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=()
    __annals_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|show|write)
        # Offer subcommand argument completions
        "_annals_layouts_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list show write' -- "${cur}"))
        ;;
    esac
}

_annals_layouts_list() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=()
    non_repeating_options=(-o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_layouts_show() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=()
    __annals_offer_flags_options 1

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_add_completions -W 'commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        return
        ;;
    esac
}

_annals_layouts_write() {
    repeating_flags=()
    non_repeating_flags=(--force --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_add_completions -W 'commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        return
        ;;
    2)
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    esac
}

_annals_sandbox() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=()
    __annals_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    start|stop|status|reset|env|exec)
        # Offer subcommand argument completions
        "_annals_sandbox_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'start stop status reset env exec' -- "${cur}"))
        ;;
    esac
}

_annals_sandbox_start() {
    repeating_flags=()
    non_repeating_flags=(--no-fsync --version '-?' --help)
    repeating_options=()
    non_repeating_options=(--directory)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--directory')
        __annals_add_completions -d
        return
        ;;
    esac
}

_annals_sandbox_stop() {
    repeating_flags=()
    non_repeating_flags=(--immediate --version '-?' --help)
    repeating_options=()
    non_repeating_options=(--directory)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--directory')
        __annals_add_completions -d
        return
        ;;
    esac
}

_annals_sandbox_status() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=()
    non_repeating_options=(--directory -o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--directory')
        __annals_add_completions -d
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_sandbox_reset() {
    repeating_flags=()
    non_repeating_flags=(-y --yes --version '-?' --help)
    repeating_options=()
    non_repeating_options=(--directory)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--directory')
        __annals_add_completions -d
        return
        ;;
    esac
}

_annals_sandbox_env() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=(--directory --shell)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--directory')
        __annals_add_completions -d
        return
        ;;
    '--shell')
        __annals_add_completions -W 'sh'$'\n''bash'$'\n''zsh'$'\n''fish'
        return
        ;;
    esac
}

_annals_sandbox_exec() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=(--directory)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--directory')
        __annals_add_completions -d
        return
        ;;
    esac
}

_annals_verify-versions() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --incremental --explain --strict --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields --category --time-limit --wait-limit --first-version --max-findings --only --skip --fail-on --workers --baseline --write-baseline --manifest --against --metrics-file)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    '--category')
        __annals_custom_complete ---completion verify-versions -- --category
        return
        ;;
    '--time-limit')
        return
        ;;
    '--wait-limit')
        return
        ;;
    '--first-version')
        return
        ;;
    '--max-findings')
        return
        ;;
    '--only')
        return
        ;;
    '--skip')
        __annals_add_completions -W 'versions'$'\n''gap'$'\n''duplicate_version'$'\n''wrong_first_version'$'\n''invalid_version'$'\n''position_order'$'\n''duplicate_id'$'\n''duplicate_position'$'\n''snapshot_ahead'$'\n''checkpoint_ahead'$'\n''checkpoint_differs'$'\n''late_event'$'\n''event_skipped'$'\n''time_order'$'\n''classic_table'$'\n''positions_not_final'$'\n''sequence_behind'$'\n''position_hole'$'\n''event_changed'$'\n''event_redacted'$'\n''event_removed'$'\n''event_added'$'\n''event_moved'$'\n''stream_cut_off'
        return
        ;;
    '--fail-on')
        __annals_add_completions -W 'versions'$'\n''gap'$'\n''duplicate_version'$'\n''wrong_first_version'$'\n''invalid_version'$'\n''position_order'$'\n''duplicate_id'$'\n''duplicate_position'$'\n''snapshot_ahead'$'\n''checkpoint_ahead'$'\n''checkpoint_differs'$'\n''late_event'$'\n''event_skipped'$'\n''time_order'$'\n''classic_table'$'\n''positions_not_final'$'\n''sequence_behind'$'\n''position_hole'$'\n''event_changed'$'\n''event_redacted'$'\n''event_removed'$'\n''event_added'$'\n''event_moved'$'\n''stream_cut_off'
        return
        ;;
    '--workers')
        return
        ;;
    '--baseline')
        return
        ;;
    '--write-baseline')
        return
        ;;
    '--manifest')
        return
        ;;
    '--against')
        return
        ;;
    '--metrics-file')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_custom_complete ---completion verify-versions -- positional@0
        return
        ;;
    esac
}

_annals_check() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --max-lag --max-dead-letters --max-age --stale-after --watch --format --time-limit)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--max-lag')
        return
        ;;
    '--max-dead-letters')
        return
        ;;
    '--max-age')
        return
        ;;
    '--stale-after')
        return
        ;;
    '--watch')
        return
        ;;
    '--format')
        __annals_add_completions -W 'nagios'$'\n''prometheus'$'\n''json'
        return
        ;;
    '--time-limit')
        return
        ;;
    esac
}

_annals_doctor() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_protect() {
    repeating_flags=()
    non_repeating_flags=(--roles --immutable --off -n --dry-run --yes --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--name --reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--name')
        return
        ;;
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac
}

_annals_audit() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--action --set)
    non_repeating_options=(--since --until --limit -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--since')
        return
        ;;
    '--until')
        return
        ;;
    '--action')
        __annals_add_completions -W 'init'$'\n''migrate'$'\n''add-position'$'\n''build'$'\n''copy'$'\n''finish'$'\n''swap'$'\n''rollback'$'\n''drop'$'\n''pause'$'\n''resume'$'\n''set-checkpoint'$'\n''rename-checkpoint'$'\n''remove-checkpoint'$'\n''retry'$'\n''discard'$'\n''skip'$'\n''unskip'$'\n''prune-snapshots'$'\n''restore'$'\n''protect'$'\n''redact'$'\n''archive'
        return
        ;;
    '--limit')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_version() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=()
    non_repeating_options=(-o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_compare() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--data --metadata --text --where --set)
    non_repeating_options=(--category --with --with-table --with-layout --max-differences -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--category')
        __annals_custom_complete ---completion compare -- --category
        return
        ;;
    '--with')
        __annals_add_completions -f
        return
        ;;
    '--with-table')
        return
        ;;
    '--with-layout')
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--data')
        return
        ;;
    '--metadata')
        return
        ;;
    '--text')
        return
        ;;
    '--where')
        return
        ;;
    '--max-differences')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_custom_complete ---completion compare -- positional@0
        return
        ;;
    esac
}

_annals_report() {
    repeating_flags=()
    non_repeating_flags=(--text --no-ids --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--html --history --verify --since --now --part-timeout -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--html')
        return
        ;;
    '--history')
        return
        ;;
    '--verify')
        return
        ;;
    '--since')
        return
        ;;
    '--now')
        return
        ;;
    '--part-timeout')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac
}

_annals_types() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=()
    __annals_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|show)
        # Offer subcommand argument completions
        "_annals_types_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list show' -- "${cur}"))
        ;;
    esac
}

_annals_types_list() {
    repeating_flags=()
    non_repeating_flags=(--exact --all -x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--category --sample -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--category')
        __annals_custom_complete ---completion types list -- --category
        return
        ;;
    '--sample')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_types_show() {
    repeating_flags=()
    non_repeating_flags=(--shapes --json-schema --all -x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--sample -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--sample')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion types show -- positional@0
        return
        ;;
    esac
}

_annals_evolve() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=()
    __annals_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    check|plan|apply|rollback)
        # Offer subcommand argument completions
        "_annals_evolve_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'check plan apply rollback' -- "${cur}"))
        ;;
    esac
}

_annals_evolve_check() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--projection --set)
    non_repeating_options=(--sample --compare --max-failures -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--sample')
        return
        ;;
    '--compare')
        return
        ;;
    '--projection')
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--max-failures')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    esac
}

_annals_evolve_plan() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--out -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--out')
        __annals_add_completions -f
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    esac
}

_annals_evolve_apply() {
    repeating_flags=()
    non_repeating_flags=(--swap --yes -n --dry-run --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--into --chunk --progress --retry-timeout --wait-limit --reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--into')
        return
        ;;
    '--chunk')
        return
        ;;
    '--progress')
        return
        ;;
    '--retry-timeout')
        return
        ;;
    '--wait-limit')
        return
        ;;
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_add_completions -f
        return
        ;;
    esac
}

_annals_evolve_rollback() {
    repeating_flags=()
    non_repeating_flags=(--yes --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--into --reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--into')
        return
        ;;
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac
}

_annals_export() {
    repeating_flags=()
    non_repeating_flags=(--with-archive --version '-?' --help)
    repeating_options=(--aggregate --set)
    non_repeating_options=(--category --since --until --before --since-file --output-dir --events-per-file -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --wait-limit --progress)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--aggregate')
        __annals_custom_complete ---completion export -- --aggregate
        return
        ;;
    '--category')
        __annals_custom_complete ---completion export -- --category
        return
        ;;
    '--since')
        return
        ;;
    '--until')
        return
        ;;
    '--before')
        return
        ;;
    '--since-file')
        __annals_add_completions -f
        return
        ;;
    '--output-dir')
        __annals_add_completions -d
        return
        ;;
    '--events-per-file')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--wait-limit')
        return
        ;;
    '--progress')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_add_completions -f
        return
        ;;
    esac
}

_annals_restore() {
    repeating_flags=()
    non_repeating_flags=(--missing -n --dry-run --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --progress)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--progress')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_add_completions -f
        return
        ;;
    esac
}

_annals_archive() {
    repeating_flags=()
    non_repeating_flags=(--keep-from-snapshot --undo -n --dry-run --yes -x --expanded --version '-?' --help)
    repeating_options=(--stream --closed-by --set)
    non_repeating_options=(--category --before --reason --progress -o --output --fields -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--stream')
        __annals_custom_complete ---completion archive -- --stream
        return
        ;;
    '--category')
        __annals_custom_complete ---completion archive -- --category
        return
        ;;
    '--before')
        return
        ;;
    '--closed-by')
        __annals_custom_complete ---completion archive -- --closed-by
        return
        ;;
    '--reason')
        return
        ;;
    '--progress')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac
}

_annals_redact() {
    repeating_flags=()
    non_repeating_flags=(-n --dry-run --yes --drop-kept --vacuum -x --expanded --version '-?' --help)
    repeating_options=(--stream --type --data --metadata --text --where --path --metadata-path --set)
    non_repeating_options=(--category --from-position --to-position --since --until --before --with --hash-with --file --reason --progress -o --output --fields -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--stream')
        __annals_custom_complete ---completion redact -- --stream
        return
        ;;
    '--category')
        __annals_custom_complete ---completion redact -- --category
        return
        ;;
    '--type')
        __annals_custom_complete ---completion redact -- --type
        return
        ;;
    '--from-position')
        return
        ;;
    '--to-position')
        return
        ;;
    '--since')
        return
        ;;
    '--until')
        return
        ;;
    '--before')
        return
        ;;
    '--data')
        return
        ;;
    '--metadata')
        return
        ;;
    '--text')
        return
        ;;
    '--where')
        return
        ;;
    '--path')
        return
        ;;
    '--metadata-path')
        return
        ;;
    '--with')
        return
        ;;
    '--hash-with')
        __annals_add_completions -f
        return
        ;;
    '--file')
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--reason')
        return
        ;;
    '--progress')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac
}

_annals_append() {
    repeating_flags=()
    non_repeating_flags=(--receipts -x --expanded -n --dry-run --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --expected-version --id --metadata --correlation-id --causation-id --timestamp --from --batch-size --workers --skip-lines --id-from --run-id --max-errors --rejects --progress -o --output --fields --retry-timeout)
    __annals_offer_flags_options 3

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--expected-version')
        return
        ;;
    '--id')
        return
        ;;
    '--metadata')
        return
        ;;
    '--correlation-id')
        return
        ;;
    '--causation-id')
        return
        ;;
    '--timestamp')
        return
        ;;
    '--from')
        __annals_add_completions -f
        return
        ;;
    '--batch-size')
        return
        ;;
    '--workers')
        return
        ;;
    '--skip-lines')
        return
        ;;
    '--id-from')
        return
        ;;
    '--run-id')
        return
        ;;
    '--max-errors')
        return
        ;;
    '--rejects')
        __annals_add_completions -f
        return
        ;;
    '--progress')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    '--retry-timeout')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion append -- positional@0
        return
        ;;
    2)
        __annals_custom_complete ---completion append -- positional@1
        return
        ;;
    esac
}

_annals_stream() {
    repeating_flags=()
    non_repeating_flags=(--raw --with-archive --count --reverse --strict --follow -x --expanded --version '-?' --help)
    repeating_options=(--set --type --data --metadata --text --where)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters --category --from-position --to-position --since --until --before --limit --from-version --to-version --last --retry-timeout --payload --color -o --output --fields)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '--category')
        __annals_custom_complete ---completion stream -- --category
        return
        ;;
    '--type')
        __annals_custom_complete ---completion stream -- --type
        return
        ;;
    '--from-position')
        return
        ;;
    '--to-position')
        return
        ;;
    '--since')
        return
        ;;
    '--until')
        return
        ;;
    '--before')
        return
        ;;
    '--data')
        return
        ;;
    '--metadata')
        return
        ;;
    '--text')
        return
        ;;
    '--where')
        return
        ;;
    '--limit')
        return
        ;;
    '--from-version')
        return
        ;;
    '--to-version')
        return
        ;;
    '--last')
        return
        ;;
    '--retry-timeout')
        return
        ;;
    '--payload')
        __annals_add_completions -W 'full'$'\n''compact'$'\n''none'
        return
        ;;
    '--color')
        __annals_add_completions -W 'auto'$'\n''always'$'\n''never'
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion stream -- positional@0
        return
        ;;
    esac
}

_annals_streams() {
    repeating_flags=()
    non_repeating_flags=(--categories --all --exact -x --expanded --version '-?' --help)
    repeating_options=(--type --data --metadata --text --where --set)
    non_repeating_options=(--category --since --until --longer-than --after --sort --limit -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--category')
        __annals_custom_complete ---completion streams -- --category
        return
        ;;
    '--type')
        __annals_custom_complete ---completion streams -- --type
        return
        ;;
    '--since')
        return
        ;;
    '--until')
        return
        ;;
    '--longer-than')
        return
        ;;
    '--after')
        return
        ;;
    '--sort')
        __annals_add_completions -W 'name'$'\n''events'$'\n''last'$'\n''bytes'
        return
        ;;
    '--data')
        return
        ;;
    '--metadata')
        return
        ;;
    '--text')
        return
        ;;
    '--where')
        return
        ;;
    '--limit')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion streams -- positional@0
        return
        ;;
    esac
}

_annals_show() {
    repeating_flags=()
    non_repeating_flags=(--raw --with-archive -x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reducer -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters -o --output --fields)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--reducer')
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_trace() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_replay() {
    repeating_flags=()
    non_repeating_flags=(--raw --with-archive --follow --standby --park -n --dry-run -x --expanded --version '-?' --help)
    repeating_options=(--set --type --data --metadata --text --where)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters --aggregate --category --from-position --to-position --since --until --before --limit --checkpoint --start --exec --workers --timeout --retries --rate --time-limit --retry-timeout --wait-limit -o --output --fields --into --progress)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '--aggregate')
        __annals_custom_complete ---completion replay -- --aggregate
        return
        ;;
    '--category')
        __annals_custom_complete ---completion replay -- --category
        return
        ;;
    '--type')
        __annals_custom_complete ---completion replay -- --type
        return
        ;;
    '--from-position')
        return
        ;;
    '--to-position')
        return
        ;;
    '--since')
        return
        ;;
    '--until')
        return
        ;;
    '--before')
        return
        ;;
    '--data')
        return
        ;;
    '--metadata')
        return
        ;;
    '--text')
        return
        ;;
    '--where')
        return
        ;;
    '--limit')
        return
        ;;
    '--checkpoint')
        __annals_custom_complete ---completion replay -- --checkpoint
        return
        ;;
    '--start')
        return
        ;;
    '--exec')
        return
        ;;
    '--workers')
        return
        ;;
    '--timeout')
        return
        ;;
    '--retries')
        return
        ;;
    '--rate')
        return
        ;;
    '--time-limit')
        return
        ;;
    '--retry-timeout')
        return
        ;;
    '--wait-limit')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    '--into')
        return
        ;;
    '--progress')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    esac
}

_annals_watermark() {
    repeating_flags=()
    non_repeating_flags=(--publish -x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --every --wait-limit --retry-timeout -o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--every')
        return
        ;;
    '--wait-limit')
        return
        ;;
    '--retry-timeout')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_snapshot() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=()
    __annals_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    take|show|list|verify|prune)
        # Offer subcommand argument completions
        "_annals_snapshot_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'take show list verify prune' -- "${cur}"))
        ;;
    esac
}

_annals_snapshot_take() {
    repeating_flags=()
    non_repeating_flags=(--all --raw --with-archive --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--category --every --workers --retry-timeout --reducer -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--category')
        __annals_custom_complete ---completion snapshot take -- --category
        return
        ;;
    '--every')
        return
        ;;
    '--workers')
        return
        ;;
    '--retry-timeout')
        return
        ;;
    '--reducer')
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_custom_complete ---completion snapshot take -- positional@0
        return
        ;;
    esac
}

_annals_snapshot_show() {
    repeating_flags=()
    non_repeating_flags=(--blame --strict --no-snapshot --raw --with-archive -x --expanded --version '-?' --help)
    repeating_options=(--diff --set)
    non_repeating_options=(--at-version --at --reducer -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters -o --output --fields)
    __annals_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--at-version')
        return
        ;;
    '--at')
        return
        ;;
    '--diff')
        return
        ;;
    '--reducer')
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion snapshot show -- positional@0
        return
        ;;
    esac
}

_annals_snapshot_list() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--category -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--category')
        __annals_custom_complete ---completion snapshot list -- --category
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_custom_complete ---completion snapshot list -- positional@0
        return
        ;;
    esac
}

_annals_snapshot_verify() {
    repeating_flags=()
    non_repeating_flags=(--raw -x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--category --reducer -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters -o --output --fields)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--category')
        __annals_custom_complete ---completion snapshot verify -- --category
        return
        ;;
    '--reducer')
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_custom_complete ---completion snapshot verify -- positional@0
        return
        ;;
    esac
}

_annals_snapshot_prune() {
    repeating_flags=()
    non_repeating_flags=(--stale -n --dry-run -y --yes --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--category --keep --reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--category')
        __annals_custom_complete ---completion snapshot prune -- --category
        return
        ;;
    '--keep')
        return
        ;;
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_custom_complete ---completion snapshot prune -- positional@0
        return
        ;;
    esac
}

_annals_stats() {
    repeating_flags=()
    non_repeating_flags=(--all --exact -x --expanded --version '-?' --help)
    repeating_options=(--data --metadata --text --where --set)
    non_repeating_options=(--by --sort --top --since --until --sample -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--by')
        __annals_add_completions -W 'category'$'\n''type'$'\n''stream'$'\n''hour'$'\n''day'$'\n''week'$'\n''month'
        return
        ;;
    '--sort')
        __annals_add_completions -W 'name'$'\n''events'$'\n''bytes'$'\n''streams'$'\n''last'
        return
        ;;
    '--top')
        return
        ;;
    '--since')
        return
        ;;
    '--until')
        return
        ;;
    '--data')
        return
        ;;
    '--metadata')
        return
        ;;
    '--text')
        return
        ;;
    '--where')
        return
        ;;
    '--sample')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_browse() {
    repeating_flags=()
    non_repeating_flags=(--raw --version '-?' --help)
    repeating_options=(--reducer --set)
    non_repeating_options=(--http-port --socket --get --payload --verify --history --upcasters -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--http-port')
        return
        ;;
    '--socket')
        return
        ;;
    '--get')
        return
        ;;
    '--payload')
        __annals_add_completions -W 'none'$'\n''keys'$'\n''full'
        return
        ;;
    '--reducer')
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--verify')
        return
        ;;
    '--history')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac
}

_annals_check-projection() {
    repeating_flags=()
    non_repeating_flags=(--raw --strict --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    esac
}

_annals_rebuild-projection() {
    repeating_flags=()
    non_repeating_flags=(--raw --with-archive -n --dry-run --strict --resume --restart --no-swap --diff --park -x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters --chunk --workers --to-position --keep --time-limit --max-diff --max-parked --retry-timeout --wait-limit --progress -o --output --fields)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '--chunk')
        return
        ;;
    '--workers')
        return
        ;;
    '--to-position')
        return
        ;;
    '--keep')
        return
        ;;
    '--time-limit')
        return
        ;;
    '--max-diff')
        return
        ;;
    '--max-parked')
        return
        ;;
    '--retry-timeout')
        return
        ;;
    '--wait-limit')
        return
        ;;
    '--progress')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    esac
}

_annals_project() {
    repeating_flags=()
    non_repeating_flags=(--raw --once --standby --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters --attempts --retry-delay --chunk --poll --retry-timeout --wait-limit --progress)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '--attempts')
        return
        ;;
    '--retry-delay')
        return
        ;;
    '--chunk')
        return
        ;;
    '--poll')
        return
        ;;
    '--retry-timeout')
        return
        ;;
    '--wait-limit')
        return
        ;;
    '--progress')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    esac
}

_annals_run() {
    repeating_flags=()
    non_repeating_flags=(--raw --once --standby -n --dry-run --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters --retry-timeout --wait-limit)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '--retry-timeout')
        return
        ;;
    '--wait-limit')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    esac
}

_annals_projections() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=()
    __annals_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|show|rollback|discard|drop|pause|resume|set-checkpoint)
        # Offer subcommand argument completions
        "_annals_projections_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list show rollback discard drop pause resume set-checkpoint' -- "${cur}"))
        ;;
    esac
}

_annals_projections_list() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields --watch)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    '--watch')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion projections list -- positional@0
        return
        ;;
    esac
}

_annals_projections_show() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --file --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields --generation)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    '--generation')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion projections show -- positional@0
        return
        ;;
    esac
}

_annals_projections_rollback() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion projections rollback -- positional@0
        return
        ;;
    esac
}

_annals_projections_discard() {
    repeating_flags=()
    non_repeating_flags=(--yes --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion projections discard -- positional@0
        return
        ;;
    2)
        __annals_custom_complete ---completion projections discard -- positional@1
        return
        ;;
    esac
}

_annals_projections_drop() {
    repeating_flags=()
    non_repeating_flags=(--yes --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion projections drop -- positional@0
        return
        ;;
    esac
}

_annals_projections_pause() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion projections pause -- positional@0
        return
        ;;
    esac
}

_annals_projections_resume() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion projections resume -- positional@0
        return
        ;;
    esac
}

_annals_projections_set-checkpoint() {
    repeating_flags=()
    non_repeating_flags=(--yes --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --wait-limit --from)
    __annals_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--wait-limit')
        return
        ;;
    '--from')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion projections set-checkpoint -- positional@0
        return
        ;;
    esac
}

_annals_checkpoints() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=()
    __annals_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|set|rename|remove)
        # Offer subcommand argument completions
        "_annals_checkpoints_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list set rename remove' -- "${cur}"))
        ;;
    esac
}

_annals_checkpoints_list() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_checkpoints_set() {
    repeating_flags=()
    non_repeating_flags=(--yes --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --wait-limit --from)
    __annals_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--wait-limit')
        return
        ;;
    '--from')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion checkpoints set -- positional@0
        return
        ;;
    esac
}

_annals_checkpoints_rename() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion checkpoints rename -- positional@0
        return
        ;;
    esac
}

_annals_checkpoints_remove() {
    repeating_flags=()
    non_repeating_flags=(--yes --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion checkpoints remove -- positional@0
        return
        ;;
    esac
}

_annals_dead-letters() {
    repeating_flags=()
    non_repeating_flags=(--version '-?' --help)
    repeating_options=()
    non_repeating_options=()
    __annals_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|show|retry|discard|skip|skipped)
        # Offer subcommand argument completions
        "_annals_dead-letters_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list show retry discard skip skipped' -- "${cur}"))
        ;;
    esac
}

_annals_dead-letters_list() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --all --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion dead-letters list -- positional@0
        return
        ;;
    esac
}

_annals_dead-letters_show() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion dead-letters show -- positional@0
        return
        ;;
    2)
        __annals_custom_complete ---completion dead-letters show -- positional@1
        return
        ;;
    esac
}

_annals_dead-letters_retry() {
    repeating_flags=()
    non_repeating_flags=(--raw --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --upcasters --file --exec --timeout)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--upcasters')
        __annals_add_completions -d
        return
        ;;
    '--file')
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--exec')
        return
        ;;
    '--timeout')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion dead-letters retry -- positional@0
        return
        ;;
    *)
        __annals_custom_complete ---completion dead-letters retry -- positional@1
        return
        ;;
    esac
}

_annals_dead-letters_discard() {
    repeating_flags=()
    non_repeating_flags=(--yes --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __annals_custom_complete ---completion dead-letters discard -- positional@0
        return
        ;;
    *)
        __annals_custom_complete ---completion dead-letters discard -- positional@1
        return
        ;;
    esac
}

_annals_dead-letters_skip() {
    repeating_flags=()
    non_repeating_flags=(--undo --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(--reason -h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness)
    __annals_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--reason')
        return
        ;;
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    esac
}

_annals_dead-letters_skipped() {
    repeating_flags=()
    non_repeating_flags=(-x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness -o --output --fields)
    __annals_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac
}

_annals_test() {
    repeating_flags=()
    non_repeating_flags=(--sandbox --record --tap -x --expanded --version '-?' --help)
    repeating_options=(--set)
    non_repeating_options=(-h --host -p --port -U --username -d --dbname --table --layout --columns --response-timeout --max-staleness --timeout -o --output --fields)
    __annals_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '-h'|'--host')
        return
        ;;
    '-p'|'--port')
        return
        ;;
    '-U'|'--username')
        return
        ;;
    '-d'|'--dbname')
        return
        ;;
    '--table')
        return
        ;;
    '--layout')
        __annals_add_completions -W 'auto'$'\n''commanded'$'\n''commanded-bytea'$'\n''commanded-links'$'\n''emmett'$'\n''eventsauce'$'\n''eventuous'$'\n''marten'$'\n''marten-conjoined'$'\n''marten-tenant-partitions'$'\n''message-db'$'\n''message-db-eventide'$'\n''message-db-protean'$'\n''patchlevel'$'\n''patchlevel-aggregate'$'\n''patchlevel-stream'$'\n''pekko-jdbc'$'\n''pyeventsourcing'$'\n''pyeventsourcing-opaque'$'\n''rails-event-store'$'\n''rails-event-store-bytea'$'\n''rails-event-store-yaml'$'\n''sequent'$'\n''sequent-ordered'$'\n''spatie'$'\n''sqlstreamstore'
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    '--set')
        return
        ;;
    '--columns')
        return
        ;;
    '--response-timeout')
        return
        ;;
    '--max-staleness')
        return
        ;;
    '--timeout')
        return
        ;;
    '-o'|'--output')
        __annals_add_completions -W 'table'$'\n''ndjson'$'\n''json'$'\n''csv'
        return
        ;;
    '--fields')
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    *)
        __annals_add_completions -o plusdirs -fX '!*.@(sql)'
        return
        ;;
    esac
}

_annals_help() {
    repeating_flags=()
    non_repeating_flags=(--version)
    repeating_options=()
    non_repeating_options=(-k)
    __annals_offer_flags_options -1
}

complete -o filenames -F _annals annals
