#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The asset manifest: what the committed xz files are, and from which inputs they were made.
#
#   manifest.sh record NAME RAW XZ VERSION   write entry NAME; RAW: the file, XZ: it in assets/
#   manifest.sh check                        prove that every asset is intact and not stale
#   manifest.sh get NAME FIELD               print a field, like: get kernel inputs.source_version
#   manifest.sh pin [VERSION]                print, or move, the kernel's pinned source version
#   manifest.sh header                       print a C header of sizes, digests and versions
#
# The inputs of "kernel" are known here. Those of "init-oci" come from the Makefile in variables:
#   INIT_OCI_INPUTS       its source files, separated by spaces, relative to the top of the tree
#   INIT_OCI_CC           its compiler (the first line of `$INIT_OCI_CC --version` is recorded)
#   INIT_OCI_THIRD_PARTY  name=version words, separated by spaces
# SMK_MANIFEST_TOP replaces the top of the tree (used by the tests).
set -eu
export LC_ALL=C

top=${SMK_MANIFEST_TOP:-$(cd "$(dirname "$0")/.." && pwd)}
manifest=$top/assets/manifest.json
kernel_package=linux-source-6.12
kernel_cc=aarch64-linux-gnu-gcc

die() {
    echo "manifest.sh: $*" >&2
    exit 1
}

# A missing manifest is an empty one, so that the first record can create it.
manifest_json() {
    if [ -e "$manifest" ]; then
        cat "$manifest"
    else
        echo '{"format":1,"assets":{},"pins":{}}'
    fi
}

# Writes standard input as the new manifest: sorted, indented, in one rename.
manifest_write() {
    jq -S --tab . >"$manifest.new"
    mv "$manifest.new" "$manifest"
}

digest() {
    sha256sum "$1" | cut -d ' ' -f 1
}

# One digest over names and contents of the files named on standard input, in sorted order.
digest_files() {
    (cd "$top" && sort -u | xargs -r -d '\n' sha256sum) | sha256sum | cut -d ' ' -f 1
}

# The words of $1, one a line.
words() {
    printf '%s' "$1" | tr -s ' \t\n' '\n' | sed '/^$/d'
}

compiler_line() {
    command -v "$1" >/dev/null || die "$1: compiler not found: run scripts/deps.sh"
    "$1" --version | head -n 1
}

patch_files() {
    (cd "$top" && find assets/kernel/patches -name '*.patch')
}

inputs_kernel() {
    version=$(pinned)
    config=$(printf 'assets/kernel/%s\n' config.fragment required.config | digest_files)
    build=$(printf '%s\n' assets/kernel/build.sh scripts/xz-asset.sh | digest_files)
    patches=$(patch_files | digest_files)
    compiler=$(compiler_line "$kernel_cc")
    jq -n \
        --arg source_package "$kernel_package" --arg source_version "$version" \
        --arg config_sha256 "$config" --arg patches_sha256 "$patches" \
        --arg build_sha256 "$build" --arg compiler "$compiler" \
        '$ARGS.named'
}

inputs_init_oci() {
    [ -n "${INIT_OCI_INPUTS:-}" ] || die "INIT_OCI_INPUTS is empty: run this through make"
    compiler=$(compiler_line "$(words "${INIT_OCI_CC:-$kernel_cc}" | head -n 1)")
    sources=$(words "$INIT_OCI_INPUTS" | digest_files)
    words "${INIT_OCI_THIRD_PARTY:-}" |
        jq -R -n '[inputs | split("=") | {key: .[0], value: .[1]}] | from_entries' |
        jq \
            --arg sources_sha256 "$sources" --arg compiler "$compiler" \
            '{third_party: ., sources_sha256: $sources_sha256, compiler: $compiler}'
}

inputs() {
    case $1 in
    kernel) inputs_kernel ;;
    init-oci) inputs_init_oci ;;
    *) die "$1: no such asset (kernel, init-oci)" ;;
    esac
}

origin() {
    case $1 in
    kernel) echo "Debian package $kernel_package, our configuration, our patches" ;;
    init-oci) echo "this tree: init/, oci/, include/" ;;
    esac
}

license() {
    case $1 in
    kernel) echo GPL-2.0-only ;;
    init-oci) echo Apache-2.0 ;;
    esac
}

