#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# manifest-guard.sh: a damaged or stale asset is noticed, each way it can be; in a copy of the tree.
# shellcheck disable=SC2317 # functions that stale() calls by name
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
export SMK_MANIFEST_TOP=$work/tree
export INIT_OCI_INPUTS="init/main.c oci/plan.c"
export INIT_OCI_CC="aarch64-linux-gnu-gcc -static"
export INIT_OCI_THIRD_PARTY="musl=1.2.3 jansson=2.14"
manifest=$top/scripts/manifest.sh

# The tree that every case starts from: two assets, recorded.
make_tree() {
    local asset
    mkdir -p "$work/tree"
    cd "$work/tree"
    mkdir -p assets/kernel/patches scripts init oci
    cp "$top"/assets/kernel/{config.fragment,required.config,build.sh} assets/kernel/
    cp "$top/scripts/xz-asset.sh" scripts/
    echo 'int main;' >init/main.c
    echo 'int plan;' >oci/plan.c
    head -c 100000 /dev/urandom >"$work/kernel"
    head -c 5000 /dev/urandom >"$work/init-oci"
    "$manifest" pin 6.12.1-1
    for asset in kernel init-oci; do
        "$top/scripts/xz-asset.sh" "$work/$asset" "assets/$asset.xz"
        "$manifest" record "$asset" "$work/$asset" "assets/$asset.xz" 1.2.3
    done
    cp -a "$work/tree" "$work/fresh"
}

restore_tree() {
    cd "$work"
    rm -rf "$work/tree"
    cp -a "$work/fresh" "$work/tree"
    cd "$work/tree"
}

report() {
    if [ "$2" = ok ]; then
        echo "ok manifest: $1"
    else
        echo "not ok manifest: $1: $2"
        failed=1
    fi
}

# stale NAME PATTERN COMMAND...: after COMMAND in a fresh tree, check fails and says PATTERN.
stale() {
    local name=$1 pattern=$2 said
    shift 2
    restore_tree
    "$@"
    if said=$("$manifest" check 2>&1); then
        report "$name" "check passed"
    elif grep -q -- "$pattern" <<<"$said"; then
        report "$name" ok
    else
        report "$name" "expected '$pattern', got '$said'"
    fi
}

flip_byte() {
    printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

edit_manifest() {
    jq "$1" assets/manifest.json >m.new && mv m.new assets/manifest.json
}

digest_of_kernel() {
    sha256sum "$work/kernel" | cut -d ' ' -f 1
}

case_fresh() {
    local said header
    said=$("$manifest" check 2>&1) && said=ok
    report "a fresh record passes" "$said"

    said=$("$manifest" get kernel inputs.source_version)
    [ "$said" != 6.12.1-1 ] || said=ok
    report "get" "$said"

    header=$("$manifest" header)
    for line in '#define SMK_INIT_OCI_RAW_SIZE 5000' \
        "#define SMK_KERNEL_RAW_SHA256 \"$(digest_of_kernel)\""; do
        said="no line '$line' in '$header'"
        ! grep -qxF "$line" <<<"$header" || said=ok
        report "header: ${line:0:36}" "$said"
    done
}

append() {
    echo "$2" >>"$1"
}

make_tree
case_fresh

kernel=assets/kernel
stale "xz bit flip" 'kernel.xz: does not decode' flip_byte assets/kernel.xz 60000
stale "xz missing" 'kernel.xz: missing' rm assets/kernel.xz
stale "xz of something else" 'kernel: raw_sha256: manifest has' \
    "$top/scripts/xz-asset.sh" init/main.c assets/kernel.xz
stale "wrong raw size" 'init-oci: raw_size: manifest has 4999, found 5000' \
    edit_manifest '.assets["init-oci"].raw_size = 4999'
stale "moved pin" \
    'kernel: inputs.source_version: manifest has "6.12.1-1", found "6.12.2-1"' \
    "$manifest" pin 6.12.2-1
stale "edited fragment" 'kernel: inputs.config_sha256' append $kernel/config.fragment CONFIG_X=y
stale "edited promise" 'kernel: inputs.config_sha256' append $kernel/required.config CONFIG_X=y
stale "new patch" 'kernel: inputs.patches_sha256' cp init/main.c $kernel/patches/0001-x.patch
stale "edited build" 'kernel: inputs.build_sha256' append $kernel/build.sh '# x'
stale "edited xz form" 'kernel: inputs.build_sha256' append scripts/xz-asset.sh '# x'
stale "other compiler" 'kernel: inputs.compiler' \
    edit_manifest '.assets.kernel.inputs.compiler = "other"'
stale "edited source" 'init-oci: inputs.sources_sha256' append oci/plan.c 'int x;'
stale "unrecorded input" 'init-oci: inputs.extra' \
    edit_manifest '.assets["init-oci"].inputs.extra = 1'
stale "no manifest" 'manifest.json: missing' rm assets/manifest.json
export INIT_OCI_THIRD_PARTY="musl=1.2.4 jansson=2.14"
stale "third-party version" 'init-oci: inputs.third_party' true
exit $failed
