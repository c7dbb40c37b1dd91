# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # build.sh reads it and sets here
#
# A shell and the usual commands: the lowest layer of the images.

packages="base-files base-passwd bash coreutils libc-bin usr-is-merged"
config='.hostname = "base"
    | .process.args = ["/bin/bash", "-c", ". /etc/os-release && echo \"$(whoami) on $ID\""]'

finish() {
    cp usr/share/base-passwd/passwd.master etc/passwd
    cp usr/share/base-passwd/group.master etc/group
    ln -s bash usr/bin/sh
}