record() {
    [ $# -eq 4 ] || die "usage: manifest.sh record NAME RAW XZ VERSION"
    new_inputs=$(inputs "$1")
    manifest_json | jq \
        --arg name "$1" --arg version "$4" --arg file "$(basename "$3")" \
        --arg origin "$(origin "$1")" --arg license "$(license "$1")" \
        --argjson raw_size "$(stat -c %s "$2")" --arg raw_sha256 "$(digest "$2")" \
        --argjson xz_size "$(stat -c %s "$3")" --arg xz_sha256 "$(digest "$3")" \
        --argjson inputs "$new_inputs" \
        '.assets[$name] = ($ARGS.named | del(.name))' | manifest_write
}

get() {
    [ $# -eq 2 ] || die "usage: manifest.sh get NAME FIELD"
    manifest_json | jq -er --arg name "$1" --arg field "$2" \
        '.assets[$name] | getpath($field | split("."))' ||
        die "$manifest: asset $1 has no field $2"
}

pinned() {
    manifest_json | jq -er --arg p "$kernel_package" '.pins[$p]' ||
        die "$manifest: no pinned version of $kernel_package"
}

pin() {
    if [ $# -eq 0 ]; then
        pinned
    else
        manifest_json | jq --arg p "$kernel_package" --arg v "$1" '.pins[$p] = $v' | manifest_write
    fi
}

# Prints one line when $4 (found) is not $3 (recorded); $1 is the asset, $2 what is compared.
differs() {
    [ "$3" = "$4" ] && return 0
    echo "assets: $1: $2: manifest has $3, found $4"
    return 1
}

# check_file NAME FILE RAW_SIZE RAW_SHA256 XZ_SIZE XZ_SHA256: one asset's bytes.
check_file() {
    file=$top/assets/$2
    if [ ! -e "$file" ]; then
        echo "assets: $1: $file: missing"
        return 1
    fi
    bad=0
    raw=$(mktemp)
    if xz -dc "$file" >"$raw"; then
        differs "$1" raw_size "$3" "$(stat -c %s "$raw")" || bad=1
        differs "$1" raw_sha256 "$4" "$(digest "$raw")" || bad=1
    else
        echo "assets: $1: $file: does not decode"
        bad=1
    fi
    rm -f "$raw"
    differs "$1" xz_size "$5" "$(stat -c %s "$file")" || bad=1
    differs "$1" xz_sha256 "$6" "$(digest "$file")" || bad=1
    return $bad
}

check_bytes() {
    fields=$(manifest_json | jq -r --arg name "$1" '.assets[$name] |
        "\(.file) \(.raw_size) \(.raw_sha256) \(.xz_size) \(.xz_sha256)"')
    # shellcheck disable=SC2086 # five words
    check_file "$1" $fields
}

check_inputs() {
    current=$(inputs "$1")
    found=$(manifest_json | jq -r --arg name "$1" --argjson current "$current" '
        .assets[$name].inputs as $recorded |
        $recorded + $current | keys[] as $key |
        select($recorded[$key] != $current[$key]) |
        "assets: \($name): inputs.\($key): manifest has \($recorded[$key] | tojson)" +
        ", found \($current[$key] | tojson)"')
    [ -z "$found" ] || { echo "$found"; return 1; }
}

check() {
    [ -e "$manifest" ] || die "$manifest: missing"
    names=$(manifest_json | jq -r '.assets | keys[]')
    [ -n "$names" ] || die "$manifest: no assets"
    failed=0
    for name in $names; do
        check_bytes "$name" || failed=1
        check_inputs "$name" || failed=1
    done
    if [ $failed -ne 0 ]; then
        echo "assets: stale or damaged: rebuild with make kernel or make init-oci-asset" >&2
        exit 1
    fi
    echo "assets: $(echo "$names" | tr '\n' ' ')match the manifest"
}

header() {
    echo '/* Generated from assets/manifest.json by scripts/manifest.sh header. */'
    echo '#pragma once'
    manifest_json | jq -r '
        .assets | to_entries[] |
        ("SMK_" + (.key | ascii_upcase | gsub("-"; "_")) + "_") as $p | .value |
        "#define \($p)RAW_SIZE \(.raw_size)",
        "#define \($p)RAW_SHA256 \"\(.raw_sha256)\"",
        "#define \($p)XZ_SIZE \(.xz_size)",
        "#define \($p)XZ_SHA256 \"\(.xz_sha256)\"",
        "#define \($p)VERSION \"\(.version)\""'
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
record | check | get | pin | header) "$command" "$@" ;;
*) die "usage: manifest.sh record|check|get|pin|header ..." ;;
esac
