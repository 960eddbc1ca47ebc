#!/bin/sh
# Installs what annals and its tests need beside a Swift toolchain, and only what is missing: libpq's headers,
# pkg-config, PostgreSQL's server programs, and the tools that tests run.
#
#   sh .ci/setup.sh                      look, then install as root or through sudo
#   sh .ci/setup.sh install PACKAGE...   the part that needs root; the first form calls it
#
# Exit status: 0 everything is there, 69 something is missing and cannot be installed from here.
set -eu

# The places where `annals sandbox` looks, in the same order.
has_server() {
  command -v initdb > /dev/null && return
  for folder in "$(pg_config --bindir 2> /dev/null)" /usr/lib/postgresql/*/bin; do
    [ -x "$folder/initdb" ] && return
  done
  return 1
}

missing_packages() {
  command -v pkg-config > /dev/null || echo pkg-config
  pkg-config --exists libpq 2> /dev/null || echo libpq-dev
  has_server && command -v psql > /dev/null || echo postgresql
  # Named like their packages.
  for program in mandoc jq bash zsh fish tmux; do
    command -v "$program" > /dev/null || echo "$program"
  done
  # Debian has it in a folder that is not in every PATH.
  command -v pgbouncer > /dev/null || [ -x /usr/sbin/pgbouncer ] || echo pgbouncer
  # On Debian, `make deb` is tested.
  ! command -v dpkg > /dev/null || command -v dpkg-shlibdeps > /dev/null || echo dpkg-dev
}

# Optional for the tests: those of pages in a web browser report that they were left out. On other systems than Debian
# the packages may be missing, or install a snap that a container cannot run.
wanted_packages() {
  # A CI run has half an hour, and a web browser would take a large part of it.
  [ -z "${CI:-}" ] || return 0
  command -v apt-cache > /dev/null || return 0
  command -v chromium > /dev/null || echo chromium
  command -v chromedriver > /dev/null || echo chromium-driver
}

# Debian's server package creates a database cluster and starts it. The sandbox has its own and needs neither,
# so while apt-get runs, and no longer, a file tells the package to leave that out. `pg_createcluster` makes
# the cluster at any later time. Clusters that exist already are not touched.
#
# The package of PgBouncer starts a service. Tests run pgbouncer themselves, so no service is started while apt-get runs
# (invoke-rc.d asks policy-rc.d), and PgBouncer's is not started at boot either.
install_packages() {
  settings=/etc/postgresql-common/createcluster.d
  policy=/usr/sbin/policy-rc.d
  # An administrator's own policy stays.
  [ ! -e "$policy" ] || policy=
  trap 'rm -f "$settings/annals-setup.conf" $policy; rmdir -p --ignore-fail-on-non-empty "$settings"' EXIT
  trap 'exit 130' HUP INT TERM
  mkdir -p "$settings"
  echo 'create_main_cluster = false' > "$settings/annals-setup.conf"
  if [ -n "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
  fi

  export DEBIAN_FRONTEND=noninteractive
  # One unreachable source must not stop us if another one has the packages.
  apt-get update -q || echo 'setup: apt-get update failed; trying with the lists that are there' >&2
  apt-get install -q -y --no-install-recommends "$@" < /dev/null
  case " $* " in
    *' pgbouncer '*) update-rc.d pgbouncer disable ;;
  esac
}

give_up() {
  printf 'setup: error: %s\nHINT:  %s\n' "$1" "$2" >&2
  exit 69
}

if [ "${1:-}" = install ]; then
  shift
  install_packages "$@"
  exit
fi

command -v swift > /dev/null ||
  give_up 'swift is not in PATH' 'Install Swift 6.2 or later: https://www.swift.org/install'

# Lets apt-get install them, as root.
install_as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    sh "$0" install "$@"
  elif command -v sudo > /dev/null && { sudo -n true 2> /dev/null || [ -t 0 ]; }; then
    sudo sh "$0" install "$@"
  else
    echo 'setup: this user is neither root nor able to use sudo' >&2
    return 1
  fi
}

# Joined to one line: unquoted, because package names contain no blanks.
packages=$(echo $(missing_packages))
if [ -n "$packages" ]; then
  command -v apt-get > /dev/null ||
    give_up "missing: $packages (Debian's names), and there is no apt-get" \
      'Install them with your package manager, and have initdb in PATH.'
  echo "setup: installing $packages" >&2
  install_as_root $packages ||
    give_up "missing: $packages, and apt-get could not install them" \
      "Run as root: apt-get update && apt-get install -y --no-install-recommends $packages"
fi

for package in $(wanted_packages); do
  if apt-cache show "$package" > /dev/null 2>&1; then
    echo "setup: installing $package" >&2
    install_as_root "$package" && continue
  fi
  echo "setup: $package is not installed; the tests that need it are left out" >&2
done
