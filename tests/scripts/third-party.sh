#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# scripts/third-party.sh: both architectures' libraries link into a static program that works, a
# second call does nothing, and a failed build leaves the last good one.
# shellcheck source=tests/scripts/lib.sh
. "$(dirname "$0")/lib.sh"

script=$top/scripts/third-party.sh
built=$top/build/third-party
export CC_aarch64=${CC_aarch64:-aarch64-linux-gnu-gcc -specs /usr/lib/aarch64-linux-musl/musl-gcc.specs -idirafter /usr/aarch64-linux-gnu/include}
export CC_x86_64=${CC_x86_64:-gcc -specs /usr/lib/x86_64-linux-musl/musl-gcc.specs -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include}

fingerprint() {
    find "$built/$1" -type f ! -name .stamp -printf '%P %T@ %s\n' | sort | sha256sum
}

test_again() {
    local before
    "$script" "$1" >/dev/null || fail "third-party-$1-builds" "see build/third-party/$1.log"
    before=$(fingerprint "$1")
    quiet "third-party-$1-again-is-silent" 1000 "$script" "$1"
    is "third-party-$1-again-does-nothing" "$before" "$(fingerprint "$1")"
}

test_contents() {
    is "third-party-$1-versions" "jansson libcap2 libseccomp" \
        "$(awk 'NF == 2 { printf "%s%s", sep, $1; sep = " " }' "$built/$1/versions")"
    is "third-party-$1-names-no-directory" "" "$(strings -a "$built/$1"/lib/*.a | grep -F "$top")"
    is "third-party-$1-only-static" "libcap.a libjansson.a libseccomp.a" \
        "$(find "$built/$1/lib" -mindepth 1 -printf '%f\n' | LC_ALL=C sort | paste -sd' ')"
}

# test_program ARCH RUNNER...: links all three, and calls each once.
test_program() {
    local arch=$1 compiler=CC_$1
    shift
    # shellcheck disable=SC2086 # the compiler is a command line
    ${!compiler} -Os -Wall -Werror -static -no-pie -Wl,--gc-sections -I"$built/$arch/include" \
        "$top/tests/scripts/third-party.c" -L"$built/$arch/lib" -ljansson -lseccomp -lcap \
        -o "$scratch/$arch" 2>"$scratch/err"
    is "third-party-$arch-links" "" "$(cat "$scratch/err")"
    is "third-party-$arch-is-static" "" "$(readelf -lW "$scratch/$arch" | grep -E 'INTERP|DYNAMIC')"
    is "third-party-$arch-runs" "json [1,18] depth 2048, cap 12, seccomp 0, musl" \
        "$("$@" "$scratch/$arch" 2>&1)"
}

test_failed_build() {
    local before
    before=$(fingerprint x86_64)
    CC_x86_64="gcc -fno-such-option" "$script" x86_64 >"$scratch/out" 2>&1
    is third-party-failure-code 1 $?
    is third-party-failure-line "third-party.sh: build for x86_64 failed; see $built/x86_64.log" \
        "$(tail -n 1 "$scratch/out")"
    is third-party-failure-keeps-the-last "$before" "$(fingerprint x86_64)"
}

test_again aarch64
test_again x86_64
test_contents aarch64
test_contents x86_64
test_program aarch64 qemu-aarch64-static
test_program x86_64
test_failed_build
refuses third-party-usage "third-party.sh: usage: *" "$script" sparc
finish
