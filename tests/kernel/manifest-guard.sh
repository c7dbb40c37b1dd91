#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# manifest-guard.sh: a damaged or stale asset is noticed, each way it can be; in a copy of the tree.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
export SMK_MANIFEST_TOP=$work/tree
export INIT_OCI_INPUTS="init/main.c oci/plan.c" INIT_OCI_CC="aarch64-linux-gnu-gcc -static" \
    INIT_OCI_THIRD_PARTY="musl=1.2.3 jansson=2.14"
manifest=$top/scripts/manifest.sh

make_tree() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/assets/kernel/patches" "$work/tree/scripts" "$work/tree/init" "$work/tree/oci"
    cd "$work/tree"
    cp "$top"/assets/kernel/{config.fragment,required.config,build.sh} assets/kernel/
    cp "$top/scripts/xz-asset.sh" scripts/
    echo 'int main;' >init/main.c
    echo 'int plan;' >oci/plan.c
    head -c 100000 /dev/urandom >"$work/kernel"
    head -c 5000 /dev/urandom >"$work/init-oci"
    "$manifest" pin 6.12.1-1
    for name in kernel init-oci; do
        "$top/scripts/xz-asset.sh" "$work/$name" "assets/$name.xz"
        "$manifest" record "$name" "$work/$name" "assets/$name.xz" 1.2.3
    done
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
    make_tree
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

make_tree
report "a fresh record passes" "$("$manifest" check >/dev/null 2>&1 && echo ok || "$manifest" check 2>&1 || true)"
report "get" "$([ "$("$manifest" get kernel inputs.source_version)" = 6.12.1-1 ] && echo ok || echo "wrong version")"
header=$("$manifest" header)
report "header" "$(grep -qxF "#define SMK_INIT_OCI_RAW_SIZE 5000" <<<"$header" &&
    grep -qxF "#define SMK_KERNEL_RAW_SHA256 \"$(sha256sum "$work/kernel" | cut -d ' ' -f 1)\"" <<<"$header" &&
    echo ok || echo "got '$header'")"

stale "xz bit flip" 'kernel.xz: does not decode' flip_byte assets/kernel.xz 60000
stale "xz missing" 'kernel.xz: missing' rm assets/kernel.xz
stale "xz of something else" 'kernel: raw_sha256: manifest has' "$top/scripts/xz-asset.sh" init/main.c assets/kernel.xz
stale "wrong raw size" 'init-oci: raw_size: manifest has 4999, found 5000' \
    edit_manifest '.assets["init-oci"].raw_size = 4999'
stale "moved pin" 'kernel: inputs.source_version: manifest has "6.12.1-1", found "6.12.2-1"' "$manifest" pin 6.12.2-1
stale "edited fragment" 'kernel: inputs.config_sha256' sed -i '$aCONFIG_X=y' assets/kernel/config.fragment
stale "edited promise" 'kernel: inputs.config_sha256' sed -i '$aCONFIG_X=y' assets/kernel/required.config
stale "new patch" 'kernel: inputs.patches_sha256' cp init/main.c assets/kernel/patches/0001-x.patch
stale "edited build" 'kernel: inputs.build_sha256' sed -i '$a# x' assets/kernel/build.sh
stale "edited xz form" 'kernel: inputs.build_sha256' sed -i '$a# x' scripts/xz-asset.sh
stale "other compiler" 'kernel: inputs.compiler' edit_manifest '.assets.kernel.inputs.compiler = "other"'
stale "edited source" 'init-oci: inputs.sources_sha256' sed -i '$aint x;' oci/plan.c
stale "unrecorded input" 'init-oci: inputs.extra' edit_manifest '.assets["init-oci"].inputs.extra = 1'
INIT_OCI_THIRD_PARTY_OLD=$INIT_OCI_THIRD_PARTY
upgrade() {
    INIT_OCI_THIRD_PARTY="musl=1.2.4 jansson=2.14"
}
stale "third-party version" 'init-oci: inputs.third_party' upgrade
INIT_OCI_THIRD_PARTY=$INIT_OCI_THIRD_PARTY_OLD
stale "no manifest" 'manifest.json: missing' rm assets/manifest.json
exit $failed
