#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2317 # the commands are run by expect, some by another shell
#
# The debian fixture's entrypoint: is everything that the recipe put in still there, and does it
# mean to the kernel what it should? One line a fact; exit code 1 when one is wrong.

failed=0

# expect NAME WANTED COMMAND...: the command's output, errors included, is WANTED.
expect() {
    local name=$1 wanted=$2 got
    shift 2
    got=$("$@" 2>&1)
    if [ "$got" = "$wanted" ]; then
        echo "ok $name"
    else
        echo "not ok $name: wanted '$wanted', got '$got'"
        failed=1
    fi
}

as_alice() {
    setpriv --reuid=1000 --regid=1000 --groups=1000,3000,3001 "$@"
}

capabilities() {
    as_alice /usr/local/bin/cat-cap /proc/self/status | sed -n 's/^CapEff:\t*//p'
}

deep_file() {
    local part
    cd /srv/deep || return
    part=$(printf '%090d' 0)
    while [ -d "$part" ]; do
        cd "$part" || return
    done
    pwd | wc -c
    cat file
}

odd_names() {
    local file count=0
    for file in /srv/names/* /srv/names/.[!.]* /srv/names/...; do
        [ "$(cat -- "$file")" = "${file#/srv/names/}" ] || echo "differs: $file"
        count=$((count + 1))
    done
    echo "$count names"
}

first_lines() {
    read -r line </etc/debian_version && [ -n "$line" ] && echo present
}

expect dynamic-libc present first_lines
expect user-database "alice 1000" bash -c 'getent passwd alice | cut -d: -f1,3 | tr : " "'
expect last-group "last" bash -c 'getent group 3002 | cut -d: -f1'
expect supplementary-groups "1000 3000 3001" as_alice id -G
expect setuid 0 as_alice /usr/local/bin/id-setuid -u
expect setgid 3000 setpriv --reuid=1000 --regid=1000 --clear-groups /usr/local/bin/id-setgid -g
expect file-capability 0000000000000400 capabilities
expect group-may-read secret as_alice cat /srv/makers-only
expect others-may-not "cat: /srv/makers-only: Permission denied" \
    setpriv --reuid=1002 --regid=100 --clear-groups cat /srv/makers-only
expect large-id "200000:3000 640" stat -c '%u:%g %a' /srv/makers-only
expect hard-links "3 3 3" bash -c 'echo $(stat -c %h /srv/links/one /srv/links/two /srv/links/elsewhere/three)'
expect one-inode 1 bash -c 'stat -c %i /srv/links/one /srv/links/two /srv/links/elsewhere/three | uniq | wc -l'
expect symlink-absolute "one inode" cat /srv/links/absolute
expect symlink-relative "one inode" cat /srv/links/relative
expect symlink-chain "one inode" cat /srv/links/chain
expect symlink-dangling /no/such/file readlink /srv/links/dangling
expect symlink-loop "cat: /srv/links/loop: Too many levels of symbolic links" cat /srv/links/loop
expect symlink-climbing same bash -c '[ "$(</srv/links/climbing)" = "$(</etc/passwd)" ] && echo same'
expect symlink-long 1000 bash -c 'readlink -n /srv/links/long | wc -c'
expect deep-path "$(printf '1284\nthe bottom')" deep_file
expect odd-names "19 names" odd_names
expect sparse "67108867 end" bash -c 'echo $(stat -c %s /srv/kinds/sparse) $(tail -c 3 /srv/kinds/sparse)'
expect fifo fifo stat -c %F /srv/kinds/fifo
expect modes "1777 2770 0 700" \
    bash -c 'cd /; echo $(stat -c %a srv/kinds/sticky srv/kinds/setgid-directory srv/forbidden home/alice)'
expect user-attribute kept getfattr --only-values --absolute-names -n user.note /srv/kinds/with-xattr

[ $failed = 0 ] && echo "debian: all as built"
exit $failed
