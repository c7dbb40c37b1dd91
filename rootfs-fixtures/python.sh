# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # build.sh reads it and sets here
#
# A real HTTP server in Python: the entrypoint serves /srv as user www-data and asks itself for a page
# through the loopback.

packages="python3 base-passwd usr-is-merged"
config='.hostname = "python"
    | .process.args = ["/usr/bin/python3", "/usr/local/bin/self-test", "--once"]
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
    script usr/local/bin/self-test <"$here/python.self-test.py"
}
