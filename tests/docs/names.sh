#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# names.sh: tables and names in the documents are the code's, in both directions.
set -u
export LC_ALL=C

failed=0

# same NAME WANTED GOT: two lists, one item a line; the first difference is the reason.
same() {
    local difference
    if [ -z "$2" ] || [ -z "$3" ]; then
        difference="one of the lists is empty"
    else
        difference=$(diff <(sort -u <<<"$2") <(sort -u <<<"$3") | sed -n 's/^</the documents lack/p; s/^>/the code lacks/p' | head -n 1)
    fi
    if [ -z "$difference" ]; then
        echo "ok docs/$1"
    else
        echo "not ok docs/$1: $difference"
        failed=1
    fi
}

# Rows of the code's table of fates, as "PATH WORD".
code_fates() {
    sed -nE 's,^\s*(HONOURED|HOST|NOT_APPLIED|REFUSED)(_BY_V2)?\("([^"]+)".*,\3 \1,p' oci/fate.c |
        sed 's/HONOURED/honoured/; s/ HOST$/ host/; s/NOT_APPLIED/warning/; s/REFUSED/refused/'
}

doc_fates() {
    sed -nE 's,^\| `(/[^`]*)` \| (honoured|host|warning|refused) \|.*,\1 \2,p' docs/config-fields.md
}

# Mount options, as "NAME WORD".
code_options() {
    sed -nE '/^const struct option_name option_names/,/^};/s,^\s*\{"([a-z-]+)"\, (PLAIN\()?([A-Z_]+).*,\1 \3,p' oci/names.c |
        sed -E 's/ REFUSED/ refused/; s/ NO_EFFECT/ warning/; s/ [A-Z_]+$/ honoured/'
}

doc_options() {
    sed -nE 's,^\| ((`[a-z-]+` )+)\| (honoured|warning|refused).*,\3 \1,p' docs/config-fields.md |
        while read -r word names; do
            for name in $names; do
                echo "${name//\`/} $word"
            done
        done
}

# All words that look like a key, serial or port of the contract.
contract_names() {
    grep -ohE '"smk[.-][a-z-]+(%03u)?' include/smk/contract.h | tr -d '"' | sed 's/-%03u/-000/' | grep -v '^smk-exit$'
}

doc_contract_names() {
    grep -ohE '\bsmk(\.|-)[a-z]+(-000)?\b' docs/boot-contract.md docs/man/init-oci.8 |
        grep -vE '^smk-(layer|exit)$|^smk\.(sock|json)$'
}

# The documented failure stages, exit codes and marks.
code_stages() {
    grep -oE 'STAGE_[A-Z]+,' include/smk/fail.h | sed 's/STAGE_//; s/,//' | grep -v NONE | tr '[:upper:]' '[:lower:]'
}

doc_stages() {
    sed -nE 's/^\| STAGE \| (.*) \| never \|/\1/p' docs/exit-codes.md | sed 's/ or /, /' | tr ',' '\n' | tr -d ' '
}

# The options of init-oci as a tool.
code_options_of_init() {
    sed -n '/^static const char usage/,/;$/p' init/tool.c | grep -oE -- '--[a-z]+'
}

doc_options_of_init() {
    grep -oE '^\.(It |Op )?Fl -[a-z]+' docs/man/init-oci.8 | sed 's/.* /-/'
}

# The options of smk.
code_options_of_smk() {
    sed -nE 's/^\s*\{"(--[a-z-]+)".*/\1/p' host/options.c
}

doc_options_of_smk() {
    sed -nE 's/^\.It (Fl [a-z] , )?Fl Fl ([a-z-]+).*/--\2/p' docs/man/smk.1
}

# Forms of the keys' values, "disk:" and the like; the manual page writes them as "disk\&:".
code_values() {
    grep -oE '"[a-z0-9]+:"' init/bootargs.c | tr -d '"'
}

doc_values() {
    sed -n '/^## Command line/,/^## Control channel/p' docs/boot-contract.md | grep -oE '`[a-z0-9]+:[/A-Z]' | tr -d '`/A-Z'
    sed -n '/^| `smk.upper=/p' docs/boot-contract.md | grep -o 'tmpfs\[:' | tr -d '['
}

man_values() {
    grep -oE 'Li [a-z0-9]+(\\&:| Ns Oo \\&:)' docs/man/init-oci.8 | sed -E 's/^Li //; s/( Ns Oo )?\\&:/:/'
}

code_suites() {
    sed -nE 's/^CHECKS \+= //p' -- */module.mk tests/*/module.mk | tr ' ' '\n'
}

doc_suites() {
    sed -n '/^## Suites/,/^## Boot cost/s/^| \(`[a-z0-9-]*`\(, `[a-z0-9-]*`\)*\) |.*/\1/p' docs/testing.md |
        tr -d '`' | sed 's|, |\n|g'
}

# Libraries that init-oci is linked with, and those that NOTICE says it is linked with.
code_libraries() {
    echo musl
    grep -oE -- '-l[a-z]+' init/module.mk | sed 's/^-l//; s/^cap$/libcap/; s/^seccomp$/libseccomp/'
}

notice_libraries() {
    sed -n '/^  init-oci is our own/,/^  scripts/p' NOTICE | sed -nE 's/^  ([a-z]+) [0-9].*/\1/p'
}

same config-fields "$(code_fates)" "$(doc_fates)"
same mount-options "$(code_options)" "$(doc_options)"
same contract-names "$(contract_names)" "$(doc_contract_names)"
same key-values "$(code_values)" "$(doc_values)"
same key-values-man "$(code_values)" "$(man_values)"
same stages "$(code_stages)" "$(doc_stages)"
same notice "$(code_libraries)" "$(notice_libraries)"
same suites "$(code_suites)" "$(doc_suites)"
same init-oci-options "$(code_options_of_init)" "$(doc_options_of_init)"
same smk-options "$(code_options_of_smk)" "$(doc_options_of_smk)"
exit $failed
