#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Waits for the PostgreSQL of its machine, asks it, and prints the answers: whether its table was there, a
# value of it, the user of the database, and the server's user. Exit code 0 when the value is right.

fail() {
    echo "client: $*" >&2
    exit 1
}

pause() {
    read -r -t 0.2 <> <(:)
}

query() {
    psql --no-psqlrc --tuples-only --no-align --quiet \
        --set ON_ERROR_STOP=1 --command "$1"
}

is_ready() {
    [[ $(<"$PGDATA/postmaster.pid") == *ready* ]]
}

server_uid() {
    local pid key value
    read -r pid <"$PGDATA/postmaster.pid"
    while read -r key value _; do
        [ "$key" != Uid: ] || echo "$value"
    done <"/proc/$pid/status"
}

until is_ready 2>/dev/null; do
    [ $SECONDS -lt 300 ] || fail "no answer"
    pause
done

words="Hello from PostgreSQL in a microVM."
echo "there before: $(query "select to_regclass('greetings') is not null")"
query "create table if not exists greetings (number int primary key, words text);
    insert into greetings select i, i || '. $words' from generate_series(1, 1000) i on conflict do nothing" ||
    fail "no table"
got=$(query "select words from greetings where number = 734")
echo "select: $got"
echo "of $(query "select count(*) from greetings") rows, by $(query "select current_user")"
echo "server runs as uid $(server_uid)"
[ "$got" = "734. $words" ] || fail "a wrong value"
