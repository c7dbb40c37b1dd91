#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what scripts/packages.txt lists and this machine lacks. Silent and quick when nothing is
# missing. SMK_PACKAGES names another table (the tests use it).
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
table=${SMK_PACKAGES:-$top/scripts/packages.txt}
log=$top/build/deps.log

die() {
    echo "deps.sh: $*" >&2
    exit 1
}

# Prints the table's packages that are not installed. A name without architecture is met by any of
# native or all; NAME:ARCH by exactly that one.
missing_packages() {
    native=$(dpkg --print-architecture)
    dpkg-query -W -f '${Package}:${Architecture} ${db:Status-Status}\n' |
        awk -v native="$native" '
        FILENAME == "-" { if ($2 == "installed") have[$1] = 1; next }
        /^#/ || /^[ \t]*$/ { next }
        $1 ~ /:/ { if (!($1 in have)) print $1; next }
        !(($1 ":" native) in have) && !(($1 ":all") in have) { print $1 }' - "$table"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# Runs one command as root with its output in the log; says the last error line when it fails.
logged() {
    as_root "$@" >>"$log" 2>&1 </dev/null && return
    die "$1 failed: $(grep -E '^(E|sudo|dpkg)[:]' "$log" | tail -1); all of it: $log"
}

unavailable() {
    for name in $1; do
        LC_ALL=C apt-cache policy "$name" 2>/dev/null |
            grep -q '^  Candidate: [^(]' || echo "$name"
    done
}

require_tools() {
    list=$(echo "$1" | tr '\n' ' ')
    command -v apt-get >/dev/null ||
        die "no apt-get on this machine (Debian 12 expected); install by hand: $list"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "neither root nor sudo; ask an administrator to install: $list"
}

add_architecture() {
    if dpkg --print-foreign-architectures | grep -qx arm64 ||
        [ "$(dpkg --print-architecture)" = arm64 ]; then
        return
    fi
    logged dpkg --add-architecture arm64
}

install_packages() {
    # shellcheck disable=SC2086 # one word a package name
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 \
        -q -y --no-install-recommends install $1 >>"$log" 2>&1 </dev/null
}

[ -r "$table" ] || die "cannot read $table"
command -v dpkg-query >/dev/null || die "no dpkg on this machine (Debian 12 expected)"
missing=$(missing_packages)
[ -n "$missing" ] || exit 0
require_tools "$missing"

mkdir -p "$top/build"
: >"$log"
add_architecture
if [ -n "$(unavailable "$missing")" ]; then
    logged apt-get -q -o DPkg::Lock::Timeout=600 update
fi
for name in $(unavailable "$missing"); do
    why=$(awk -F '\t' -v name="$name" '$1 == name { print $2 }' "$table")
    die "package $name ($why) is in none of this machine's apt sources"
done

echo "deps.sh: installing $(echo "$missing" | wc -l) packages: $(echo "$missing" | tr '\n' ' ')"
if ! install_packages "$missing"; then
    # The usual reason is an index older than the mirror.
    logged apt-get -q -o DPkg::Lock::Timeout=600 update
    install_packages "$missing" ||
        die "apt-get install failed: $(grep '^E:' "$log" | tail -1); all of it: $log"
fi
missing=$(missing_packages)
[ -z "$missing" ] || die "apt-get succeeded, but these are still missing: $(echo "$missing" | tr '\n' ' ')"
