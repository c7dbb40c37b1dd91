#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Waits for the redis of its machine, and prints the value it had, the value it takes, and the server's
# user. Exit code 0 when the value is right.

fail() {
    echo "client: $*" >&2
    exit 1
}

pause() {
    read -r -t 0.1 <> <(:)
}

server_uid() {
    local pid key value
    pid=$(redis-cli --raw info server)
    pid=${pid#*process_id:}
    while read -r key value _; do
        [ "$key" != Uid: ] || echo "$value"
    done <"/proc/${pid%%$'\r'*}/status"
}

until [ "$(redis-cli --raw ping 2>/dev/null)" = PONG ]; do
    [ $SECONDS -lt 120 ] || fail "no answer"
    pause
done

words="Hello from redis in a microVM."
echo "before: $(redis-cli --raw get greeting)"
echo "set: $(redis-cli --raw set greeting "$words")"
got=$(redis-cli --raw get greeting)
echo "get: $got"
echo "server runs as uid $(server_uid)"
[ "$got" = "$words" ] || fail "a wrong value"
