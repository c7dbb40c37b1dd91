#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# corpus.sh PROGRAM WORK: the test files of xz itself, from the distribution's source package. Every bad
# and every unsupported file is refused; a good one gives what xz gives, or is refused for being more
# than an asset may be (several streams, padding after the stream, no integrity check).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
program=$1 work=$2
files=$work/xz/tests/files
if [ ! -d "$files" ]; then
    rm -rf "$work" && mkdir -p "$work/xz"
    "$top/scripts/apt.sh" source "$work" xz-utils >"$work/log" 2>&1 &&
        tar -xf "$work"/xz-utils_*.orig.tar.* -C "$work/xz" --strip-components=1 --wildcards '*/tests/files/*.xz'
fi
data=4 limit=3
strict='good-0cat-empty good-0catpad-empty good-0pad-empty good-1-check-none'
count=0
for file in "$files"/{bad,unsupported,good}-*.xz; do
    [ -e "$file" ] || continue
    count=$((count + 1))
    name=$(basename "$file" .xz)
    why=
    "$program" "$file" >"$work/ours" 2>"$work/words"
    code=$?
    if [ $code = 0 ]; then
        [ "${name%%-*}" = good ] || why="was accepted"
        xz -dc "$file" 2>/dev/null | cmp -s - "$work/ours" || why="other bytes than xz gives"
    elif [ "${name%%-*}" = good ]; then
        grep -qw -- "$name" <<<"$strict" || why="was refused: $code"
    elif [ $code != $data ] && [ $code != $limit ]; then
        why="result $code: $(tail -n 1 "$work/words")"
    fi
    if [ -z "$why" ]; then echo "ok lib/corpus/$name"; else echo "not ok lib/corpus/$name: $why"; fi
done
[ $count -ge 60 ] || echo "not ok lib/corpus: only $count files: $(tail -n 1 "$work/log")"
