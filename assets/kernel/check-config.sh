#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check-config.sh CONFIG REQUIRED: every line promised in REQUIRED must be in the final .config.
# One line for each option that is not, with the group it belongs to and the group's reason.
set -eu

[ $# -eq 2 ] || { echo "usage: check-config.sh CONFIG REQUIRED" >&2; exit 2; }

awk -v required="$2" '
    FILENAME != required { have[$0] = 1; next }
    /^## / { group = substr($0, 4); next }
    /^CONFIG_|^# CONFIG_.* is not set$/ {
        promised++
        if ($0 in have)
            next
        # The configurator writes nothing at all about an option whose dependencies are missing.
        name = $0
        gsub(/^# | is not set$/, "", name)
        if ($0 ~ /^#/ && !((name "=y") in have) && !((name "=m") in have))
            next
        print "kernel config: dropped: " $0 (group ? " (" group ")" : "")
        dropped++
        next
    }
    /^#|^[ \t]*$/ { next }
    { print "kernel config: " required ":" FNR ": not an option line: " $0; dropped++ }
    END {
        if (!promised)
            print "kernel config: " required ": promises nothing"
        exit dropped || !promised
    }
' "$1" "$2"
