#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# damaged.sh DIRECTORY: runs DIRECTORY/NAME/tool (a library with one damaged asset) for each line of
# DIRECTORY/expected. Every way to the asset must give the expected result and leave nothing behind.
set -u
directory=$1
while read -r name asset expected; do
    work=$directory/$name/work
    rm -rf "$work" && mkdir -p "$work"
    why=
    for command in to parents fd memfd; do
        "$directory/$name/tool" "$command" "$asset" "$work/target" >"$directory/$name/out" 2>/dev/null
        code=$?
        [ "$code" = "$expected" ] || why="$command: result $code instead of $expected"
        [ -z "$(ls -A "$work")" ] || why="$command: left $(ls -A "$work")"
        [ ! -s "$directory/$name/out" ] || why="$command: wrote to the descriptor"
    done
    if [ -z "$why" ]; then echo "ok lib/damaged/$name"; else echo "not ok lib/damaged/$name: $why"; fi
done <"$directory/expected"
