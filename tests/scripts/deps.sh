#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# scripts/deps.sh: silent when there is nothing to do, one clear line when it cannot, and the right
# commands in the right order (against a make-believe apt) when it must act. Installs nothing.
# shellcheck source=tests/scripts/lib.sh
. "$(dirname "$0")/lib.sh"

deps=$top/scripts/deps.sh
basics=(awk cat dash dirname dpkg dpkg-query env grep id mkdir rm sed sh tail tr wc)

table() {
    printf '%s\t%s\n' "$@" >"$scratch/packages"
    chmod 644 "$scratch/packages"
}

test_nothing_to_do() {
    quiet deps-installed-is-silent 1000 "$deps"
    table bash "there on every machine" base-files "of architecture arm64 or amd64" tzdata "of all"
    SMK_PACKAGES=$scratch/packages quiet deps-other-table 1000 "$deps"
}

test_unavailable() {
    table bash "is there" no-such-package-smk "for this test"
    SMK_PACKAGES=$scratch/packages refuses deps-unavailable \
        "deps.sh: package no-such-package-smk (for this test) is in none of this machine's apt sources" \
        fake_apt none "$deps"
}

test_cannot() {
    table no-such-package-smk "for this test"
    path_of_only "${basics[@]}"
    SMK_PACKAGES=$scratch/packages PATH=$scratch/path refuses deps-no-apt \
        "deps.sh: no apt-get on this machine (Debian 12 expected); install by hand: no-such-package-smk*" \
        "$deps"
    path_of_only "${basics[@]}" apt-get apt-cache setpriv
    SMK_PACKAGES=$scratch/packages PATH=$scratch/path refuses deps-no-root \
        "deps.sh: neither root nor sudo; ask an administrator to install: no-such-package-smk*" \
        as_nobody "$deps"
    SMK_PACKAGES=$scratch/none refuses deps-no-table "deps.sh: cannot read $scratch/none" "$deps"
}

# fake_apt MODE COMMAND...: apt and dpkg that write what they are asked to a log. MODE none: nothing is
# to be had; stale: the first install fails as with an old index, the second works.
fake_apt() {
    local mode=$1 bin=$scratch/bin
    shift
    rm -rf "$bin" "$scratch/log" "$scratch/tries" "$scratch/done"
    mkdir "$bin"
    cat >"$bin/dpkg" <<FAKE
#!/bin/sh
case \$1 in
--print-architecture) echo amd64 ;;
--add-architecture) echo "dpkg \$*" >>$scratch/log ;;
esac
FAKE
    cat >"$bin/dpkg-query" <<FAKE
#!/bin/sh
echo "bash:amd64 installed"
[ ! -e $scratch/done ] || echo "wanted:arm64 installed"
FAKE
    cat >"$bin/apt-cache" <<FAKE
#!/bin/sh
[ $mode = none ] || echo "  Candidate: 1"
FAKE
    cat >"$bin/apt-get" <<FAKE
#!/bin/sh
for last; do :; done
echo "apt-get \$last" >>$scratch/log
if [ "\$last" = wanted:arm64 ]; then
    if [ -e $scratch/tries ]; then touch $scratch/done; else touch $scratch/tries; exit 100; fi
fi
FAKE
    printf '#!/bin/sh\nexec "$@"\n' >"$bin/sudo"
    chmod 755 "$bin"/*
    PATH=$bin:$PATH "$@"
}

test_acts() {
    table bash "is there" wanted:arm64 "for this test"
    SMK_PACKAGES=$scratch/packages fake_apt stale "$deps" >"$scratch/out" 2>&1
    is deps-installs 0 $?
    is deps-says-what "deps.sh: installing 1 packages: wanted:arm64 " "$(cat "$scratch/out")"
    is deps-adds-arm64-and-retries \
        "dpkg --add-architecture arm64|apt-get wanted:arm64|apt-get update|apt-get wanted:arm64" \
        "$(paste -sd'|' "$scratch/log")"
}

test_table() {
    cut -f1 "$top/scripts/packages.txt" | LC_ALL=C sort -c 2>"$scratch/err"
    is deps-table-sorted "" "$(cat "$scratch/err")"
    is deps-table-form "" "$(grep -nvP '^[a-z0-9][a-z0-9+.-]+(:arm64)?\t[^\t]+$' "$top/scripts/packages.txt")"
    is deps-table-once "" "$(cut -f1 "$top/scripts/packages.txt" | uniq -d)"
}

test_nothing_to_do
test_unavailable
test_cannot
test_acts
test_table
finish
