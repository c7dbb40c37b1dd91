# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # build.sh and image.sh read it; build.sh sets here
#
# The distribution's PostgreSQL as a user of its own: initdb on the first start, then the server. Without
# LLVM, with which it would compile expressions, and without Debian's wrappers in Perl: half of the size.

owners=yes
packages="postgresql-15 bash base-passwd usr-is-merged"
path=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
config='.hostname = "postgres"
    | .process.args = ["/usr/local/bin/self-test"]
    | .process.user = { "uid": 999, "gid": 999 }
    | .process.env = ["PATH='$path'", "PGDATA=/var/lib/postgresql/data"]
    | .process.capabilities = { "bounding": [], "effective": [], "permitted": [] }'

drop_unused() {
    rm -rf usr/share/perl* usr/lib/*/perl* usr/lib/*/libperl* usr/bin/perl* usr/share/i18n
    rm -rf usr/lib/postgresql/15/lib/bitcode usr/lib/postgresql/15/lib/llvmjit*
    rm -rf usr/lib/*/libLLVM* usr/lib/*/libz3* usr/lib/llvm*
}

finish() {
    drop_unused
    cp usr/share/base-passwd/passwd.master etc/passwd
    cp usr/share/base-passwd/group.master etc/group
    echo "postgres:x:999:999::/var/lib/postgresql:/bin/sh" >>etc/passwd
    echo "postgres:x:999:" >>etc/group
    ln -s bash usr/bin/sh
    mkdir -p usr/local/bin var/lib/postgresql/data run/postgresql
    chown 999:999 var/lib/postgresql var/lib/postgresql/data run/postgresql
    chmod 700 var/lib/postgresql/data
    rm -rf var/run
    ln -s /run var/run
    script usr/local/bin/client <"$here/postgres.client.sh"
    script usr/local/bin/entrypoint <<'ENTRYPOINT'
#!/bin/bash
set -e
[ -s "$PGDATA/PG_VERSION" ] || initdb --no-locale --encoding UTF8 --auth trust
exec "$@"
ENTRYPOINT
    script usr/local/bin/self-test <<'SELF_TEST'
#!/bin/bash
entrypoint postgres &
client && kill -INT $! && wait $!
SELF_TEST
}

image() {
    says --config.entrypoint entrypoint --config.cmd postgres --config.user postgres \
        --config.env PATH=$path --config.env PGDATA=/var/lib/postgresql/data \
        --config.volume /var/lib/postgresql/data --config.exposedports 5432/tcp --config.stopsignal SIGINT
}
