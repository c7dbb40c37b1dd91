#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh LOGDIR SUITE...: runs each suite (make check-SUITE), counts its "ok" and "not ok" lines, and
# ends with "N passed, N failed". A suite that fails without saying which case, that prints no case, or
# that skips one, or that takes longer than SUITE_SECONDS, counts as a failure: nothing is passed over.
#
# Of the suites in CONFORMANCE it adds up the distinct cases that ran init-oci as PID 1 to its exit record ("3 runs" in
# the case's line), and fails when they are fewer than CONFORMANCE_MIN.
set -u
logs=$1
shift
mkdir -p "$logs"
passed=0
failed=0
for suite in "$@"; do
    log=$logs/$suite.log
    begin=$SECONDS
    timeout -k 10 "${SUITE_SECONDS:-1500}" make --no-print-directory -j"$(nproc)" "check-$suite" \
        >"$log" 2>&1 </dev/null
    code=$?
    ok=$(grep -c '^ok ' "$log")
    not_ok=$(grep -c '^not ok ' "$log")
    skipped=$(grep -ci '^\(ok .*# skip\|skip\)' "$log")
    if [ "$skipped" -gt 0 ]; then
        grep -i '^\(ok .*# skip\|skip\)' "$log" | sed "s/^/$suite: skipped: /"
        ok=$((ok - skipped))
        not_ok=$((not_ok + skipped))
    fi
    if [ "$not_ok" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$ok" -eq 0 ]; }; then
        echo "$suite: ended with $code after $ok cases; the end of $log:"
        tail -n 20 "$log" | sed 's/^/    /'
        not_ok=1
    fi
    grep '^not ok ' "$log" | sed "s/^/$suite: /"
    printf '%-22s %5d passed %4d failed  %4d s\n' "$suite" "$ok" "$not_ok" $((SECONDS - begin))
    passed=$((passed + ok))
    failed=$((failed + not_ok))
done
cases=0
for suite in ${CONFORMANCE:-}; do
    case " $* " in
    *" $suite "*) cases=$((cases + $(sed -n 's/^ok \(.*\) (.* [0-9]* runs)$/\1/p' "$logs/$suite.log" | sort -u | wc -l))) ;;
    esac
done
[ "$cases" -eq 0 ] || echo "conformance and hardening: $cases cases"
if [ "$cases" -lt "${CONFORMANCE_MIN:-0}" ]; then
    echo "conformance and hardening: fewer than $CONFORMANCE_MIN cases"
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
