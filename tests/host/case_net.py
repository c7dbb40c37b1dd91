# SPDX-License-Identifier: Apache-2.0
"""--net and --publish: what QEMU is told, and TSI's process. Its packets are in tests/tsi/units.c."""

import os
import re
import signal
import socket

from harness import SMK, case, check, check_equal, check_in, children_of, is_alive, wait_until
from host_case import comm_of, fake_argv, fake_qemu, tiny_bundle


def argv_with(context, *words):
    fake_qemu(context, "warning")
    context.smk("run", *words, tiny_bundle(context)).expect(0)
    argv = fake_argv(context)
    return " ".join(argv), argv[argv.index("-append") + 1]


@case()
def tsi_without_being_asked(context):
    line, kernel = argv_with(context)
    for part in ("vhost-user-vsock-device,chardev=tsi", "memory-backend-memfd,id=memory,size=256M,share=on", "-nic none"):
        check_in(part, line, "command line")
    check_in(" tsi_hijack", kernel, "kernel command line")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def held(context, *words):
    """smk with a QEMU that does nothing, and TSI's process; both run."""
    fake_qemu(context, "hold")
    process = context.popen([SMK, "run", *words, tiny_bundle(context)], stdout=-1, stderr=-1)
    check_equal(process.stdout.readline(), b"holding\n", "output")
    backends = [pid for pid in children_of(process.pid) if comm_of(pid) == "smk"]
    check_equal(len(backends), 1, "number of TSI's processes")
    return process, backends[0]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@case()
def net_none(context):
    line, kernel = argv_with(context, "--net", "none")
    for part in ("vsock", "netdev", "memfd", "memory-backend"):
        check(part not in line, f"{part} without a network: {line}")
    check("tsi" not in kernel and "ip=" not in kernel, kernel)


@case()
def net_tsi(context):
    line, kernel = argv_with(context, "--net", "tsi", "--memory", "64M", "--append", "last")
    check_in("-object memory-backend-memfd,id=memory,size=64M,share=on -machine memory-backend=memory ", line)
    check(re.search(r"-chardev socket,id=tsi,fd=\d+ -device vhost-user-vsock-device,chardev=tsi ", line), line)
    check(re.search(r" tsi_hijack( smk\.\S+)* last$", kernel), kernel)


@case()
def control_over_vsock(context):
    """QEMU has no port for it then; one without a guest that speaks leaves no record."""
    fake_qemu(context, "nothing")
    context.smk("run", "--net", "tsi:control", tiny_bundle(context)).expect_line(
        125, "smk: ", "the VM ended without an exit record")
    line = " ".join(fake_argv(context))
    check("smk.control," not in line and "id=control" not in line, line)
    check_in(" tsi_hijack smk.control=vsock:5000", line)


@case()
def net_user(context):
    line, kernel = argv_with(context, "--net=user", "--publish", "8080:80", "--publish", "0.0.0.0:53:5353")
    check_in("-netdev user,id=net,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=tcp:0.0.0.0:53-:5353 "
             "-device virtio-net-device,netdev=net", line)
    check_in(" ip=10.0.2.15::10.0.2.2:255.255.255.0::eth0:off:10.0.2.3", kernel)


@case()
def the_last_net_counts(context):
    _, kernel = argv_with(context, "--net", "tsi:loopback", "--net", "none")
    check("tsi" not in kernel, kernel)


