#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The nginx fixture's entrypoint: starts nginx, prints the page it serves and its worker's user, and
# ends it with a signal. Exit code 0 when all of that worked.

fail() {
    echo "nginx self-test: $*" >&2
    exit 1
}

/usr/sbin/nginx -g "daemon off;" &
nginx=$!
tries=0
until page=$(busybox wget -q -T 5 -O - http://127.0.0.1/); do
    kill -0 $nginx 2>/dev/null || fail "nginx ended early"
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "no answer"
    busybox sleep 0.1
done
echo "$page"

worker=$(busybox pgrep -P $nginx)
uid=$(busybox awk '/^Uid:/ { print $2 }' "/proc/$worker/status")
echo "worker runs as uid $uid"
kill -QUIT $nginx
wait $nginx || fail "nginx exit code $?"
[ "$uid" = 33 ] || fail "the worker is not www-data"
case $page in
*"Hello from nginx"*) ;;
*) fail "a wrong page" ;;
esac
