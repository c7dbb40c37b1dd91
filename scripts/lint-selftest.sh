#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint-selftest.sh: proves that each rule of lint.sh can fail: in a small tree where all rules pass, each row
# below adds one bad file, and the named rule must then say so, with the words of the row's last column.
set -u

lint=$(cd "$(dirname "$0")" && pwd)/lint.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# rule | bad file | its content, with backslash escapes (%s: the SPDX line) | expected in the answer
# Escapes keep this file itself clean: \056 is a full stop, \040 a blank, \124 a T, \106 an F.
samples=(
    'shellcheck|scripts/bad.sh|#!/bin/sh\n# %s\necho $1\n|SC2086'
    'shellcheck|tool|#!/bin/bash\n# %s\necho $1\n|SC2086'
    'cppcheck|lib/bad.c|// %s\nint f(void);\nint f(void)\n{\n\tint a[2];\n\n\ta[2] = 1;\n\treturn a[1];\n}\n|arrayIndexOutOfBounds'
    'man|docs/man/bad.8|.Dd x\n.Nm bad\n|bad.8'
    'walls|oci/bad.c|// %s\n#include <unistd.h>\n|not allowed in oci/'
    'walls|oci/bad2.c|// %s\n#include <sys/mount.h>\n|not allowed in oci/'
    'walls|oci/bad3.c|// %s\n#include "init/guest.h"\n|not allowed in oci/'
    'walls|init/bad.c|// %s\n#include <jansson.h>\n|not allowed in init/'
    'walls|init/bad2.c|// %s\n#include "host/run.h"\n|not allowed in init/'
    'walls|lib/bad.c|// %s\n#include "oci/oci.h"\n|not allowed in lib/'
    'walls|lib/bad2.c|// %s\n#include "init/guest.h"\n|not allowed in lib/'
    'walls|host/bad.c|// %s\n#include "init/guest.h"\n|not allowed in host/'
    'walls|host/bad2.c|// %s\n#  include <jansson.h>\n|not allowed in host/'
    'walls|include/smk/bad.h|// %s\n#include "oci/oci.h"\n|not allowed in include/'
    'walls|include/smk/bad.c|// %s\n|no code in include/'
    'walls|oci/oci.h|// %s\nint f(json_t *root);\n|a JSON type leaves oci/'
    'walls|oci/inner.h|// %s\nint f(json_t *root);\n|a JSON type leaves oci/'
    'hosts|scripts/bad.sh|#!/bin/sh\n# %s\ncurl deb\056example\056org\n|bad.sh'
    'hosts|docs/bad.md|see mirror\056example\056net\n|bad.md'
    'hosts|lib/bad.c|// %s\n// https:\057\057example\056com/x\n|bad.c'
    'spdx|lib/bad.c|int x;\n|no SPDX line with Apache-2.0'
    'spdx|scripts/bad.sh|#!/bin/sh\n|no SPDX line with Apache-2.0'
    'spdx|assets/kernel/patches/0001-bad.patch|--- a\n+++ b\n|no SPDX line with GPL-2.0-only'
    'whitespace|docs/bad.md|text\040\n|blank at the end'
    'whitespace|docs/bad2.md|text|no newline at the end'
    'promises|lib/bad.c|// %s\n// \124ODO: later\n|bad.c'
    'promises|docs/bad.md|\106IXME\n|bad.md'
    'typedefs|lib/bad.h|// %s\ntypedef struct a a_t;\n|bad.h'
    'links|docs/bad.md|[x](missing.md)\n|no such file'
    'links|docs/bad2.md|[x](good.md#not-there)\n|no such heading'
)

spdx='SPDX-License-Identifier: Apache-2.0'

good_tree() {
    mkdir -p "$1"/{oci,init,lib,host,include/smk,scripts,docs/man,assets/kernel/patches}
    cd "$1" || exit 1
    git init -q .
    printf '// %s\n#include <jansson.h>\nint f(void);\nint f(void)\n{\n\treturn 0;\n}\n' "$spdx" >oci/good.c
    printf '// %s\n#include "oci/oci.h"\n#include "oci/outer.h"\n' "$spdx" >init/good.c
    printf '// %s\n#include "inner.h"\n' "$spdx" >oci/outer.h
    printf '#!/bin/sh\n# %s\nf() {\n    echo "$1"\n}\nf x\n' "$spdx" >scripts/good.sh
    printf '# Good\n\n## A heading, with `code`\n\n[x](good.md#a-heading-with-code) [y](../lib)\n' >docs/good.md
    printf 'x\n' >lib/.keep
}

# Expects "not ok lint/RULE", the words, and exit status 1.
expect_red() {
    local name=$1 rule=$2 words=$3 answer
    answer=$("$lint" "$rule") && answer="exit status 0: $answer"
    if grep -q "^not ok lint/$rule: .*$words" <<<"$answer"; then
        echo "ok lint/selftest-$name"
    else
        echo "not ok lint/selftest-$name: $(tail -n 1 <<<"$answer")"
        return 1
    fi
}

# A file of many lines and a function of many lines are made, not written out.
long_samples() {
    { echo "// $spdx"; yes '// line' | head -n 400; } >lib/bad.c
    expect_red file-length file-length 'lib/bad.c: 401 lines' || failed=1
    { echo "// $spdx"; printf 'int f(void)\n{\n'; yes '	x++;' | head -n 59; echo '}'; } >lib/bad.c
    expect_red function-length function-length '61 lines' || failed=1
    rm lib/bad.c
    { printf '#!/bin/sh\n# %s\nf() {\n' "$spdx"; yes '    echo' | head -n 59; printf '}\nf\n'; } >scripts/bad.sh
    expect_red function-length-shell function-length '61 lines' || failed=1
    rm scripts/bad.sh
}

# Objects that compute, and one that asks the kernel.
pure_samples() {
    local answer
    printf '#include <string.h>\nint f(const char *s);\nint f(const char *s) { return (int)strlen(s); }\n' >"$work/a.c"
    printf '#include <unistd.h>\nint g(void);\nint g(void) { return getppid(); }\n' >"$work/b.c"
    gcc -c "$work/a.c" -o "$work/a.o" && gcc -c "$work/b.c" -o "$work/b.o" || failed=1
    answer=$("${lint%.sh}-pure.sh" "$work/a.o") || failed=1
    echo "${answer/lint\/pure/lint\/selftest-pure-good}"
    answer=$("${lint%.sh}-pure.sh" "$work/a.o" "$work/b.o") && answer="exit status 0"
    if grep -q '^not ok lint/pure: oci/ calls getppid' <<<"$answer"; then
        echo "ok lint/selftest-pure"
    else
        echo "not ok lint/selftest-pure: $(tail -n 1 <<<"$answer")"
        failed=1
    fi
}

good_tree "$work/tree"
failed=0
if answer=$("$lint"); then
    echo "ok lint/selftest-good-tree"
else
    echo "not ok lint/selftest-good-tree: $(grep '^not ok' <<<"$answer" | head -n 1)"
    failed=1
fi
number=0
for sample in "${samples[@]}"; do
    IFS='|' read -r rule file content words <<<"$sample"
    number=$((number + 1))
    printf -v text %b "$content"
    printf '%s' "${text//%s/$spdx}" >"$file"
    expect_red "$rule-$number" "$rule" "$words" || failed=1
    rm "$file"
done
long_samples
pure_samples
for rule in $("$lint" --rules); do
    [[ " file-length function-length ${samples[*]%%|*} " == *" $rule "* ]] ||
        { echo "not ok lint/selftest-$rule: no sample makes this rule fail"; failed=1; }
done
exit $failed