PORT, FORM = "a port is a number from 1 to 65535", "HOST:GUEST or IP:HOST:GUEST"
ADDRESS, RANGE = "an IPv4 address, or an IPv6 one in brackets", "there are no ranges"
WRONG_PUBLISHES = {
    "": FORM, "abc": FORM, "80": FORM, ":": FORM, "8080:80:": FORM, "/tcp": FORM, "80:/tcp": FORM, "/80:80": FORM,
    "0:80": PORT, "80:0": PORT, "80:65536": PORT, "99999999999999999999:80": PORT, "127.0.0.1::80": PORT, "+80:80": PORT,
    "80:80 ": PORT, "80:0x50": PORT, "http:80": PORT,
    "8000-8010:80-90": RANGE, "80:80-90": RANGE,
    "80:80/udp": "TCP only", "80:80/": "TCP only", "80:80/tcp/udp": "TCP only",
    "::1:8080:80": ADDRESS, "[::1:8080:80": ADDRESS, "::1]:8080:80": ADDRESS, "[]:1:2": ADDRESS, "[:1:2": ADDRESS,
    "[127.0.0.1]:1:2": ADDRESS, "[fe80::1%lo]:1:2": ADDRESS, "localhost:8080:80": ADDRESS, "127.0.0.300:8080:80": ADDRESS,
    ":8080:80": ADDRESS, "1:2:3": ADDRESS, "x" * 5000 + ":1:2": ADDRESS,
}


@case()
def publish_is_checked(context):
    directory = tiny_bundle(context)
    for text, part in WRONG_PUBLISHES.items():
        context.smk("run", "--net", "tsi", "--publish", text, directory).expect_line(
            125, "smk: ", f"--publish {text[:100]}", *[part] * (len(text) < 100))
    for words, parts in (
            (["--net", "none", "--publish", "1:2"], ["--publish 1:2", "no network", "--net tsi"]),
            (["--net", "user", "--publish", "[::1]:1:2"], ["--publish [::1]:1:2", "IPv4 only"]),
            (["--publish", "1:2", "--publish", "3:2"], ["--publish 3:2", "guest's port is published already"]),
            (["--publish", "1:2", "-p", "127.0.0.1:1:3"], ["--publish 127.0.0.1:1:3", "host's port is published already"]),
            (["--publish", "[::1]:1:2", "-p", "1:3", "-p", "[::1]:1:4"], ["--publish [::1]:1:4", "host's port"]),
            (sum((["--publish", f"{i}:{i}"] for i in range(1, 66)), []), ["--publish 65:65", "at most 64"])):
        context.smk("run", *words, directory).expect_line(125, "smk: ", *parts)


@case()
def net_is_checked(context):
    directory = tiny_bundle(context)
    kinds, words = "the networks are tsi, user and none", "behind tsi: stand loopback, link-local, control"
    for text, part in (("", kinds), ("TSI", kinds), ("host", kinds), ("tsi,loopback", kinds), ("tsi2", kinds), ("a\nb", kinds),
                       ("user:loopback", "only tsi has words behind it"), ("none:", "only tsi has words behind it"),
                       ("tsi:", words), ("tsi:lan", words), ("tsi:loopback,", words), ("tsi:loop", words)):
        context.smk("run", "--net", text, directory).expect_line(125, "smk: --net ", part)
    context.smk("run", "--net").expect_line(125, "smk: ", "--net")


def refused_bind(context, publish, error, *more):
    if not os.path.exists(context.path("bundle")):
        tiny_bundle(context)
    for net in ("tsi", "user"):
        context.smk("run", "--net", net, *more, "--publish", publish, context.path("bundle")).expect_line(
            125, f"smk: --publish {publish}: bind: ", error)
    check(not os.path.exists(context.path("argv.json")), "QEMU was started")


@case()
def a_published_port_that_is_taken(context):
    fake_qemu(context, "warning")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        refused_bind(context, f"{sock.getsockname()[1]}:80", "Address already in use")
    refused_bind(context, f"192.0.2.1:{free_port()}:80", "Cannot assign requested address")
    port = free_port()
    refused_bind(context, f"127.0.0.1:{port}:80", "Address already in use", "--publish", f"0.0.0.0:{port}:81")


@case()
def a_published_port_that_another_smk_has(context):
    """Neither of them listens, and both would take back a port of connections that are over."""
    port = free_port()
    held(context, "--net", "tsi", "--publish", f"{port}:80")
    os.remove(context.path("argv.json"))
    refused_bind(context, f"{port}:80", "Address already in use")


