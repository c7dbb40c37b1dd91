#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tool.sh NAME COMMAND...: init-oci as a tool. COMMAND runs it (qemu-user for the guest's binary).
set -u
name=$1
shift
init=("$@")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect CASE CODE STDOUT-PATTERN STDERR-PATTERN ARGUMENT...: extended regular expressions, of the whole output.
expect() {
    local case=$1 code=$2 out=$3 err=$4 got
    shift 4
    "${init[@]}" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ $got -ne "$code" ]; then
        why="exit code $got, not $code: $(head -c 300 "$work/err")"
    elif ! (tr "\n" "~" <"$work/out"; echo) | grep -qE "^$out\$"; then
        why="standard output: $(head -c 300 "$work/out")"
    elif ! (tr "\n" "~" <"$work/err"; echo) | grep -qE "^$err\$"; then
        why="standard error: $(head -c 300 "$work/err")"
    else
        echo "ok $name/$case"
        return
    fi
    echo "not ok $name/$case: ${why//$'\n'/ | }"
    failed=1
}

config=rootfs-fixtures/config.base.json
printf '{"ociVersion":"1.0.2","process":{"args":[],"cwd":"/","user":{"uid":0,"gid":0}},"root":{"path":"r"}}' >"$work/bad"
jq '.process.args = ["/x"] | .solaris = {}' $config >"$work/odd"
usage='usage: init-oci --check FILE.*'
expect version 0 "init-oci $(cat VERSION)~" '' --version
expect help 0 "$usage" '' --help
expect check 0 '' '' --check $config
jq '.process.capabilities.bounding += ["CAP_NEW"]' $config >"$work/warned"
expect check-warning 0 '' 'init-oci: warning: parse: /process/capabilities/bounding/[0-9]+: .*CAP_NEW.*~' --check "$work/warned"
expect check-missing 125 '' 'init-oci: fatal: parse: .*nosuch: open: No such file or directory \(errno 2\)~' --check "$work/nosuch"
expect check-bad 125 '' 'init-oci: fatal: parse: /process/args: .*~' --check "$work/bad"
expect check-directory 125 '' 'init-oci: fatal: parse: .*: read: Is a directory \(errno 21\)~' --check "$work"
expect check-empty 125 '' 'init-oci: fatal: parse: .*~' --check -
expect plan 0 'layer disk vda squashfs layer/000 .*~enter / root /root/path~.*' '' --plan $config
expect plan-layers 0 'layer disk vda squashfs layer/000.*~layer disk vdb squashfs layer/001.*overlay 3 .*' '' \
    --plan $config --layers 3
expect plan-most-layers 0 '.*layer disk vdsf squashfs layer/499.*overlay 500 .*' '' --plan $config --layers 500
expect plan-bad 125 '' 'init-oci: fatal: parse: /process/args: .*~' --plan "$work/bad"
expect plan-refused 125 '' 'init-oci: fatal: plan: /linux/devices/0.*~' --plan tests/cases/bad-device-owner-unmapped/config.json
for count in 0 501 -1 x '' 1x; do
    expect "plan-layers-is-${count:-empty}" 2 '' "$usage" --plan $config --layers "$count"
done
expect plan-layers-without-number 2 '' "$usage" --plan $config --layers
expect no-arguments 2 '' "$usage"
expect unknown-argument 2 '' "$usage" --nosuch
expect too-many-arguments 2 '' "$usage" --check $config more
expect no-file 2 '' "$usage" --check
expect too-many-for-version 2 '' "$usage" --version more
expect features 0 '[{].*"ociVersionMax".*[}]~?' '' --features
if "${init[@]}" --features | jq -e . >"$work/out" 2>&1; then
    echo "ok $name/features-is-json"
else
    echo "not ok $name/features-is-json: $(head -n 1 "$work/out")"
    failed=1
fi
if "${init[@]}" --check - <$config && "${init[@]}" --version 2>"$work/err" >/dev/full; [ $? -eq 125 ]; then
    echo "ok $name/standard-input-and-full-output"
else
    echo "not ok $name/standard-input-and-full-output: $(cat "$work/err")"
    failed=1
fi
for option in --features "--plan $config"; do
    # shellcheck disable=SC2086 # two words
    "${init[@]}" $option 2>"$work/err" >/dev/full
    got=$?
    if [ $got -eq 125 ] && grep -q '^init-oci: fatal: .*standard output: write: No space left' "$work/err"; then
        echo "ok $name/full-output-of${option%% *}"
    else
        echo "not ok $name/full-output-of${option%% *}: $got: $(cat "$work/err")"
        failed=1
    fi
done
exit $failed
