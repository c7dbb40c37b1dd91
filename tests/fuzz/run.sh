#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh DIRECTORY SECONDS JOBS NAME[=SEEDS]...: runs fuzzers DIRECTORY/NAME for so long each, JOBS at a time, from
# the corpus in DIRECTORY/NAME.corpus and what the program SEEDS writes. Prints a line a target:
#
#   ok fuzz/NAME: 60 s, 1234567 runs, cov 2345, 12 new units
#
# A target that ran less than FUZZ_MIN_RUNS times a second, or that reached nothing, has fuzzed nothing and
# fails. DIRECTORY/NAME.total gets a line a run: seconds, runs, new units, what was covered.
set -u

# What the log says of a statistic.
statistic() {
    sed -n "s/^stat::$1: *//p" "$2" | tail -n 1
}

run_one() {
    local dir=$1 seconds=$2 name=${3%%=*} seeds=${3#*=} log begin spent runs new covered status=0
    log=$dir/$name.log
    mkdir -p "$dir/$name.corpus" "$dir/$name.seeds"
    if [ "$seeds" != "$3" ] && ! "$seeds" "$dir/$name.seeds"; then
        echo "not ok fuzz/$name: $seeds fails"
        return 1
    fi
    local options=()
    [ ! -e "$dir/$name.dict" ] || options+=("-dict=$dir/$name.dict")
    begin=$SECONDS
    "$dir/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 "${options[@]}" \
        -artifact_prefix="$dir/$name." "$dir/$name.corpus" "$dir/$name.seeds" >"$log" 2>&1 || status=$?
    spent=$((SECONDS - begin))
    runs=$(statistic number_of_executed_units "$log")
    new=$(statistic new_units_added "$log")
    covered=$(sed -n 's/^#[0-9]*\t.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    echo "$spent ${runs:-0} ${new:-0} ${covered:-0}" >>"$dir/$name.total"
    if [ "$status" -ne 0 ]; then
        echo "not ok fuzz/$name: see $log"
        tail -n 30 "$log"
    elif [ "${runs:-0}" -lt $((seconds * ${FUZZ_MIN_RUNS:-50})) ] || [ "${covered:-0}" -lt 10 ]; then
        echo "not ok fuzz/$name: ${runs:-0} runs in $spent s, cov ${covered:-0}: it does not fuzz"
        return 1
    else
        echo "ok fuzz/$name: $spent s, $runs runs, cov $covered, $new new units"
    fi
    return "$status"
}

# Everything that was ever run, from the .total files.
table() {
    local dir=$1 entry name
    shift
    printf '%-10s %8s %14s %10s %8s %8s\n' target hours runs 'runs/s' cov corpus
    for entry in "$@"; do
        name=${entry%%=*}
        awk -v name="$name" -v corpus="$(find "$dir/$name.corpus" -type f | wc -l)" '
            { seconds += $1; runs += $2; if ($4 > covered) covered = $4 }
            END { printf "%-10s %8.2f %14d %10.0f %8d %8d\n", name, seconds / 3600, runs,
                      runs / (seconds ? seconds : 1), covered, corpus }' "$dir/$name.total"
    done
}

if [ "$1" = --one ]; then
    run_one "$2" "$3" "$4"
    exit
fi
dir=$1 seconds=$2 jobs=$3
shift 3
printf '%s\n' "$@" | xargs -d '\n' -n 1 -P "$jobs" "$0" --one "$dir" "$seconds"
status=$?
table "$dir" "$@"
exit $status
