#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# scripts/apt.sh: the sources it derives from the machine's, in both of apt's forms, and what it says
# when it cannot.
# shellcheck source=tests/scripts/lib.sh
. "$(dirname "$0")/lib.sh"

export APT_CONFIG=$scratch/apt.conf SMK_APT_STATE=$scratch/state

# sources NAME EXTENSION: what apt.sh makes of the source file on standard input.
sources() {
    rm -rf "$scratch/sources"
    mkdir "$scratch/sources"
    cat >"$scratch/sources/some.$1"
    cat >"$scratch/apt.conf" <<CONF
Dir::Etc::sourcelist "/nonexistent";
Dir::Etc::sourceparts "$scratch/sources";
CONF
    "$top/scripts/apt.sh" sources 2>&1
}

test_list() {
    is apt-list-plain "$(printf 'deb [arch=arm64] file:/a stable main\ndeb-src file:/a stable main')" \
        "$(sources list <<<'deb file:/a stable main')"
    is apt-list-options \
        "$(printf 'deb [arch=arm64 signed-by=/k] file:/a s\ndeb-src [signed-by=/k] file:/a s')" \
        "$(sources list <<<'deb [arch=amd64 signed-by=/k] file:/a s')"
    is apt-list-passes-over "$(printf 'deb [arch=arm64] file:/b s\ndeb-src file:/b s')" \
        "$(printf '# deb file:/a s\n\ndeb-src file:/c s\n  deb file:/b s\n' | sources list)"
}

test_deb822() {
    local key=$'Signed-By:\n -----BEGIN KEY-----\n .\n abc'
    is apt-deb822 "$(printf 'Types: deb deb-src\nArchitectures: arm64\nURIs: file:/a\nSuites: s\n%s' "$key")" \
        "$(printf '# one\nTypes: deb\nArchitectures: amd64\n i386\nURIs: file:/a\nSuites: s\n%s\n' "$key" | sources sources)"
    is apt-deb822-disabled "$(printf 'Types: deb deb-src\nArchitectures: arm64\nURIs: file:/b\nSuites: s')" \
        "$(printf 'Enabled: no\nTypes: deb\nURIs: file:/a\n\n\ntypes: deb\nURIs: file:/b\nSuites: s\n' | sources sources)"
    is apt-deb822-sources-only "$(printf 'Types: deb deb-src\nArchitectures: arm64\nURIs: file:/b')" \
        "$(printf 'Types: deb-src\nURIs: file:/a\n\nTypes: deb-src deb\nURIs: file:/b\n' | sources sources)"
}

test_cannot() {
    refuses apt-usage "apt.sh: usage:*" "$top/scripts/apt.sh" debs
    sources list </dev/null >"$scratch/none"
    is apt-no-source "apt.sh: this machine's apt configuration names no package source (/nonexistent, $scratch/sources/)" \
        "$(cat "$scratch/none")"
    sources list <<<"deb file:$scratch/nowhere stable main" >/dev/null
    refuses apt-unavailable "apt.sh: Unable to locate package no-such-package-smk*; all of it: *" \
        "$top/scripts/apt.sh" debs "$scratch/list" no-such-package-smk
}

test_list
test_deb822
test_cannot
# The machine's own configuration was only read.
is apt-etc-untouched "" "$(find /etc/apt -newer "$scratch" -print)"
finish
