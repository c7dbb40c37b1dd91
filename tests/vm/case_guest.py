# SPDX-License-Identifier: Apache-2.0
"""What only a machine has: networks, hosts that do not answer, disks that have to go away."""

import json
import os

from harness import BUSYBOX, INIT, case, check, check_equal, check_in, small_root
from images import config_for, layer, make, small_image
from machine import Machine, read

NETWORK = ["-netdev", "user,id=net,dns=10.0.2.9", "-device", "virtio-net-device,netdev=net"]


def shell_config(script, **process):
    return config_for(["/bin/sh", "-c", script], **process)


def with_devices(devices, script):
    config = shell_config(script)
    config.setdefault("linux", {})["netDevices"] = devices
    return config


@case()
def network_device_gets_its_name(context):
    machine = Machine(context, with_devices({"eth0": {"name": "wan0"}}, "ls /sys/class/net"))
    machine.argv += NETWORK
    outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(0)
    check_equal(outcome.out.split(), ["lo", "wan0"], "network devices")


@case()
def network_device_that_is_not_there(context):
    machine = Machine(context, with_devices({"eth7": {}}, "exit 0"))
    machine.disk(small_image(context), "smk-layer-000").boot().expect_failure("/linux/netDevices/eth7", "find device")


@case()
def name_servers_of_the_kernel(context):
    """ip=dhcp: what the kernel was told ends up in /etc/resolv.conf when the image has none."""
    machine = Machine(context, shell_config("cat /etc/resolv.conf"), "ip=dhcp")
    machine.argv += NETWORK
    outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(0)
    check_in("nameserver 10.0.2.9\n", outcome.out, "/etc/resolv.conf")
    check("bootserver" not in outcome.out, f"/etc/resolv.conf has what resolvers do not know: {outcome.out!r}")


@case()
def name_servers_of_the_image(context):
    machine = Machine(context, shell_config("cat /etc/resolv.conf"), "ip=dhcp")
    machine.argv += NETWORK
    machine.disk(small_image(context), "smk-layer-000")
    machine.disk(layer(context, "mine", {"etc/resolv.conf": "nameserver 192.0.2.1\n"}), "smk-layer-001")
    machine.boot().expect(0, "nameserver 192.0.2.1\n")


@case(timeout=120)
def name_servers_of_another_machine(context):
    """The image has those that its author's machine had on loopback addresses, or none: the kernel's take their place."""
    for number, text in enumerate(("# a stub\nnameserver 127.0.0.53\nnameserver ::1\noptions edns0\n", "search example\n")):
        machine = Machine(context, shell_config("cat /etc/resolv.conf"), "ip=dhcp")
        machine.argv += NETWORK
        machine.disk(small_image(context), "smk-layer-000")
        machine.disk(layer(context, f"stub-{number}", {"etc/resolv.conf": text}), "smk-layer-001")
        outcome = machine.boot().expect(0)
        check_in("nameserver 10.0.2.9\n", outcome.out, "/etc/resolv.conf")
        for part in ("127.0.0.53", "::1", "search example", "edns0"):
            check(part not in outcome.out, f"/etc/resolv.conf still has {part}: {outcome.out!r}")
    machine = Machine(context, shell_config("cat /etc/resolv.conf"), "ip=dhcp")
    machine.argv += NETWORK
    mixed = "nameserver 127.0.0.53\nnameserver\t192.0.2.1\n"
    machine.disk(small_image(context), "smk-layer-000")
    machine.disk(layer(context, "mixed", {"etc/resolv.conf": mixed}), "smk-layer-001")
    machine.boot().expect(0, mixed)


@case()
def name_servers_of_the_command_line(context):
    """They replace the image's, which names another server."""
    machine = Machine(context, shell_config("cat /etc/resolv.conf"),
                      "smk.search=a.example,b smk.dns=192.0.2.7,2001:db8::7")
    machine.disk(small_image(context), "smk-layer-000")
    machine.disk(layer(context, "mine", {"etc/resolv.conf": "nameserver 192.0.2.1\n"}), "smk-layer-001")
    machine.boot().expect(0, "nameserver 192.0.2.7\nnameserver 2001:db8::7\nsearch a.example b\n")


