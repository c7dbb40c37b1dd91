# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # build.sh and image.sh read it; build.sh sets here
#
# The distribution's redis as a user of its own, with its data in /data, where it saves when TERM ends
# it.

owners=yes
packages="redis-server bash base-passwd usr-is-merged"
config='.hostname = "redis"
    | .process.args = ["/usr/local/bin/self-test"]
    | .process.user = { "uid": 999, "gid": 999 }
    | .process.cwd = "/data"
    | .process.capabilities = { "bounding": [], "effective": [], "permitted": [] }'

# Perl is there for the maintainer scripts.
finish() {
    rm -rf usr/share/perl* usr/lib/*/perl* usr/lib/*/libperl* usr/bin/perl*
    cp usr/share/base-passwd/passwd.master etc/passwd
    cp usr/share/base-passwd/group.master etc/group
    echo "redis:x:999:999::/data:/bin/sh" >>etc/passwd
    echo "redis:x:999:" >>etc/group
    ln -s bash usr/bin/sh
    mkdir -p data usr/local/bin
    chown 999:999 data
    script usr/local/bin/client <"$here/redis.client.sh"
    script usr/local/bin/self-test <<'SELF_TEST'
#!/bin/bash
redis-server &
client && kill -TERM $! && wait $!
SELF_TEST
}

image() {
    says --config.cmd redis-server --config.user redis --config.workingdir /data --config.volume /data \
        --config.exposedports 6379/tcp
}
