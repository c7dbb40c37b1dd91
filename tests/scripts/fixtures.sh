#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The bundles and images of rootfs-fixtures: each holds what its README line says, two builds are equal, a
# second call does nothing. That they boot is for the VM tests.
# shellcheck source=tests/scripts/lib.sh
. "$(dirname "$0")/lib.sh"

build=$top/rootfs-fixtures/build.sh
build_image=$top/rootfs-fixtures/image.sh
fixtures=$top/build/fixtures
images=$top/build/images
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

test_owners() {
    is redis-data "999:999 755" "$(stat -c '%u:%g %a' "$fixtures/redis/rootfs/data")"
    is postgres-data "999:999 700" "$(stat -c '%u:%g %a' "$fixtures/postgres/rootfs/var/lib/postgresql/data")"
}

# What dynamic linking can miss shows without a kernel: the programs load under qemu-user.
test_programs() {
    is nginx-loads "nginx version: nginx/" \
        "$(qemu-aarch64-static -L "$fixtures/nginx/rootfs" "$fixtures/nginx/rootfs/usr/sbin/nginx" -v 2>&1 | tr -d '0-9.')"
    is python-loads ok "$(qemu-aarch64-static -L "$fixtures/python/rootfs" "$fixtures/python/rootfs/usr/bin/python3" -B \
        -c 'import http.server, urllib.request, ssl, ctypes; print("ok")' 2>&1)"
    is redis-loads "Redis server v=" "$(qemu-aarch64-static -L "$fixtures/redis/rootfs" \
        "$fixtures/redis/rootfs/usr/bin/redis-server" --version 2>&1 | grep -o '^Redis server v=')"
    is postgres-loads "postgres (PostgreSQL) 15" "$(qemu-aarch64-static -L "$fixtures/postgres/rootfs" \
        "$fixtures/postgres/rootfs/usr/lib/postgresql/15/bin/postgres" --version 2>&1 | grep -o '^[^.]*')"
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

# says NAME TAG: what the image says, without its environment.
says() {
    skopeo inspect --config "oci:$images/$1:$2" | jq -c '.config | del(.Env, .ExposedPorts)'
}

test_images() {
    local name
    for name in python nginx redis postgres; do
        is "image-$name-layers" "linux/arm64 2 3" "$(for tag in latest client; do
            skopeo inspect --config "oci:$images/$name:$tag" | jq -r '"\(.os)/\(.architecture) \(.rootfs.diff_ids | length)"'
        done | paste -sd' ' | sed 's, linux/arm64,,')"
        quiet "image-$name-again-is-silent" 1000 "$build_image" "$name"
    done
    is image-nginx-says '{"Cmd":["nginx","-g","daemon off;"],"StopSignal":"SIGQUIT"}' "$(says nginx latest)"
    is image-redis-says '{"User":"redis","Cmd":["redis-server"],"Volumes":{"/data":{}},"WorkingDir":"/data"}' \
        "$(says redis latest)"
    is image-postgres-client '{"User":"postgres","Entrypoint":["with-client","entrypoint"],"Cmd":["postgres"],"Volumes":{"/var/lib/postgresql/data":{}},"StopSignal":"SIGINT"}' \
        "$(says postgres client)"
    SMK_IMAGES=$scratch/images "$build_image" nginx >/dev/null
    is image-nginx-reproducible "$(cat "$images/nginx/index.json")" "$(cat "$scratch/images/nginx/index.json")"
    before=$(inode "$scratch/images/nginx")
    echo other >"$scratch/images/nginx.stamp"
    SMK_IMAGES=$scratch/images "$build_image" nginx >/dev/null
    if [ "$(inode "$scratch/images/nginx")" != "$before" ]; then
        pass image-rebuilt-when-stale
    else
        fail image-rebuilt-when-stale "the stamp was not looked at"
    fi
}

test_cannot() {
    refuses fixture-unknown "rootfs-fixtures: no recipe */no-such.sh" "$build" no-such
    refuses fixture-usage "rootfs-fixtures: usage: build.sh NAME" "$build"
    mkdir -m 777 "$scratch/nobody"
    chmod 755 "$scratch"
    SMK_FIXTURES=$scratch/nobody refuses fixture-needs-root \
        "rootfs-fixtures: debian: has files of several owners and file capabilities: run as root" \
        as_nobody "$build" debian
    refuses image-unknown "rootfs-fixtures: no recipe */no-such.sh" "$build_image" no-such
    refuses image-usage "rootfs-fixtures: usage: image.sh NAME" "$build_image"
    SMK_IMAGES=$scratch/nobody refuses image-needs-root \
        "rootfs-fixtures: nginx: the image has files of several owners: run as root" \
        as_nobody "$build_image" nginx
    SMK_IMAGES=$scratch/images refuses image-of-none \
        "rootfs-fixtures: busybox: the recipe says nothing of an image" "$build_image" busybox
}

for name in base busybox debian fetch python nginx redis postgres; do
    test_bundle $name
done
test_debian
test_owners
test_programs
test_rebuild
test_images
test_cannot
finish