@case()
def a_published_port_of_connections_that_are_over(context):
    """Its address is not forgotten yet: it can be had, by one."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as peer:
            sock.accept()[0].close()
            check_equal(peer.recv(1), b"", "what comes")
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
            check(False, "nothing is left of the connection")
        except OSError:
            pass
    held(context, "--net", "tsi", "--publish", f"{port}:80")
    os.remove(context.path("argv.json"))
    refused_bind(context, f"{port}:80", "Address already in use")


@case()
def a_published_port_is_held(context):
    """From the start on nobody else can have it, and nobody is let in before the guest listens."""
    ports = [free_port(), free_port()]
    held(context, "--net", "tsi", "--publish", f"{ports[0]}:80", "--publish", f"[::1]:{ports[1]}:81")
    for family, address, port in ((socket.AF_INET, "127.0.0.1", ports[0]), (socket.AF_INET6, "::1", ports[1])):
        with socket.socket(family) as sock:
            check(sock.connect_ex((address, port)) == 111, "somebody listens")
        with socket.socket(family) as sock:
            try:
                sock.bind((address, port))
            except OSError:
                continue
            check(False, f"port {port} can be taken")


@case()
def rights_of_the_process(context):
    port = free_port()
    _, backend = held(context, "--net", "tsi", "--publish", f"{port}:80")
    status = read(f"/proc/{backend}/status")
    for name, want in (("CapEff", "0000000000000000"), ("CapPrm", "0000000000000000"), ("NoNewPrivs", "1"),
                       ("Seccomp", "2")):
        check_equal(re.search(rf"^{name}:\s*(\w+)$", status, re.M)[1], want, name)
    directory = f"/proc/{backend}/fd"
    targets = sorted(os.readlink(f"{directory}/{n}").split(":")[0] for n in os.listdir(directory) if int(n) > 2)
    check_equal(targets, ["anon_inode", "socket", "socket"], "what it has open")
    check_equal({os.readlink(f"{directory}/{n}") for n in "01"}, {"/dev/null"}, "its stdin and stdout")


@case()
def it_ends_with_smk(context):
    process, backend = held(context, "--net", "tsi")
    process.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_alive(backend), 10, "end of TSI's process")


@case()
def it_ends_with_the_run(context):
    fake_qemu(context, "vhost")
    result = context.smk("run", "--net", "tsi", tiny_bundle(context)).expect(0)
    check_equal(result.text, "features 0x140000008\n", "what vhost-user answers")
    check_equal(result.errors, "", "stderr")


@case()
def its_death_is_told(context):
    process, backend = held(context, "--net", "tsi")
    os.kill(backend, signal.SIGKILL)
    for pid in children_of(process.pid):
        if pid != backend:
            os.kill(pid, signal.SIGKILL)
    check_in("the network's process was killed by signal 9", process.communicate()[1].decode(), "stderr")


@case()
def print_vmm_has_no_tsi(context):
    directory = tiny_bundle(context)
    for words in (["--net", "tsi"], ["-p", f"{free_port()}:80"], ["--dns", "192.0.2.1"], []):
        result = context.smk("run", "--print-vmm", *words, directory).expect(0)
        check_equal("--net tsi: the printed command has no network" in result.errors, bool(words), f"{words} is warned of")
        check(not any(part in result.text for part in ("vsock", "tsi_hijack", "smk.dns")), result.text)
    result = context.smk("run", "--print-vmm", "--net", "user", directory).expect(0)
    check_in("virtio-net-device", result.text, "command line")


def guest_dns(context, host, *words):
    """What smk tells the guest when /etc/resolv.conf of this machine is that text, and stderr."""
    fake_qemu(context, "warning")
    if not os.path.exists(context.path("bundle")):
        tiny_bundle(context)
    for name, text in host.items():
        with open(context.path(name), "w", encoding="utf-8") as file:
            file.write(text)
    os.makedirs(context.path("run", "resolve"), exist_ok=True)
    if "upstream" in host:
        os.replace(context.path("upstream"), context.path("run", "resolve", "resolv.conf"))
    script = ("mount --bind $0 /etc/resolv.conf && mount -t tmpfs none /run && mkdir /run/systemd && "
              "cp -r $1 /run/systemd/ && shift && exec \"$@\"")
    result = context.run(["unshare", "-m", "sh", "-c", script, context.path("host"), context.path("run", "resolve"),
                          SMK, "run", *words, context.path("bundle")]).expect(0)
    argv = fake_argv(context)
    line = argv[argv.index("-append") + 1].split()
    return " ".join(word for word in line if word.startswith(("smk.dns", "smk.search"))), result.errors


@case()
def dns_of_this_machine(context):
    """Servers that the guest may reach, with the search list; of systemd's stub, those that it asks itself."""
    mixed = "# c\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\ndomain c\nsearch a.example b;\tb\nsortlist x\n"
    got, _ = guest_dns(context, {"host": mixed})
    check_equal(got, "smk.dns=192.0.2.1 smk.search=a.example,b", "name servers")
    for local in ("::ffff:127.0.0.53", "0.0.0.0", "::", "::1", "127.0.0.2", "224.0.0.1"):
        got, _ = guest_dns(context, {"host": f"nameserver {local}\nnameserver 192.0.2.1\n"}, "--net", "tsi")
        check_equal(got, "smk.dns=192.0.2.1", f"name servers beside {local}")
    got, _ = guest_dns(context, {"host": mixed}, "--net", "tsi:loopback")
    check_equal(got, "smk.dns=127.0.0.53,192.0.2.1 smk.search=a.example,b", "name servers")
    stub = "nameserver 127.0.0.53\nsearch old\noptions edns0\n"
    got, _ = guest_dns(context, {"host": stub, "upstream": "nameserver 2001:db8::1\n"})
    check_equal(got, "smk.dns=2001:db8::1", "name servers")


