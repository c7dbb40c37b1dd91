#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tests/run.sh: what counts as passed, and how cases that run init-oci are counted.
# shellcheck source=tests/scripts/lib.sh
. "$(dirname "$0")/lib.sh"

# suite NAME LINE...: a suite that prints these lines.
suite() {
    local name=$1
    shift
    printf '.PHONY: check-%s\ncheck-%s:\n' "$name" "$name" >>"$scratch/Makefile"
    printf "\t@echo '%s'\n" "$@" >>"$scratch/Makefile"
}

# Those of the run that this is a part of are not meant.
unset CONFORMANCE CONFORMANCE_MIN

# The last lines of a run over the suites.
summary() {
    (cd "$scratch" && "$top/tests/run.sh" logs "$@" >out 2>&1; echo "code $?" >>out; tail -n "$lines" out | tr '\n' '|')
}

suite one 'ok one/a (0.1 s, 1 runs)' 'ok one/b (0.1 s)' 'ok one/c (0.2 s, 12 runs)' 'ok one/a (0.1 s, 1 runs)'
suite two 'ok two/a (0.1 s, 1 runs)' 'not ok two/b: (0.1 s, 1 runs)'
suite three 'ok three/a (0.1 s, 1 runs)'
suite skips 'ok skips/a # skip' 'ok skips/b'
suite silent ''

lines=2
is run-counts-passed '4 passed, 0 failed|code 0|' "$(summary one)"
is run-counts-failed '1 passed, 1 failed|code 1|' "$(summary two)"
is run-skip-is-a-failure '1 passed, 1 failed|code 1|' "$(summary skips)"
is run-silence-is-a-failure '0 passed, 1 failed|code 1|' "$(summary silent)"
lines=3
export CONFORMANCE="one two missing"
is run-distinct-cases-that-ran 'conformance and hardening: 3 cases|6 passed, 1 failed|code 1|' "$(summary one two three)"
export CONFORMANCE_MIN=2
is run-enough-cases 'conformance and hardening: 2 cases|4 passed, 0 failed|code 0|' "$(summary one)"
lines=4
export CONFORMANCE_MIN=3
is run-too-few-cases "conformance and hardening: 2 cases|conformance and hardening: fewer than 3 cases|4 passed, 1 failed|code 1|" \
    "$(summary one)"
finish
