#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# build.sh NAME: makes the OCI bundle build/fixtures/NAME (config.json and rootfs/) by the recipe
# rootfs-fixtures/NAME.sh, from arm64 packages of the distribution.
#
# A recipe sets
#   packages     what to unpack, with all that it depends on
#   config       a jq filter over config.base.json
#   owners=yes   when the fixture is of no use without files of other owners (then it needs root)
# and defines finish(), which runs in the unpacked root and may use the other files NAME.*. No
# maintainer script runs: what a package's postinst would have done and is needed, finish() does.
#
# Two builds of the same packages are equal: modification times are clamped. A stamp keyed by the
# recipe makes a second call do nothing; the bundle appears by one rename. SMK_FIXTURES names another
# directory for the bundles (the tests use it).
set -eu
umask 022
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
fixtures=${SMK_FIXTURES:-$top/build/fixtures}
epoch=1700000000

die() {
    echo "rootfs-fixtures: $*" >&2
    exit 1
}

# An executable file in the new root, its text from standard input.
script() {
    mkdir -p "$(dirname "$1")"
    cat >"$1"
    chmod 755 "$1"
}

# Merged /usr, as the distribution has had since bookworm.
make_skeleton() {
    mkdir -p "$1"
    for directory in bin sbin lib; do
        mkdir -p "$1/usr/$directory"
        ln -s "usr/$directory" "$1/$directory"
    done
    mkdir -p "$1/dev" "$1/proc" "$1/sys" "$1/etc" "$1/root" "$1/run" "$1/tmp" "$1/var/tmp"
    chmod 700 "$1/root"
    chmod 1777 "$1/tmp" "$1/var/tmp"
}

unpack() {
    while read -r archive; do
        dpkg-deb --fsys-tarfile "$archive" >"$new/data.tar"
        tar -x -p --numeric-owner --keep-directory-symlink -f "$new/data.tar" -C "$new/rootfs" ||
            die "cannot unpack $archive"
    done <"$new/packages"
    rm "$new/data.tar"
    sed -i 's,.*/,,; s,%3a,:,; s,\.deb$,,' "$new/packages"
}

# What no fixture looks at; half of the size.
drop_documentation() {
    rm -rf "$1/usr/share/man" "$1/usr/share/locale" "$1/usr/share/info" "$1/usr/share/lintian"
    find "$1/usr/share/doc" -type f ! -name copyright -delete 2>/dev/null || true
}

clamp_times() {
    find "$1" -newermt "@$epoch" -exec touch -h -d "@$epoch" {} +
}

key() {
    cat "$here/build.sh" "$here/config.base.json" "$here/$name".* | sha256sum | cut -d' ' -f1
}

[ $# = 1 ] || die "usage: build.sh NAME"
name=$1
[ -r "$here/$name.sh" ] || die "no recipe $here/$name.sh"
packages=
config=.
owners=no
# shellcheck source=/dev/null
. "$here/$name.sh"

mkdir -p "$fixtures"
exec 9>"$fixtures/.lock-$name"
flock 9
stamp=$fixtures/$name/.stamp
if [ "$(cat "$stamp" 2>/dev/null)" = "$(key)" ]; then
    touch "$stamp"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    [ "$owners" = no ] || die "$name: has files of several owners and file capabilities: run as root"
    echo "rootfs-fixtures: $name: not root, so every file belongs to $(id -un)" >&2
fi

echo "rootfs-fixtures: making $name"
new=$fixtures/.new-$name
rm -rf "$new"
make_skeleton "$new/rootfs"
# shellcheck disable=SC2086 # one word a package name
"$top/scripts/apt.sh" debs "$new/packages" $packages
unpack
drop_documentation "$new/rootfs"
(cd "$new/rootfs" && finish)
clamp_times "$new/rootfs"
jq --tab "$config" "$here/config.base.json" >"$new/config.json"
key >"$new/.stamp"
rm -rf "${fixtures:?}/$name"
mv "$new" "$fixtures/$name"
