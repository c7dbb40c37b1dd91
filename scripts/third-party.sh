#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# third-party.sh aarch64|x86_64: builds jansson, libcap and libseccomp as static libraries against
# musl, from the distribution's source packages, into build/third-party/ARCH/{include,lib,versions}.
#
# A stamp keyed by the sources, this script and the compiler makes a second call do nothing. The
# result appears by one rename, so that a reader never sees half of it. CC_aarch64 and CC_x86_64
# name the compilers; both architectures may be built at the same time.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
base=$top/build/third-party
libraries="jansson libcap2 libseccomp"
size_flags="-Os -g0 -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables"

die() {
    echo "third-party.sh: $*" >&2
    exit 1
}

# musl's headers first; the kernel's come from directories searched last.
default_cc() {
    case $1 in
    aarch64) echo "aarch64-linux-gnu-gcc -specs /usr/lib/aarch64-linux-musl/musl-gcc.specs" \
        "-idirafter /usr/aarch64-linux-gnu/include" ;;
    x86_64) echo "gcc -specs /usr/lib/x86_64-linux-musl/musl-gcc.specs" \
        "-idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include" ;;
    *) die "usage: third-party.sh aarch64|x86_64" ;;
    esac
}

fetch() {
    for library in $libraries; do
        set -- "$base"/src/"$library"_*.dsc
        [ -e "$1" ] || {
            # shellcheck disable=SC2086 # one word a package name
            "$top/scripts/apt.sh" source "$base/src" $libraries
            return
        }
    done
}

# The newest downloaded .dsc of a source package.
dsc_of() {
    # shellcheck disable=SC2012 # names are Debian's: no blanks
    ls -v "$base/src/$1"_*.dsc | tail -1
}

source_key() {
    {
        echo "$cc"
        $cc -dumpfullversion
        cat "$0"
        for library in $libraries; do
            cat "$(dsc_of "$library")"
        done
    } | sha256sum | cut -d' ' -f1
}

unpack() {
    dpkg-source --no-check -x "$(dsc_of "$1")" "$work/$1"
}

build_jansson() {
    cd "$work/jansson"
    autoreconf -fi
    ./configure --quiet --build="$build" --host="$host" --prefix="$out" --disable-shared \
        --enable-static CC="$cc" CFLAGS="$size_flags"
    make -C src install
}

build_libseccomp() {
    cd "$work/libseccomp"
    ./configure --quiet --build="$build" --host="$host" --prefix="$out" --disable-shared \
        --enable-static --disable-python CC="$cc" CFLAGS="$size_flags"
    # The packaging patches touch inputs of the generated files: those are kept as shipped.
    make AUTOCONF=: AUTOMAKE=: ACLOCAL=: AUTOHEADER=: -C include install
    make AUTOCONF=: AUTOMAKE=: ACLOCAL=: AUTOHEADER=: -C src libseccomp.la
    cp src/.libs/libseccomp.a "$out/lib/"
}

build_libcap2() {
    cd "$work/libcap2/libcap"
    make CC="$cc" BUILD_CC=gcc BUILD_COPTS=-O1 COPTS="$size_flags" \
        AR="$tools-ar" RANLIB="$tools-ranlib" SHARED=no PTHREADS=no GOLANG=no lib=lib libcap.a
    cp libcap.a "$out/lib/"
    mkdir -p "$out/include/sys"
    cp include/sys/capability.h "$out/include/sys/"
}

build_all() {
    work=$base/.work-$arch
    out=$base/.out-$arch
    rm -rf "$work" "$out"
    mkdir -p "$work" "$out/lib" "$out/include"
    for library in $libraries; do
        unpack "$library"
        ("build_$library")
        "$tools-strip" --strip-debug --enable-deterministic-archives \
            "$out/lib/lib$(echo "${library#lib}" | tr -d 2).a"
        echo "$library $(sed -n 's/^Version: //p' "$(dsc_of "$library")" | head -1)" >>"$out/versions"
    done
    rm -rf "$out/lib/pkgconfig" "$out/lib/"*.la "$work"
}

# At the end: whatever command failed, one line and exit code 1.
report() {
    [ "$done" = yes ] || {
        echo "third-party.sh: build for $arch failed; see $log" >&3
        exit 1
    }
}

[ $# = 1 ] || die "usage: third-party.sh aarch64|x86_64"
arch=$1
host=$arch-linux-musl
build=$(dpkg-architecture -qDEB_BUILD_GNU_TYPE)
tools=$arch-linux-gnu
eval "cc=\${CC_$arch:-}"
[ -n "$cc" ] || cc=$(default_cc "$arch")

mkdir -p "$base/src"
exec 8>"$base/.lock-src"
flock 8
fetch
flock -u 8
exec 9>"$base/.lock-$arch"
flock 9

key=$(source_key)
if [ "$(cat "$base/$arch/.stamp" 2>/dev/null)" = "$key" ]; then
    touch "$base/$arch/.stamp"
    exit 0
fi
log=$base/$arch.log
done=no
echo "third-party.sh: building $libraries for $arch"
exec 3>&2 >"$log" 2>&1
trap report EXIT
build_all 8>&- 9>&-
echo "$key" >"$base/.out-$arch/.stamp"
rm -rf "${base:?}/$arch"
mv "$base/.out-$arch" "$base/$arch"
done=yes
