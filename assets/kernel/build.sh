#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh [--dir DIR] [--clean] [--jobs N] [--variant NAME]: builds the guest kernel; prints the path
# of the Image.
#
# The pinned version of the distribution's source package, our patches in the order of their names,
# the configuration from config.fragment and required.config on allnoconfig. Everything that could
# make two builds differ is fixed: the Image depends on the inputs and the compiler, not on DIR.
# DIR (default build/kernel) keeps source and objects, so that a second build is incremental;
# --clean starts from nothing. A variant, never the asset, has variant-NAME.config on top, and its
# objects in DIR/obj-NAME.
#
# build.sh bump: moves the pin to the newest version that apt offers.
set -euo pipefail
export LC_ALL=C TZ=UTC

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
package=linux-source-6.12
dir=$top/build/kernel
jobs=2
variant=

die() {
    echo "kernel: $*" >&2
    exit 1
}

newest_version() {
    apt-cache policy "$package" | awk '$1 == "Candidate:" { print $2 }'
}

bump() {
    local newest
    newest=$(newest_version)
    case $newest in
    '' | '(none)') die "apt knows no $package: run apt-get update" ;;
    esac
    "$top/scripts/manifest.sh" pin "$newest"
    echo "kernel: pinned $package $newest; now: make kernel"
}

# Prints the path of the pinned source archive: the installed package's, else from the mirror.
source_archive() {
    local pin=$1 installed
    installed=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || true)
    if [ "$installed" = "$pin" ] && [ -e "/usr/src/$package.tar.xz" ]; then
        echo "/usr/src/$package.tar.xz"
        return
    fi
    mkdir -p "$dir/package"
    if ! (cd "$dir/package" && apt-get -qq download "$package=$pin" >&2); then
        die "the mirror no longer has $package $pin;" \
            "the newest is $(newest_version): make kernel-bump"
    fi
    dpkg-deb -x "$dir/package/${package}_${pin}_all.deb" "$dir/package"
    echo "$dir/package/usr/src/$package.tar.xz"
}

# Leaves the patched source in $dir/src. Files that did not change keep their time, so that make
# rebuilds only what a changed patch touches.
prepare_source() {
    local pin=$1 archive patch stamp
    stamp="$pin $(find "$here/patches" -name '*.patch' | sort | xargs -r cat | sha256sum)"
    [ "$(cat "$dir/src.stamp" 2>/dev/null || true)" != "$stamp" ] || return 0
    archive=$(source_archive "$pin")
    echo "kernel: unpacking $package $pin" >&2
    rm -rf "$dir/src.new"
    mkdir -p "$dir/src.new" "$dir/src"
    tar -xf "$archive" -C "$dir/src.new" --strip-components=1
    for patch in "$here"/patches/*.patch; do
        [ -e "$patch" ] || continue
        patch -d "$dir/src.new" -p1 -s -F0 --no-backup-if-mismatch <"$patch" >&2 ||
            die "$(basename "$patch") does not apply to $package $pin"
    done
    rsync -rlp --checksum --delete "$dir/src.new/" "$dir/src/"
    rm -rf "$dir/src.new"
    echo "$stamp" >"$dir/src.stamp"
}

# The kernel's make sees nothing of our environment: a stray variable would change the result.
kernel_make() {
    env -i PATH="$PATH" HOME=/nonexistent LC_ALL=C TZ=UTC \
        KBUILD_BUILD_TIMESTAMP="Thu Jan  1 00:00:00 UTC 1970" KBUILD_BUILD_VERSION=1 \
        KBUILD_BUILD_USER=smk KBUILD_BUILD_HOST=smk \
        KCONFIG_ALLCONFIG="$obj/all.config" \
        nice -n 10 make -C "$dir/src" O="$obj" -s -j"$jobs" \
        ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- LOCALVERSION= "$@" >&2
}

configure() {
    local file files=(config.fragment required.config)
    [ -z "$variant" ] || files=("variant-$variant.config")
    mkdir -p "$obj"
    cat "$here/config.fragment" "$here/required.config" ${variant:+"$here/variant-$variant.config"} \
        >"$obj/all.config"
    kernel_make allnoconfig
    kernel_make olddefconfig
    for file in "${files[@]}"; do
        "$here/check-config.sh" "$obj/.config" "$here/$file" >&2 ||
            die "the configurator dropped what $file asks for"
    done
}

# All of the script is read before it runs: editing it during a build does no harm.
main() {
    local clean='' obj pin
    while [ $# -gt 0 ]; do
        case $1 in
        bump)
            bump
            return
            ;;
        --dir)
            mkdir -p "$2"
            dir=$(cd "$2" && pwd)
            shift
            ;;
        --jobs)
            jobs=$2
            shift
            ;;
        --variant)
            [ -e "$here/variant-$2.config" ] || die "no variant $2"
            variant=$2
            shift
            ;;
        --clean) clean=1 ;;
        *) die "usage: build.sh [--dir DIR] [--clean] [--jobs N] [--variant NAME] | bump" ;;
        esac
        shift
    done

    pin=$("$top/scripts/manifest.sh" pin)
    mkdir -p "$dir"
    exec 9>"$dir/lock"
    flock 9
    obj=$dir/obj${variant:+-$variant}
    [ -z "$clean" ] || rm -rf "$dir/src" "$dir/src.stamp" "$obj"
    prepare_source "$pin"
    configure
    kernel_make Image
    echo "$obj/arch/arm64/boot/Image"
}

main "$@"
exit
