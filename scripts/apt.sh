#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Packages as files, from the machine's own apt sources, without installing them.
#
#   apt.sh source DIR PACKAGE...   download source packages into DIR
#   apt.sh debs FILE PACKAGE...    download PACKAGEs for arm64 with all that they depend on; the
#                                  paths of the archives are written to FILE, dependencies first
#   apt.sh sources                 print the sources that the other two use
#
# How it works: a private apt state under build/apt (own sources, lists, cache; an empty dpkg status,
# so that every dependency counts as missing). Its sources are the machine's, rewritten to `deb deb-src`
# for arm64; keys, proxies and credentials stay the machine's. /etc/apt is only read, and nothing
# needs root. SMK_APT_STATE names another directory for the state (the tests use it).
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
state=${SMK_APT_STATE:-$top/build/apt}
log=$state/apt.log

die() {
    echo "apt.sh: $*" >&2
    exit 1
}

# One-line entries: every deb line once more as deb-src, the architecture option dropped.
derive_list() {
    awk '/^[ \t]*deb[ \t]/ {
        gsub(/(arch|lang|target)[+-]?=[^] \t]*[ \t]*/, "")
        sub(/\[[ \t]*\]/, "")
        sub(/^[ \t]*deb/, "")
        print "deb [arch=arm64]" $0
        print "deb-src" $0
    }' "$1" | sed -E 's/^(deb )\[arch=arm64\][ \t]*\[/\1[arch=arm64 /'
}

# deb822 paragraphs: those that are enabled and hold binaries, with Types and Architectures ours.
derive_sources() {
    awk 'function flush() {
        if (types ~ /(^|[ \t])deb([ \t]|$)/ && !disabled)
            printf "Types: deb deb-src\nArchitectures: arm64\n%s\n", body
        types = body = ""; disabled = skip = 0
    }
    /^[ \t]*$/ { flush(); next }
    /^#/ { next }
    /^[^ \t]/ { skip = 0; field = tolower($0); sub(/[ \t]*:.*/, "", field) }
    /^[^ \t]/ && field == "types" { types = $0; sub(/^[^:]*:/, "", types); skip = 1 }
    /^[^ \t]/ && field == "architectures" { skip = 1 }
    /^[^ \t]/ && field == "enabled" { disabled = tolower($0) ~ /:[ \t]*(no|false|off|0|disable|without)/; skip = 1 }
    !skip { body = body $0 "\n" }
    END { flush() }' "$1"
}

derive_all() {
    eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    rm -rf "$state/sources"
    mkdir -p "$state/sources"
    for file in "${main:-}" "${parts:-/nonexistent}"/*.list; do
        [ -f "$file" ] || continue
        derive_list "$file" >"$state/sources/$(basename "$file" .list).list"
    done
    for file in "${parts:-/nonexistent}"/*.sources; do
        [ -f "$file" ] || continue
        derive_sources "$file" >"$state/sources/$(basename "$file")"
    done
    grep -rqs '^Types\|^deb' "$state/sources" ||
        die "this machine's apt configuration names no package source ($main, $parts)"
}

write_conf() {
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    cat >"$state/apt.conf" <<CONF
APT::Architecture "arm64";
#clear APT::Architectures;
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
APT::Install-Recommends "false";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Acquire::Languages "none";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$state/sources";
Dir::State::lists "$state/lists";
Dir::State::status "$state/status";
Dir::State::extended_states "$state/extended_states";
Dir::Cache "$state/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
CONF
}

# Sources that have no arm64 or no source packages make update fail as a whole; what counts is
# whether the wanted package is found afterwards, so that is where it is reported.
update() {
    apt-get -c "$state/apt.conf" -qq update >>"$log" 2>&1 || true
    : >"$state/updated"
}

prepare() {
    command -v apt-get >/dev/null || die "needs apt-get (Debian 12); none on this machine"
    mkdir -p "$state" 2>/dev/null || die "cannot make $state"
    [ -w "$state" ] || die "cannot write to $state"
    exec 9>"$state/lock"
    flock 9
    : >"$log"
    write_conf
    derive_all
}

refresh() {
    [ -n "$(find "$state/updated" -mtime -7 2>/dev/null)" ] || update
}

# Lists grow stale when the mirror moves on: look again once, then say what apt said.
twice() {
    "$@" >>"$log" 2>&1 && return
    update
    "$@" >>"$log" 2>&1 && return
    die "$(grep '^E:' "$log" | tail -1 | sed 's/^E: //'); all of it: $log"
}

fetch_sources() {
    refresh
    mkdir -p "$1"
    cd "$1"
    shift
    twice apt-get -c "$state/apt.conf" -q source --download-only --only-source "$@"
}

fetch_debs() {
    refresh
    list=$1
    shift
    twice apt-get -c "$state/apt.conf" -q -y install --download-only "$@"
    # Inst NAME (VERSION ARCHIVE [ARCH]): in an archive's file name the epoch's colon is %3a.
    apt-get -c "$state/apt.conf" -qq -s install "$@" 2>>"$log" |
        sed -n -E 's/^Inst ([^ ]+) \(([^ ]+) .*\[([^]]+)\].*/\1_\2_\3.deb/p' |
        sed "s/:/%3a/; s,^,$state/cache/archives/," >"$list.new"
    while read -r file; do
        [ -s "$file" ] || die "apt announced $file and did not fetch it; log: $log"
    done <"$list.new"
    mv "$list.new" "$list"
}

usage="usage: apt.sh source DIR PACKAGE...|debs FILE PACKAGE...|sources"
case ${1:-} in
sources)
    prepare
    cat "$state/sources"/*
    exit
    ;;
source) verb=fetch_sources ;;
debs) verb=fetch_debs ;;
*) die "$usage" ;;
esac
[ $# -ge 3 ] || die "$usage"
target=$(realpath -m "$2")
mkdir -p "$(dirname "$target")"
shift 2
prepare
$verb "$target" "$@"
