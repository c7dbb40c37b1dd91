#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint-pure.sh OBJECT...: these objects are pure: whatever they call is in one of them, or in the list of
# functions below that compute and do nothing else. The list names what is allowed, not what is forbidden, so
# that a system call that nobody thought of is found too.
set -eu
export LC_ALL=C

allowed='(explicit_bzero|mempcpy|mem[a-z]+|str[a-z]+|v?sn?printf|is[a-z]+|qsort|bsearch)
malloc|calloc|realloc|free|json_[a-z_0-9]+|_?setjmp|__sigsetjmp|longjmp
__errno_location|__ctype_b_loc|__assert_fail|__[a-z_]+_chk|__isoc[0-9]+_[a-z]+
__(asan|ubsan|stack_chk)_[a-z_0-9]+|_GLOBAL_OFFSET_TABLE_|__aarch64_[a-z0-9_]+'

[ $# -gt 0 ] || { echo "usage: lint-pure.sh OBJECT..." >&2; exit 2; }
foreign=$(comm -23 <(nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u) \
    <(nm --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u) |
    grep -vxE "$(tr '\n' '|' <<<"$allowed" | sed 's/|$//')" || true)
if [ -z "$foreign" ]; then
    echo "ok lint/pure"
    exit 0
fi
for symbol in $foreign; do
    echo "    $symbol: $(nm -uA "$@" | awk -v name="$symbol" '$NF == name { print $1 }' | head -n 1)"
done
echo "not ok lint/pure: oci/ calls $(head -n 1 <<<"$foreign")"
exit 1
