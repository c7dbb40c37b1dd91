# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # build.sh reads it and sets here
#
# Programs of glibc that ask name servers and fetch pages. The self-test only starts them.

packages="curl wget bash base-passwd usr-is-merged"
config='.hostname = "fetch" | .process.args = ["/usr/local/bin/self-test"]'

finish() {
    cp usr/share/base-passwd/passwd.master etc/passwd
    cp usr/share/base-passwd/group.master etc/group
    script usr/local/bin/self-test <<'SELF_TEST'
#!/bin/bash
[ "$(curl -sS file:///etc/passwd)" = "$(</etc/passwd)" ] || exit
version=$(wget --version) && echo "${version%%,*}"
SELF_TEST
}
