# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # build.sh reads it and sets here
#
# One static program with all its applet names: the smallest thing that boots, and the first.

packages=busybox-static
config='.hostname = "busybox" | .process.args = ["/bin/hello"]'

# The names come from the program itself, run through qemu-user.
applets() {
    qemu-aarch64-static usr/bin/busybox --list | grep -vx busybox
}

finish() {
    for applet in $(applets); do
        [ -e "usr/bin/$applet" ] || ln -s busybox "usr/bin/$applet"
    done
    rm -rf usr/share/initramfs-tools
    echo "root:x:0:0:root:/root:/bin/sh" >etc/passwd
    echo "root:x:0:" >etc/group
    script usr/bin/hello <<'HELLO'
#!/bin/sh
memory=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
echo "Hello from $(hostname): Linux $(uname -r), $(uname -m), $(nproc) CPU, $memory MiB."
echo "Root: $(awk '$5 == "/" { for (i = 7; $i != "-"; i++); print $(i + 1) }' /proc/self/mountinfo)," \
    "$(ls /bin/ | wc -l) commands, up $(cut -d' ' -f1 /proc/uptime) s."
HELLO
}
