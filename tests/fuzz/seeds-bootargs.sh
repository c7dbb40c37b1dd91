#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds-bootargs.sh DIRECTORY: kernel command lines with each key of ours in each of its forms.
set -eu
dir=$1
number=0
while IFS= read -r line; do
    number=$((number + 1))
    printf '%s' "$line" >"$dir/$number"
done <<'END'
console=hvc0 quiet panic=-1
smk.config=file:/config.json smk.layers=vda,disk:smk-layer-001,virtiofs:tag,9p:other
"smk.config=disk:my disk" smk.upper=tmpfs:64M ip=dhcp
smk.upper=disk:smk-upper smk.control=vsock:5000 -- smk.layers=
smk.upper=none smk.control=port:my.port nfsaddrs=1.2.3.4
smk.upper=tmpfs smk.control=fd:3
smk.upper=tmpfs:100% smk.control=none smk.control=none
smk.confg=file:/a
smk.layers=a,,b
smk.config=disk:../x smk.control=vsock:4294967295
a="b c" smk.config="file:/a b"  smk.layers=.x
END
