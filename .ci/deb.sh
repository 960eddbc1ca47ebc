#!/bin/sh
# Makes a Debian package from what `make install DESTDIR=FOLDER PREFIX=/usr` put into FOLDER; `make deb` calls it.
#
#   VERSION=1.0 MAINTAINER='Name <address>' sh .ci/deb.sh FOLDER PACKAGE
#
# SOURCE_DATE_EPOCH is the date of the package in seconds; with it the package is the same on every machine.
set -eu
: "${VERSION:?deb: error: VERSION is not set}" "${MAINTAINER:?deb: error: set MAINTAINER='Name <address>'}"
folder=$(cd "$1" && pwd) package=$2
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(date +%s)}"

doc=$folder/usr/share/doc/annals
install -d "$doc" "$folder/DEBIAN"
install -m 644 .ci/deb-copyright "$doc/copyright"
gzip -9nc CHANGELOG.md > "$doc/changelog.gz"
gzip -9nc > "$doc/changelog.Debian.gz" << END
annals ($VERSION-1) unstable; urgency=medium

  * What is new stands in changelog.gz.

 -- $MAINTAINER  $(date -Rud "@$SOURCE_DATE_EPOCH")
END
gzip -9nr "$folder/usr/share/man"
find "$folder" -type d -exec chmod 755 {} +

# dpkg-shlibdeps needs a source package around it. The symbols of libpq that annals uses are older than 15, the version
# that is tested.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian"
printf 'Source: annals\n\nPackage: annals\nArchitecture: any\n' > "$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info -e "$folder/usr/bin/annals" |
  sed 's/^shlibs:Depends=//; s/libpq5[^,]*/libpq5 (>= 15)/')

cat > "$folder/DEBIAN/control" << END
Package: annals
Version: $VERSION-1
Architecture: $(dpkg --print-architecture)
Maintainer: $MAINTAINER
Installed-Size: $(du -sk --apparent-size "$folder/usr" | cut -f 1)
Depends: $depends
Suggests: postgresql, postgresql-client
Section: database
Priority: optional
Description: look after an event store on PostgreSQL
 annals appends events to a table, shows what happened to an aggregate, replays
 history, rebuilds read models beside the live ones and swaps them in, and
 checks that no event is missing or was changed.
 .
 It needs no code of the application: projections are files of SQL. The stores
 of several frameworks can be read as they are.
END
(cd "$folder" && find usr -type f -exec md5sum {} + | LC_ALL=C sort -k 2 > DEBIAN/md5sums)
chmod 644 "$folder/DEBIAN/control" "$folder/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$folder" "$package" > /dev/null
