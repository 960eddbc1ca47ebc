#!/bin/sh
# Finds code that searches, splits or replaces text by Character, the default of Swift's String: a quote, a newline or a
# slash beside a combining mark is another Character, and is missed. PostgreSQL, shells and file systems go by bytes; so
# does `.utf8`, and `.unicodeScalars` is equivalent.
#
#   sh .ci/characters.sh [FOLDER ...]
#
# A line passes if its words show that it goes by scalars or utf8, or if its comment says why Characters are meant:
# `// Characters: ...`. Members of lists and sets of words are compared whole, and are not checked.
set -eu

if [ $# = 0 ]; then set -- Sources; fi

pattern='\.has(Prefix|Suffix)\('
pattern="$pattern"'|\.split ?[({](maxSplits|separator: "|whereSeparator: \\|where|.*\$0)'
pattern="$pattern"'|\.(replac(e|ing)|trimmingPrefix|firstRange|ranges|trimmingCharacters)\((of: )?"'
pattern="$pattern"'|\.(replacingOccurrences|components)\('
pattern="$pattern"'|[[:alnum:]_)!?]\.contains\("'
pattern="$pattern"'|\.(first|last)Index\(of: "'
pattern="$pattern"'|\.(first|last) [!=]= "\\?."'
pattern="$pattern"'|(^|[^[:alnum:]_.])Character([^[:alnum:]_]|$)'
pattern="$pattern"'|((while|where|Separator): \\|\$0|\?|\))\.is(Whitespace|Letter|Number|WholeNumber|Newline|Punctuation)([^[:alnum:]]|$)'

if grep -rnE --include='*.swift' "$pattern" "$@" | grep -vE '^[^:]*:[0-9]+: *//|[sS]calars|utf8|// Characters: '; then
  echo 'lint: error: the lines above go by Character; use .utf8 or .unicodeScalars (see .ci/characters.sh)' >&2
  exit 1
fi
