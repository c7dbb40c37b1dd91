#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The nginx fixture's entrypoint: starts nginx, prints the page it serves and its worker's user, and
# ends it with a signal. Exit code 0 when all of that worked. The shell is the only other program.

fail() {
    echo "nginx self-test: $*" >&2
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

# The uid of the process whose parent is $1.
child_uid() {
    local file parent uid key value
    for file in /proc/[0-9]*/status; do
        while read -r key value _; do
            case $key in
            PPid:) parent=$value ;;
            Uid:) uid=$value ;;
            esac
        done <"$file"
        if [ "$parent" = "$1" ]; then
            echo "$uid"
        fi
    done
}

/usr/sbin/nginx -g "daemon off;" &
nginx=$!
tries=0
until fetch 2>/dev/null; do
    kill -0 $nginx || fail "nginx ended early"
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "no answer"
    pause
done

uid=$(child_uid $nginx)
echo "${answer[0]%$'\r'}"
echo "${answer[-1]}"
echo "worker runs as uid $uid"
kill -QUIT $nginx
wait $nginx || fail "nginx exit code $?"
[ "$uid" = 33 ] || fail "the worker is not www-data"
[[ ${answer[0]} == "HTTP/1.1 200 "* ]] || fail "a wrong status"
[[ ${answer[-1]} == *"Hello from nginx"* ]] || fail "a wrong page"