@case()
def dns_has_limits(context):
    """Three servers, and as many whole domains as 255 bytes have room for."""
    servers = "".join(f"nameserver 192.0.2.{i}\n" for i in range(1, 6))
    domains = [f"{i:02}." + "x" * 37 for i in range(10)]
    got, _ = guest_dns(context, {"host": servers + "search " + " ".join(domains) + "\n"})
    check_equal(got, "smk.dns=192.0.2.1,192.0.2.2,192.0.2.3 smk.search=" + ",".join(domains[:6]), "name servers")


@case()
def dns_of_the_user(context):
    """Words of --append take the place of smk's, each of its own."""
    host = {"host": "nameserver 192.0.2.1\nsearch example\n"}
    for words, want in (("smk.dns=192.0.2.9", "smk.search=example smk.dns=192.0.2.9"),
                        ("smk.search=other", "smk.dns=192.0.2.1 smk.search=other"),
                        ("debug smk.search=other smk.dns=192.0.2.9", "smk.search=other smk.dns=192.0.2.9"),
                        ("xsmk.dns=1", "smk.dns=192.0.2.1 smk.search=example")):
        got, _ = guest_dns(context, host, "--append", words)
        check_equal(got, want, f"name servers with {words}")


@case()
def dns_on_the_link(context):
    """Only when the guest may go there; an interface by its number, which is what a socket of the host's needs."""
    link = ("nameserver 169.254.169.253\nnameserver fe80::1\nnameserver fe80::2%lo\nnameserver fe80::3%1\n"
            "nameserver fe80::4%nowhere\nnameserver fe80::5%99999\nnameserver fe80::6%\nnameserver 192.0.2.1%lo\n")
    own = "nameserver 192.0.2.9\n"
    got, _ = guest_dns(context, {"host": link + own}, "--net", "tsi")
    check_equal(got, "smk.dns=192.0.2.9", "name servers")
    got, _ = guest_dns(context, {"host": link + own}, "--net", "tsi:loopback")
    check_equal(got, "smk.dns=192.0.2.9", "name servers")
    got, _ = guest_dns(context, {"host": link + own}, "--net", "tsi:link-local")
    check_equal(got, "smk.dns=169.254.169.253,fe80::2%1,fe80::3%1", "name servers")
    got, errors = guest_dns(context, {"host": own}, "--net", "tsi:link-local", "--dns", "fe80::7%lo")
    check_equal((got, "--dns" in errors), ("smk.dns=fe80::7%1", False), "name servers of --dns")
    for text in ("fe80::7%lo", "169.254.169.253"):
        _, errors = guest_dns(context, {"host": own}, "--net", "tsi:loopback", "--dns", text)
        check_in(f"--dns {text}: the guest may not reach it but with --net tsi:link-local", errors, "stderr")


