#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# install.sh WORK: installs the library and uses it as a stranger would: header, pkg-config, libc. What
# the example writes to disk boots in QEMU.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
rm -rf "$work" && mkdir -p "$work"
prefix=$work/prefix

say() { # say NAME CONDITION-RESULT WHY
    if [ "$2" = 0 ]; then echo "ok lib/install/$1"; else echo "not ok lib/install/$1: $3"; fi
}

run_make() { make -C "$top" --no-print-directory -s "$@" >"$work/make.log" 2>&1; }

run_make install PREFIX="$prefix"
say install $? "$(tail -n 1 "$work/make.log")"
for file in include/smkernel.h lib/libsmkernel.a lib/libsmkernel.so lib/pkgconfig/smkernel.pc \
    share/man/man3/smkernel.3 bin/smk share/man/man1/smk.1; do
    [ -s "$prefix/$file" ]
    say "has $file" $? missing
done

# The same with DESTDIR: same files, and the paths inside are those without it.
run_make install PREFIX=/opt/smk DESTDIR="$work/dest"
diff -r --no-dereference -x smkernel.pc "$prefix" "$work/dest/opt/smk" >"$work/diff" 2>&1
say destdir $? "$(head -n 1 "$work/diff")"
grep -qx 'prefix=/opt/smk' "$work/dest/opt/smk/lib/pkgconfig/smkernel.pc"
say destdir-prefix $? "wrong prefix in smkernel.pc"
run_make uninstall PREFIX=/opt/smk DESTDIR="$work/dest"
[ -z "$(find "$work/dest" ! -type d)" ]
say uninstall $? "left $(find "$work/dest" ! -type d | head -n 1)"

# Symbols: nothing but ours goes out, by either library; nothing but liblzma and libc comes in.
others=$(nm -D --defined-only "$prefix/lib/libsmkernel.so" | awk '$2 != "A" { print $3 }' | grep -v '^smk_')
[ -z "$others" ]
say symbols-shared $? "$others"
others=$(nm -g --defined-only "$prefix/lib/libsmkernel.a" | awk 'NF == 3 { print $3 }' | grep -v '^smk_')
[ -z "$others" ]
say symbols-static $? "$others"
declared=$(grep -o 'smk_[a-z0-9_]*(' "$prefix/include/smkernel.h" | tr -d '(' | sort -u)
defined=$(nm -D --defined-only "$prefix/lib/libsmkernel.so" | grep -o 'smk_[a-z0-9_]*' | sort -u)
[ "$declared" = "$defined" ]
say symbols-declared $? "$(diff <(echo "$declared") <(echo "$defined") | tail -n 1)"
readelf -d "$prefix/lib/libsmkernel.so" | grep -q 'SONAME.*\[libsmkernel\.so\.0\]'
say soname $? "is not libsmkernel.so.0"
others=$(readelf -d "$prefix/lib/libsmkernel.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
    grep -v '^liblzma\.so\.\|^libc\.so\.\|^libpthread\.so\.')
[ -z "$others" ]
say needed $? "$others"

# The header alone, in the languages that include it.
for standard in c99 c17 c++11; do
    echo '#include <smkernel.h>' | "${CC:-cc}" -x "${standard%%[0-9]*}" -std=$standard -Wall -Wextra -pedantic \
        -Werror -fsyntax-only -I"$prefix/include" - 2>"$work/words"
    say "header $standard" $? "$(head -n 1 "$work/words")"
done

# The example, shared and static.
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
read -ra shared <<<"$(pkg-config --cflags --libs smkernel)"
read -ra static <<<"$(pkg-config --static --cflags --libs smkernel)"
cc -Wall -Wextra -Werror -o "$work/example" "$top/docs/example-extract.c" "${shared[@]}" 2>"$work/words"
say example-shared $? "$(head -n 1 "$work/words")"
cc -Wall -Wextra -Werror -static -o "$work/example-static" "$top/docs/example-extract.c" "${static[@]}" 2>"$work/words"
say example-static $? "$(head -n 1 "$work/words")"
[ "$(wc -l <"$top/docs/example-extract.c")" -le 20 ]
say example-length $? "is longer than 20 lines"

for kind in example example-static; do
    mkdir -p "$work/$kind.d" && cd "$work/$kind.d" && LD_LIBRARY_PATH=$prefix/lib "../$kind" 2>"$work/words"
    say "$kind runs" $? "$(cat "$work/words")"
done
[ "$(sha256sum <kernel | cut -d ' ' -f 1)" = "$("$top/scripts/manifest.sh" get kernel raw_sha256)" ]
say example-kernel $? "the kernel has another SHA-256 than the manifest"
cmp -s "$work/example.d/initramfs.cpio" initramfs.cpio
say example-deterministic $? "two programs made two initramfs"

# The archive, read back by cpio.
mkdir unpacked && (cd unpacked && cpio -id --quiet <../initramfs.cpio 2>"$work/words")
say cpio $? "$(head -n 1 "$work/words")"
listing=$(cd unpacked && find . -mindepth 1 -printf '%P %y %#m %U %G\n' | sort)
expected='config.json f 0400 0 0
dev d 0755 0 0
dev/console c 0600 0 0
init f 0755 0 0'
[ "$listing" = "$expected" ]
say cpio-listing $? "$listing"
[ "$(stat -c '%t %T' unpacked/dev/console)" = "5 1" ]
say cpio-console $? "is $(stat -c '%t %T' unpacked/dev/console)"
[ "$(sha256sum <unpacked/init | cut -d ' ' -f 1)" = "$("$top/scripts/manifest.sh" get init-oci raw_sha256)" ]
say cpio-init $? "is not init-oci"

# No disk is attached: that init-oci says so, and powers off, is the proof of the boot.
timeout 120 qemu-system-aarch64 -M virt -cpu max -m 256 -nographic -nodefaults -serial stdio -no-reboot \
    -kernel kernel -initrd initramfs.cpio -append 'console=ttyAMA0 panic=-1' </dev/null >console 2>&1
code=$?
[ $code = 0 ] && grep -q '^smk-exit: {.*125' console
say boot $? "QEMU ended with $code: $(tail -n 1 console)"
