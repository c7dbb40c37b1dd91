#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Waits for the nginx of its machine, and prints the page it serves and its worker's user. Exit code 0
# when both are right. The shell is the only other program.

fail() {
    echo "client: $*" >&2
    exit 1
}

pause() {
    read -r -t 0.1 <> <(:)
}

fetch() {
    exec 3<>/dev/tcp/127.0.0.1/80 || return
    printf 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
    mapfile -t answer <&3
    exec 3>&-
}

worker_uid() {
    local file title key value
    for file in /proc/[0-9]*/cmdline; do
        IFS= read -r -d '' title <"$file"
        [[ $title == "nginx: worker process"* ]] || continue
        while read -r key value _; do
            [ "$key" != Uid: ] || echo "$value"
        done <"${file%cmdline}status"
    done
}

until fetch 2>/dev/null; do
    [ $SECONDS -lt 120 ] || fail "no answer"
    pause
done

uid=$(worker_uid)
echo "${answer[0]%$'\r'}"
echo "${answer[-1]}"
echo "worker runs as uid $uid"
[ "$uid" = 33 ] || fail "the worker is not www-data"
[[ ${answer[0]} == "HTTP/1.1 200 "* ]] || fail "a wrong status"
[[ ${answer[-1]} == *"Hello from nginx"* ]] || fail "a wrong page"