@case()
def dns_of_nobody(context):
    for text in ("nameserver 127.0.0.53\nnameserver ::1\nsearch example\n", ""):
        got, errors = guest_dns(context, {"host": text}, "--net", "tsi")
        check_equal(got, "", "name servers")
        check_in("no name server that the guest may reach is in /etc/resolv.conf: --dns names one", errors, "stderr")
        _, errors = guest_dns(context, {"host": text})
        check("name server" not in errors, f"a warning about what nobody asked for: {errors}")
        got, errors = guest_dns(context, {"host": text}, "--net", "tsi", "--append", "smk.dns=192.0.2.9 smk.search=x")
        check_equal((got, "name server" in errors), ("smk.dns=192.0.2.9 smk.search=x", False), "the user's own")
    for net in ("none", "user"):
        got, errors = guest_dns(context, {"host": "nameserver 192.0.2.1\n"}, "--net", net)
        check_equal((got, "name server" in errors), ("", False), f"name servers of --net {net}")


@case()
def dns_option(context):
    host = {"host": "nameserver 192.0.2.1\nsearch example\n"}
    for net in ("tsi", "user"):
        got, errors = guest_dns(context, host, "--net", net, "--dns", "192.0.2.7", "--dns=2001:db8::7")
        check_equal(got, "smk.dns=192.0.2.7,2001:db8::7 smk.search=example", "name servers")
        check("--dns" not in errors, errors)
    for text in ("127.0.0.53", "::1", "0.0.0.0", "::ffff:127.0.0.1"):
        _, errors = guest_dns(context, host, "--net", "tsi", "--dns", text)
        check_in(f"--dns {text}: the guest may not reach it but with --net tsi:loopback", errors, "stderr")
        _, errors = guest_dns(context, host, "--net", "tsi:loopback", "--dns", text)
        check("--dns" not in errors, errors)
        _, errors = guest_dns(context, host, "--net", "user", "--dns", text)
        check_in(f"--dns {text}: with --net user that is the guest itself", errors, "stderr")
    _, errors = guest_dns(context, host, "--net", "tsi", "--dns", "224.0.0.1")
    check_in("--dns 224.0.0.1: the guest may not reach it\n", errors, "stderr")


@case()
def dns_is_checked(context):
    directory = tiny_bundle(context)
    for words, parts in (
            *((["--net", "tsi", "--dns", text], [f"--dns {text}: not an IP address"])
              for text in ("", "host.example", "1.1.1", "1.1.1.1,2.2.2.2", "[::1]", "none", "x" * 100)),
            *((["--net", "tsi", "--dns", text], [f"--dns {text}: not an IP address with an interface of this machine"])
              for text in ("fe80::1", "fe80::1%nowhere", "fe80::1%99999", "fe80::1%99999999999", "192.0.2.1%lo", "2001:db8::1%lo")),
            (["--net", "tsi", *["--dns=192.0.2.1"] * 4], ["--dns 192.0.2.1", "at most 3"]),
            (["--net", "none", "--dns", "192.0.2.1"], ["--dns 192.0.2.1", "no network", "--net tsi"])):
        context.smk("run", *words, directory).expect_line(125, "smk: ", *parts)