KERNELS, OWN = "nameserver 10.0.2.9\n", "nameserver 192.0.2.1\n"
STUB = "nameserver 127.0.0.53\n"
STUBS = ("# a comment\nnameserver 127.0.0.11\nnameserver ::1 \nnameserver\t127.0.0.53\r\nnameserver ::1%lo\nnameserver ::\n"
         "nameserver 0.0.0.0\nnameserver ::ffff:127.0.0.1\nnameserver\nnameservers 192.0.2.9\noptions ndots:0\n")
RUN = {"destination": "/run", "type": "tmpfs", "source": "run"}
FAR = "../" * 20


def with_resolv_conf(context, name, entry, append="ip=dhcp", **members):
    """Boots; what is at /etc/resolv.conf, the link's text before it. entry: its text, or a link's; more by path."""
    tree = context.path("tree-" + name)
    files = entry if isinstance(entry, dict) else {"etc/resolv.conf": entry}
    for path, text in files.items():
        path = os.path.join(tree, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text.startswith("-> "):
            os.symlink(text[3:], path)
            continue
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    config = shell_config("ls -l /etc/resolv.conf | while read a b c d e f g h rest; do case $rest in *' -> '*) echo \"$rest\";; "
                          "esac; done; cat /etc/resolv.conf; cat /etc/other 2>/dev/null; true")
    config["mounts"].append(RUN)
    config.update(members)
    machine = Machine(context, config, append)
    machine.argv += NETWORK
    machine.disk(small_image(context), "smk-layer-000")
    return machine.disk(make(context, "squashfs", tree, context.path(name + ".squashfs")), "smk-layer-001").boot().expect(0)


@case(timeout=200)
def name_servers_of_another_machine_in_any_form(context):
    for name, entry in {
            "stubs": STUBS,
            "stub": {"etc/resolv.conf": "-> other", "etc/other": STUB},
            "dangling": "-> ../run/systemd/resolve/stub-resolv.conf",
            "absolute": "-> /run/systemd/resolve/stub-resolv.conf",
            "present": {"etc/resolv.conf": "-> /run/stub", "run/stub": STUB},
            "climbing": f"-> {FAR}outside/resolv.conf",
            "loop": "-> resolv.conf",
    }.items():
        out = with_resolv_conf(context, name, entry).out
        check_in(KERNELS, out, name)
        for part in ("->", "192.0.2.9") + ("127.0.0.53",) * (name != "stub"):
            check(part not in out, f"{name}: {part!r} is left: {out!r}")
        check(name != "stub" or out.endswith(STUB), f"the file that the link led to: {out!r}")


@case(timeout=200)
def name_servers_that_stay(context):
    """To the byte, and links as they are."""
    long = "#" * 70 + "\n"
    for name, entry, want in (
            ("last", STUB + "nameserver 2001:db8::1", None),
            ("tabs", "nameserver \t 192.0.2.1 \r\n" + STUB, None),
            ("long", STUB + long * 60 + OWN, None),
            ("nul", STUB + "\0\n" + OWN, None),
            ("link", {"etc/resolv.conf": "-> ../srv/own", "srv/own": OWN}, "/etc/resolv.conf -> ../srv/own\n" + OWN),
    ):
        check_equal(with_resolv_conf(context, name, entry).out, want or entry, name)


@case(timeout=200)
def name_servers_where_a_file_cannot_be(context):
    """A warning at most: nobody has asked for more than a container that runs."""
    folder = {"etc/resolv.conf/file": "x"}
    outcome = with_resolv_conf(context, "folder", folder)
    check("resolv.conf" not in outcome.console.replace("cat: ", ""), outcome.console)
    told = "smk.dns=192.0.2.7"
    outcome = with_resolv_conf(context, "folder-told", folder, told)
    check_in("init-oci: warning: apply: <builtin:/etc/resolv.conf>: /etc/resolv.conf: write: not a regular file",
             outcome.console)
    outcome = with_resolv_conf(context, "no-upper", STUB, "ip=dhcp smk.upper=none", mounts=[])
    check_equal(outcome.out, STUB, "resolv.conf without an upper")
    check_in("init-oci: warning: apply: <builtin:/etc/resolv.conf>: /etc/resolv.conf: ", outcome.console)
    root = {"path": "/", "readonly": True}
    check_in(KERNELS, with_resolv_conf(context, "read-only", "-> ../run/x", root=root).out, "resolv.conf of a read-only root")
    for name, entry in (("told", OWN), ("told-link", "-> ../run/x"), ("told-loop", "-> resolv.conf"),
                        ("told-far", f"-> {FAR}srv")):
        check_equal(with_resolv_conf(context, name, entry, told, root=root).out, "nameserver 192.0.2.7\n", name)


@case()
def no_network_no_name_servers(context):
    machine = Machine(context, shell_config("ls /etc/resolv.conf"))
    machine.disk(small_image(context), "smk-layer-000").boot().expect(1, "")


@case()
def nobody_listens_on_vsock(context):
    """The boot goes on; record and output are on the console."""
    machine = Machine(context, shell_config("echo hello"), "smk.control=vsock:5000")
    machine.has_control = False
    outcome = machine.disk(small_image(context), "smk-layer-000").boot()
    check_equal(outcome.console_record["code"], 0, "exit code on the console")
    check_in("hello", outcome.console, "console")
    check_in("init-oci: warning: discover: smk.control: connect(vsock:5000): ", outcome.console, "console")


@case()
def console_only_waits_a_little(context):
    """Without the usual port the boot goes on after a tenth of a second; with "none" at once."""
    took = []
    for append in ("", "smk.control=none"):
        machine = Machine(context, shell_config("true"), append)
        machine.has_control = False
        machine.argv += ["-icount", "shift=0,sleep=off"]
        record = machine.disk(small_image(context), "smk-layer-000").boot().console_record
        check_equal(record["code"], 0, "exit code on the console")
        took.append((record["timings"]["discover"] - record["timings"]["bootargs"]) / 1e6)
    check(took[0] >= 100, f"discover took {took[0]} ms")
    check(took[1] < 50, f"discover took {took[1]} ms without a control channel")


@case()
def port_that_never_comes(context):
    machine = Machine(context, shell_config("true"), "smk.control=port:nobody")
    outcome = machine.disk(small_image(context), "smk-layer-000").boot()
    outcome.expect_failure("discover: smk.control: ", 'no virtio port is named "nobody"')


@case()
def config_disk_goes_away(context):
    """Even with CAP_MKNOD the workload cannot read the configuration's disk: it is not there."""
    script = ("cd /tmp; for i in 0 16 32; do busybox mknod d$i b 254 $i; done; "
              "for d in d0 d16 d32; do busybox grep -q a-secret $d 2>/dev/null && echo found in $d; done; "
              "ls /sys/block; ls d0 d16 d32 | wc -l")
    config = shell_config(script, env=["PATH=/bin", "KEY=a-secret"])
    for names in config["process"]["capabilities"].values():
        names.append("CAP_MKNOD")
    text = json.dumps(config).encode()
    path = context.path("config")
    with open(path, "wb") as file:
        file.write(text.ljust((len(text) | 4095) + 1, b"\0"))
    machine = Machine(context).disk(path, "smk-config").disk(small_image(context), "smk-layer-000")
    machine.disk(small_image(context), "smk-layer-001")
    out = machine.boot().expect(0).out
    check("found" not in out, f"the configuration could be read: {out!r}")
    check_equal(out.split(), ["vda", "vdb", "3"], "disks and nodes")


@case()
def no_standard_descriptors(context):
    """Started with 0, 1 and 2 closed: init-oci opens a console, and no other file gets their numbers."""
    machine = Machine(context, config_for(["/bin/probe"]))
    machine.has_control = False
    machine.files["busybox"] = (0o100755, read(BUSYBOX))
    machine.files["real-init"] = machine.files["init"]
    machine.files["init"] = (0o100755, b"#!/busybox sh\nexec /real-init <&- >&- 2>&-\n")
    outcome = machine.disk(small_image(context), "smk-layer-000").boot()
    check_equal(outcome.console_record["code"], 0, "exit code on the console")
    facts = json.loads(next(l for l in outcome.console.splitlines() if l.startswith("{")))
    check_equal(sorted(facts["fds"]), ["0", "1", "2"], "the workload's descriptors")


@case()
def no_console_at_all(context):
    """The kernel finds no console: nothing is lost on the channel, and the workload has its streams."""
    machine = Machine(context, config_for(["/bin/probe"]))
    machine.append = "console=ttyS9 quiet panic=-1"
    outcome = machine.disk(small_image(context), "smk-layer-000").boot().expect(0)
    check_equal(outcome.console, "", "console")
    check_equal(sorted(json.loads(outcome.out)["fds"]), ["0", "1", "2"], "the workload's descriptors")


def vmm_root(context, kind):
    """A root file system of the VMM's with init-oci in it; a disk for init=/init-oci."""
    tree = context.path("tree")
    context.tool("cp", "-a", small_root(), tree)
    context.tool("cp", INIT, tree + "/init-oci")
    with open(tree + "/config.json", "w", encoding="utf-8") as file:
        json.dump(config_for(["/bin/echo", "the image's own"]), file)
    return make(context, kind, tree, context.path("root"))


@case()
def no_configuration_from_the_image(context):
    """With init= a file may be the image's: it is not looked for, and not taken when it is asked for."""
    root = vmm_root(context, "squashfs")
    for append, why in (("", "smk-config"), ("smk.config=file:/config.json", "needs an initramfs")):
        machine = Machine(context, None, f"root=/dev/vda ro rootfstype=squashfs init=/init-oci {append}")
        machine.has_initramfs = False
        machine.disk(root).boot().expect_failure("discover: ", why)


@case()
def writable_root_is_clean_afterwards(context):
    """init= on a root that the VMM mounts writable: not written to, and clean at the power-off."""
    root = vmm_root(context, "ext4")
    config = context.path("config")
    with open(config, "wb") as file:
        file.write(json.dumps(shell_config("echo x >/new; cat /new")).encode().ljust(8192, b"\0"))
    machine = Machine(context, None, "root=/dev/vda rw rootfstype=ext4 init=/init-oci")
    machine.has_initramfs = False
    machine.disk(config, "smk-config").disk(root, readonly=False).boot().expect(0, "x\n")
    check("needs_recovery" not in context.tool("/sbin/dumpe2fs", "-h", root).text, "the journal was not emptied")
    context.tool("/sbin/e2fsck", "-fn", root)
    check("/new" not in context.tool("/sbin/debugfs", "-R", "ls /", root).text, "the root was written to")


@case()
def writable_root_without_an_upper_is_not_written_to(context):
    """The same with smk.upper=none: no place for a mount is made on it; that fails as on a squashfs."""
    root = vmm_root(context, "ext4")
    before = context.tool("/sbin/debugfs", "-R", "ls /", root).text
    settings = shell_config("echo started")
    settings["mounts"].append({"destination": "/made", "type": "tmpfs", "source": "tmpfs"})
    config = context.path("config")
    with open(config, "wb") as file:
        file.write(json.dumps(settings).encode().ljust(8192, b"\0"))
    machine = Machine(context, None, "root=/dev/vda rw rootfstype=ext4 init=/init-oci smk.upper=none")
    machine.has_initramfs = False
    machine.disk(config, "smk-config").disk(root, readonly=False).boot().expect_failure("/made", "(errno 30)")
    check_equal(context.tool("/sbin/debugfs", "-R", "ls /", root).text, before, "the root's entries")
