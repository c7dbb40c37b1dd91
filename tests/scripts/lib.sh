# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For the tests of scripts: one line a case, "ok NAME" or "not ok NAME: why". Source it, run cases,
# end with `finish`.

# shellcheck disable=SC2034 # used by those who source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

pass() {
    echo "ok $1"
}

fail() {
    echo "not ok $1: $2"
    failed=1
}

# is NAME WANTED GOT: equal strings.
is() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "wanted '$2', got '$3'"
    fi
}

# refuses NAME PATTERN COMMAND...: fails with one line on standard error that matches the glob, and
# says nothing on standard output.
refuses() {
    local name=$1 pattern=$2 code
    shift 2
    "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
    code=$?
    if [ $code = 0 ]; then
        fail "$name" "it succeeded"
    elif [ -s "$scratch/out" ] || [ "$(wc -l <"$scratch/err")" != 1 ]; then
        fail "$name" "wanted one line, got: $(cat "$scratch/out" "$scratch/err")"
    else
        # shellcheck disable=SC2254 # a glob on purpose
        case $(cat "$scratch/err") in
        $pattern) pass "$name" ;;
        *) fail "$name" "wanted '$pattern', got '$(cat "$scratch/err")'" ;;
        esac
    fi
}

# quiet NAME MILLISECONDS COMMAND...: succeeds within that time and says nothing.
quiet() {
    local name=$1 limit=$2 begin=${EPOCHREALTIME/./} took code
    shift 2
    "$@" >"$scratch/out" 2>&1 </dev/null
    code=$?
    took=$(((${EPOCHREALTIME/./} - begin) / 1000))
    if [ $code != 0 ] || [ -s "$scratch/out" ]; then
        fail "$name" "exit code $code, output: $(cat "$scratch/out")"
    elif [ $took -gt "$limit" ]; then
        fail "$name" "took $took ms, at most $limit allowed"
    else
        pass "$name"
    fi
}

# Runs a command as a user without rights, and without sudo in its PATH.
as_nobody() {
    if [ "$(id -u)" = 0 ]; then
        HOME=/nonexistent setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}

# A directory for PATH that holds only the named programs of this machine.
path_of_only() {
    local program
    rm -rf "$scratch/path"
    mkdir "$scratch/path"
    for program in "$@"; do
        ln -s "$(command -v "$program")" "$scratch/path/$program"
    done
    chmod 755 "$scratch" "$scratch/path"
}

finish() {
    exit $failed
}
