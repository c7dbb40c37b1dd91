#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The bundles of rootfs-fixtures: each holds what its README line says, two builds are equal, a second
# call does nothing. That they boot is for the VM tests.
# shellcheck source=tests/scripts/lib.sh
. "$(dirname "$0")/lib.sh"

build=$top/rootfs-fixtures/build.sh
fixtures=$top/build/fixtures
debian=$fixtures/debian/rootfs

inode() {
    stat -c %i "$1"
}

# Everything about a tree but inode numbers and the time of change.
digest() {
    tar -C "$1" --sort=name --numeric-owner --xattrs --xattrs-include='*' --pax-option=delete=atime,delete=ctime \
        -c . | sha256sum
}

test_bundle() {
    local root=$fixtures/$1/rootfs program
    is "fixture-$1-spec" "rootfs /" "$(jq -r '[.root.path, .process.cwd[:1]] | join(" ")' "$fixtures/$1/config.json")"
    program=$(jq -r '.process.args[0]' "$fixtures/$1/config.json")
    if [ -x "$root/$(realpath -m --relative-to=/ "$program")" ]; then
        pass "fixture-$1-entrypoint"
    else
        fail "fixture-$1-entrypoint" "$program is no program in $root"
    fi
    is "fixture-$1-merged-usr" "usr/bin usr/sbin usr/lib" \
        "$(cd "$root" && readlink bin sbin lib | paste -sd' ')"
    is "fixture-$1-times" "" "$(find "$root" -newermt @1700000000 -print -quit)"
    is "fixture-$1-architecture" "" \
        "$(find "$root/usr/bin" "$root/usr/sbin" -type f -exec file -F '' {} + | grep ELF | grep -v aarch64)"
    quiet "fixture-$1-again-is-silent" 1000 "$build" "$1"
}

test_debian() {
    is debian-setuid "4755 0:0" "$(stat -c '%a %u:%g' "$debian/usr/local/bin/id-setuid")"
    is debian-setgid "2755 0:3000" "$(stat -c '%a %u:%g' "$debian/usr/local/bin/id-setgid")"
    is debian-capability "$debian/usr/local/bin/cat-cap cap_net_bind_service=ep" "$(getcap -r "$debian")"
    is debian-user-attribute kept \
        "$(getfattr --only-values --absolute-names -n user.note "$debian/srv/kinds/with-xattr")"
    is debian-hard-links "$(printf '3 %s\n' one three two)" \
        "$(cd "$debian/srv/links" && find . -samefile one -printf '%n %f\n' | sort)"
    is debian-deep-path 1283 "$(cd "$debian" && find srv/deep -name file -printf '/%h/%f\n' | sed 's,/file$,,' | tr -d '\n' | wc -c)"
    is debian-deep-file "the bottom" "$(find "$debian/srv/deep" -name file -exec cat {} +)"
    is debian-symlinks "/srv/links/one ../links/one" \
        "$(cd "$debian/srv/links" && readlink absolute relative | paste -sd' ')"
    is debian-odd-names 19 "$(find "$debian/srv/names" -type f -printf 'x' | wc -c)"
    is debian-long-name 255 "$(find "$debian/srv/names" -name '0*' -printf %f | wc -c)"
    is debian-owner "200000:3000 640" "$(stat -c '%u:%g %a' "$debian/srv/makers-only")"
    is debian-supplementary-groups "bob makers readers" \
        "$(awk -F: '$4 ~ /(^|,)alice(,|$)/ { printf "%s%s", sep, $1; sep = " " }' "$debian/etc/group")"
    is debian-fifo fifo "$(stat -c %F "$debian/srv/kinds/fifo")"
}

# What dynamic linking can miss shows without a kernel: the programs load under qemu-user.
test_programs() {
    is nginx-loads "nginx version: nginx/" \
        "$(qemu-aarch64-static -L "$fixtures/nginx/rootfs" "$fixtures/nginx/rootfs/usr/sbin/nginx" -v 2>&1 | tr -d '0-9.')"
    is python-loads ok "$(qemu-aarch64-static -L "$fixtures/python/rootfs" "$fixtures/python/rootfs/usr/bin/python3" -B \
        -c 'import http.server, urllib.request, ssl, ctypes; print("ok")' 2>&1)"
    is busybox-applets present "$([ -h "$fixtures/busybox/rootfs/usr/bin/mount" ] && echo present)"
}

test_rebuild() {
    local name
    export SMK_FIXTURES=$scratch/again
    for name in busybox debian; do
        "$build" "$name" >/dev/null
        is "fixture-$name-reproducible" "$(digest "$fixtures/$name/rootfs")" "$(digest "$scratch/again/$name/rootfs")"
    done
    before=$(inode "$scratch/again/busybox/rootfs")
    echo other >"$scratch/again/busybox/.stamp"
    "$build" busybox >/dev/null
    if [ "$(inode "$scratch/again/busybox/rootfs")" != "$before" ]; then
        pass fixture-rebuilt-when-stale
    else
        fail fixture-rebuilt-when-stale "the stamp was not looked at"
    fi
    unset SMK_FIXTURES
}

test_cannot() {
    refuses fixture-unknown "rootfs-fixtures: no recipe */no-such.sh" "$build" no-such
    refuses fixture-usage "rootfs-fixtures: usage: build.sh NAME" "$build"
    mkdir -m 777 "$scratch/nobody"
    chmod 755 "$scratch"
    SMK_FIXTURES=$scratch/nobody refuses fixture-needs-root \
        "rootfs-fixtures: debian: has files of several owners and file capabilities: run as root" \
        as_nobody "$build" debian
}

for name in busybox debian python nginx; do
    test_bundle $name
done
test_debian
test_programs
test_rebuild
test_cannot
finish
