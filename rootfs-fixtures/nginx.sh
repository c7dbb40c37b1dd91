# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # build.sh and image.sh read it; build.sh sets here
#
# The distribution's nginx: a root master that binds port 80, one worker that drops to www-data. The
# bundle starts it, asks it for a page and ends it; the image is the plain server.

packages="nginx bash base-passwd usr-is-merged"
config='.hostname = "nginx" | .process.args = ["/usr/local/bin/self-test"]'

finish() {
    cp usr/share/base-passwd/passwd.master etc/passwd
    cp usr/share/base-passwd/group.master etc/group
    ln -s bash usr/bin/sh
    mkdir -p usr/local/bin srv var/lib/nginx var/log/nginx
    # Links, as in the container images that everybody uses: the logs are the container's output.
    ln -sf /dev/stdout var/log/nginx/access.log
    ln -sf /dev/stderr var/log/nginx/error.log
    echo "<!DOCTYPE html><title>nginx</title><p>Hello from nginx in a microVM." >srv/index.html
    cp "$here/nginx.conf" etc/nginx/nginx.conf
    script usr/local/bin/client <"$here/nginx.client.sh"
    script usr/local/bin/self-test <<'SELF_TEST'
#!/bin/bash
nginx -g "daemon off;" &
client && kill -QUIT $! && wait $!
SELF_TEST
}

image() {
    says --config.cmd nginx --config.cmd -g --config.cmd "daemon off;" \
        --config.exposedports 80/tcp --config.stopsignal SIGQUIT
}
