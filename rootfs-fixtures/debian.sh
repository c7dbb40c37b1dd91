# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # build.sh reads it and sets here
#
# A dynamic glibc system with what packing and mounting can lose: owners, modes, file capabilities,
# extended attributes, hard links, deep paths and odd names. /usr/local/bin/self-test, the
# entrypoint, looks at each of them from inside.

owners=yes
packages="base-files base-passwd bash coreutils dash libc-bin grep sed findutils gawk hostname
    util-linux procps libcap2-bin attr usr-is-merged"
config='.hostname = "debian" | .process.args = ["/usr/local/bin/self-test"]'

# What the maintainer scripts of base-files, base-passwd and dash would have done.
finish_packages() {
    cp usr/share/base-passwd/passwd.master etc/passwd
    cp usr/share/base-passwd/group.master etc/group
    [ -e etc/os-release ] || ln -s ../usr/lib/os-release etc/os-release
    [ -e usr/bin/sh ] || ln -s dash usr/bin/sh
    [ -e usr/bin/awk ] || ln -s gawk usr/bin/awk
}

# alice: supplementary groups. bob: a large id. dave: named in a group file's last line without a
# newline, a shell that does not exist.
add_users() {
    cat >>etc/passwd <<'PASSWD'
alice:x:1000:1000:Alice:/home/alice:/bin/bash
bob:x:200000:200000:Bob:/home/bob:/bin/sh
dave:x:1002:100::/nonexistent:/bin/no-such-shell
PASSWD
    cat >>etc/group <<'GROUP'
alice:x:1000:
bob:x:200000:alice
makers:x:3000:alice,bob
readers:x:3001:alice
GROUP
    printf 'last:x:3002:dave' >>etc/group
    mkdir -p home/alice home/bob
    chown 1000:1000 home/alice
    chown 200000:200000 home/bob
    chmod 700 home/alice
    chmod 750 home/bob
}

add_privileged_files() {
    cp usr/bin/id usr/local/bin/id-setuid
    chown 0:0 usr/local/bin/id-setuid
    chmod 4755 usr/local/bin/id-setuid
    cp usr/bin/id usr/local/bin/id-setgid
    chown 0:3000 usr/local/bin/id-setgid
    chmod 2755 usr/local/bin/id-setgid
    cp usr/bin/cat usr/local/bin/cat-cap
    setcap cap_net_bind_service+ep usr/local/bin/cat-cap ||
        die "debian: the file system of build/ keeps no file capabilities"
    echo secret >srv/makers-only
    chown 200000:3000 srv/makers-only
    chmod 640 srv/makers-only
    : >srv/forbidden
    chmod 0 srv/forbidden
}

add_links() {
    mkdir -p srv/links/elsewhere
    echo "one inode" >srv/links/one
    ln srv/links/one srv/links/two
    ln srv/links/one srv/links/elsewhere/three
    ln -s /srv/links/one srv/links/absolute
    ln -s ../links/one srv/links/relative
    ln -s absolute srv/links/chain
    ln -s /no/such/file srv/links/dangling
    ln -s loop srv/links/loop
    ln -s ../../../../../../../../etc/passwd srv/links/climbing
    ln -s "$(printf '%01000d' 0)" srv/links/long
}

# 14 directories of 90 bytes: 1274 bytes of path.
add_deep_path() {
    part=$(printf '%090d' 0)
    deep=srv/deep
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
        deep=$deep/$part
    done
    mkdir -p "$deep"
    echo "the bottom" >"$deep/file"
}

add_odd_names() {
    mkdir -p srv/names
    for name in 'a b' ' blank' '-rf' '*' '?' '"quoted"' "it's" 'back\slash' '$(id)' '#hash' '%41' \
        ',=:' '.hidden' '...' "$(printf 'new\nline')" "$(printf 'tab\there')" \
        "$(printf 'invalid-\377\200')" 'naïve-été-日本' "$(printf '%0255d' 7)"; do
        printf '%s' "$name" >"srv/names/$name"
    done
}

add_other_kinds() {
    mkdir -p srv/kinds/empty-directory
    : >srv/kinds/empty-file
    mkfifo srv/kinds/fifo
    truncate -s 64M srv/kinds/sparse
    printf 'end' >>srv/kinds/sparse
    mkdir -m 1777 srv/kinds/sticky
    mkdir -m 2770 srv/kinds/setgid-directory
    chown 0:3000 srv/kinds/setgid-directory
    echo data >srv/kinds/with-xattr
    setfattr -n user.note -v "kept" srv/kinds/with-xattr ||
        die "debian: the file system of build/ keeps no user attributes"
}

finish() {
    finish_packages
    mkdir -p usr/local/bin srv
    add_users
    add_privileged_files
    add_links
    add_deep_path
    add_odd_names
    add_other_kinds
    script usr/local/bin/self-test <"$here/debian.self-test.sh"
}
