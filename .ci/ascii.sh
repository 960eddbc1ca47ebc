#!/bin/sh
# Our own SQL is ASCII: a server with an encoding other than UTF8 refuses a character that it lacks, even in a comment.
# So are the library's strings in Swift, since some are SQL; a string for people is written as \u{2026}.
set -eu
cd "$(dirname "$0")/.."

find Sources/EventStore Sources/LibPQ \( -name '*.sql' -o -name '*.swift' \) -exec env LC_ALL=C awk '
  {
    text = $0
    # Text after // in Swift is a comment.
    if (FILENAME ~ /\.swift$/) sub(/\/\/.*/, "", text)
    if (text ~ /[^\t -~]/) { print FILENAME ":" FNR ": not ASCII: " $0; found = 1 }
  }
  END { exit found }
' {} +
