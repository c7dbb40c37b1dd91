#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pin-guard.sh: what the kernel's build says when it cannot have what it was told to build, and how
# the pin moves; in a copy of the tree, without building anything.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=linux-source-6.12
newest=$(apt-cache policy $package | awk '$1 == "Candidate:" { print $2 }')
failed=0

mkdir -p "$work/assets" "$work/scripts"
cp -r "$top/assets/kernel" "$work/assets/"
cp "$top/scripts/manifest.sh" "$work/scripts/"
build=$work/assets/kernel/build.sh
manifest=$work/scripts/manifest.sh

# check NAME EXPECTED GOT
check() {
    if [ "$2" = "$3" ]; then
        echo "ok kernel-pin: $1"
    else
        echo "not ok kernel-pin: $1: expected '$2', got '$3'"
        failed=1
    fi
}

"$manifest" pin 6.12.0-1
missing="the mirror no longer has $package 6.12.0-1"
check "a version that the mirror no longer has" \
    "kernel: $missing; the newest is $newest: make kernel-bump" \
    "$("$build" --dir "$work/build" 2>&1 | grep '^kernel:' || true)"

check "bump says what it pinned" "kernel: pinned $package $newest; now: make kernel" \
    "$("$build" bump)"
check "bump moves the pin" "$newest" "$("$manifest" pin)"

mkdir -p "$work/assets/kernel/patches"
printf '%s\n' '--- a/Makefile' '+++ b/Makefile' '@@ -1 +1 @@' '-no such line' '+x' \
    >"$work/assets/kernel/patches/9999-does-not-apply.patch"
check "a patch that does not apply" \
    "kernel: 9999-does-not-apply.patch does not apply to $package $newest" \
    "$("$build" --dir "$work/build" 2>&1 | grep '^kernel: 9' || true)"
exit $failed
