#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# surroundings.sh TOOL ASSETS WORK: surroundings: file systems that are full, without room for one more
# file, or read-only; writes that do not get through; no /proc.
# Needs root (a mount namespace of its own).
set -u
tool=$1 assets=$2 work=$3
[ "${4:-}" = inside ] || exec unshare -m -- "$0" "$1" "$2" "$3" inside
no_space=10 io=11
rm -rf "$work" && mkdir -p "$work/fs"
size=$(stat -c %s "$assets/kernel")

# expect NAME RESULT: extraction to fs/target gives RESULT; what was there stays; nothing is left.
expect() {
    local before after code
    before=$(cd "$work/fs" && find . -type f -exec sha256sum {} +)
    "$tool" to kernel "$work/fs/target" 2>"$work/words"
    code=$?
    after=$(cd "$work/fs" && find . -type f -exec sha256sum {} +)
    if [ "$code" != "$2" ]; then
        echo "not ok lib/surroundings/$1: result $code instead of $2: $(cat "$work/words")"
    elif [ "$code" != 0 ] && [ "$before" != "$after" ]; then
        echo "not ok lib/surroundings/$1: files changed: $after"
    elif [ "$code" = 0 ] && ! cmp -s "$assets/kernel" "$work/fs/target"; then
        echo "not ok lib/surroundings/$1: wrong content"
    else
        echo "ok lib/surroundings/$1"
    fi
}

for pages in 1 2 50 97; do
    mount -t tmpfs -o size=$((pages * 4096)) tmpfs "$work/fs"
    expect "full-after-$pages-pages" $no_space
    umount "$work/fs"
done
mount -t tmpfs -o size=$(((size + 4095) / 4096 * 4096)) tmpfs "$work/fs"
expect just-enough 0
umount "$work/fs"

# Room for the new content only when the old is gone: the old must stay.
mount -t tmpfs -o size=$((size * 3 / 2)) tmpfs "$work/fs"
head -c "$size" /dev/urandom >"$work/fs/target"
expect old-content-stays $no_space
umount "$work/fs"

mount -t tmpfs -o nr_inodes=2 tmpfs "$work/fs"
echo old >"$work/fs/target"
expect no-inode $no_space
umount "$work/fs"

mount -t tmpfs tmpfs "$work/fs"
echo old >"$work/fs/target"
mount -o remount,ro "$work/fs"
expect read-only $io
umount "$work/fs"

mount -t tmpfs tmpfs "$work/fs"
cp "$assets/kernel" "$work/fs/target"
mount -o remount,ro "$work/fs"
expect read-only-up-to-date 0
umount "$work/fs"

# No permission, as somebody else.
mkdir -p "$work/fs/closed" && chmod 0555 "$work/fs/closed" && chmod 0755 "$work" "$work/fs"
cp "$tool" "$work/fs/tool"
setpriv --reuid=65534 --clear-groups "$work/fs/tool" to kernel "$work/fs/closed/target" 2>"$work/words"
code=$?
if [ $code = $io ] && grep -q 'Permission denied' "$work/words" && [ -z "$(ls -A "$work/fs/closed")" ]; then
    echo "ok lib/surroundings/no-permission"
else
    echo "not ok lib/surroundings/no-permission: result $code: $(cat "$work/words")"
fi

# A write that takes nothing is an error, not a loop.
timeout 10 strace -f -qq -o /dev/null -e inject=write:retval=0:when=1 "$tool" fd kernel >"$work/out" 2>/dev/null
code=$?
if [ $code = $io ]; then
    echo "ok lib/surroundings/nothing-written"
else
    echo "not ok lib/surroundings/nothing-written: result $code"
fi

# A pipe that nobody reads: SIGPIPE, or its error when that is ignored.
for disposition in default ignored; do
    words=$(python3 - "$tool" $disposition 2>&1 <<'END'
import os, signal, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
how = signal.SIG_IGN if sys.argv[2] == "ignored" else signal.SIG_DFL
ended = subprocess.run([sys.argv[1], "fd", "kernel"], stdout=writer, stderr=subprocess.PIPE, text=True,
                       restore_signals=False, preexec_fn=lambda: signal.signal(signal.SIGPIPE, how))
print(ended.returncode, ended.stderr.strip())
END
    )
    case $disposition:$words in
    default:-13*) echo "ok lib/surroundings/closed-pipe-$disposition" ;;
    ignored:$io*Broken\ pipe*) echo "ok lib/surroundings/closed-pipe-$disposition" ;;
    *) echo "not ok lib/surroundings/closed-pipe-$disposition: $words" ;;
    esac
done

# A memfd that cannot be reopened is copied; one of another process's /proc is not taken for ours.
for kind in none other; do
    mkdir -p "$work/proc/self/fd" && ln -sfn "$assets/init-oci" "$work/proc/self/fd/3"
    mount --bind "$work/proc" /proc
    [ $kind = other ] || mount -t tmpfs tmpfs /proc
    digest=$("$tool" memfd kernel 2>/dev/null | sha256sum)
    [ $kind = other ] || umount /proc
    umount /proc
    if [ "$digest" = "$(sha256sum <"$assets/kernel")" ]; then
        echo "ok lib/surroundings/proc-$kind"
    else
        echo "not ok lib/surroundings/proc-$kind: the memfd has other content"
    fi
done
