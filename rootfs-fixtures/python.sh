# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # build.sh and image.sh read it; build.sh sets here
#
# A real HTTP server in Python, which serves /srv as user www-data. The bundle asks it for a page through
# the loopback and ends it: no PID 1, it has no handler for TERM and dies of it.

packages="python3 bash base-passwd usr-is-merged"
config='.hostname = "python"
    | .process.args = ["/usr/local/bin/self-test"]
    | .process.user = { "uid": 33, "gid": 33, "additionalGids": [33] }
    | .process.env += ["PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"]
    | .process.cwd = "/srv"
    | .process.capabilities = { "bounding": [], "effective": [], "permitted": [] }
    | .process.noNewPrivileges = true'

finish() {
    cp usr/share/base-passwd/passwd.master etc/passwd
    cp usr/share/base-passwd/group.master etc/group
    mkdir -p usr/local/bin srv
    echo "<!DOCTYPE html><title>python</title><p>Hello from Python in a microVM." >srv/index.html
    script usr/local/bin/client <"$here/python.client.py"
    script usr/local/bin/self-test <<'SELF_TEST'
#!/bin/bash
python3 -m http.server 8000 &
client && kill -TERM $! && wait $!
[ $? = 143 ]
SELF_TEST
}

image() {
    says --config.cmd python3 --config.cmd -m --config.cmd http.server --config.cmd 8000 \
        --config.env PYTHONDONTWRITEBYTECODE=1 --config.env PYTHONUNBUFFERED=1 --config.workingdir /srv \
        --config.user www-data:www-data --config.exposedports 8000/tcp --config.stopsignal SIGINT
}
