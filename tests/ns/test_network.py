# SPDX-License-Identifier: Apache-2.0
"""linux.netDevices: devices of the machine's network, in it and in another that the container joins."""

import errno
import json
import os

from harness import case, check, check_equal, children_of
from session import Guest
from test_namespaces import config_with
from tracer import Tracer

MAC = "02:00:5e:00:53:01"


class Network:
    """
    The other network: held by a process in the guest's PID namespace, by which the configuration names
    it, and by a descriptor, so that it outlives the run.
    """

    def __init__(self, context, pid):
        self.context = context
        self.holder = context.popen(["nsenter", f"--pid=/proc/{pid}/ns/pid", "unshare", "--net", "sh", "-c",
                                     "echo $$; exec sleep 60"], stdout=-1, text=True)
        self.path = f"/proc/{int(self.holder.stdout.readline())}/ns/net"
        self.file = open_namespace(children_of(self.holder.pid)[0])

    def ip(self, *words):
        return ip(self.context, self.file, *words)

    def link(self, name):
        found = json.loads(self.ip("-json", "address", "show", "dev", name).text)
        return next(link for link in found if link)


def open_namespace(pid):
    return open(f"/proc/{pid}/ns/net", "rb")


def ip(context, file, *words):
    return context.tool("nsenter", f"--net=/proc/self/fd/{file.fileno()}", "ip", *words, pass_fds=[file.fileno()])


def move(guest, devices, prepare, *others, joined=None, trace=None, args=("/probe", "exit", "5")):
    """
    A run in whose network prepare (lines for ip) is done before PID 1 begins, and others in the other one;
    the session, PID 1's network and the other one. joined: another path of the network. trace: gets PID 1's
    number before it begins.
    """
    context = guest.context
    # The path is known only when PID 1's namespaces are there, so the holder is always their second process.
    config = config_with(("network", joined or "/proc/2/ns/net"), args=args,
                         linux={"netDevices": devices})
    session = guest.start(config=config, gate=True)
    pid = session.pid_1()
    own = open_namespace(pid)
    network = Network(context, pid)
    check_equal(network.path, "/proc/2/ns/net", "the network's holder")
    for file, lines in ((own, prepare), (network.file, others)):
        for line in lines:
            ip(context, file, *line.split())
    if trace:
        trace(pid)
    session.open_gate()
    return session.finish(), own, network


def addresses(link):
    """But those that IPv6 gives every device."""
    return {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if not a["local"].startswith("fe80:")}


MOVE_FAILURES = ("a0: socket", "socket", "setns", "open", "read addresses", "move device", "find device", "add address")
VETH = "link add a0 type veth peer name b0"


@case()
def device_moves_to_a_joined_network(c):
    """
    With what the specification wants to be kept: MTU, MAC, and of the addresses the permanent ones of global
    scope, also when the machine has more than fit into one answer of the kernel's.
    """
    prepare = [VETH, f"link set a0 mtu 1400 address {MAC}", "address add 192.0.2.1/24 brd + dev a0",
               "address add 192.0.2.2/32 peer 198.51.100.7 dev a0", "address add 2001:db8::1/64 nodad dev a0",
               "address add 169.254.1.1/16 scope link dev a0",
               "address add 192.0.2.9/24 valid_lft 1000 preferred_lft 1000 dev a0"]
    prepare += [f"address add 203.0.113.{n}/32 dev b0" for n in range(1, 201)]
    with Guest(c) as guest:
        prepare.append("link add c0 type veth peer name d0")
        session, own, network = move(guest, {"a0": {"name": "lan0"}, "c0": {}}, prepare)
        session.expect(5)
        check("UP" in network.link("c0")["flags"], "c0 is down")
        link = network.link("lan0")
        check_equal((link["mtu"], link["address"]), (1400, MAC), "MTU and MAC")
        check("UP" in link["flags"], f"it is down: {link['flags']}")
        check_equal(addresses(link), {"192.0.2.1/24", "192.0.2.2/32", "2001:db8::1/64"}, "addresses")
        (first,) = [a for a in link["addr_info"] if a["local"] == "192.0.2.1"]
        check_equal((first["label"], first["broadcast"]), ("lan0", "192.0.2.255"), "label and broadcast")
        left = [l["ifname"] for l in json.loads(ip(c, own, "-json", "link").text)]
        check_equal(sorted(left), ["b0", "d0", "lo"], "the machine's devices")


@case()
def joined_network_is_the_containers(c):
    with Guest(c) as guest:
        session, _, network = move(guest, {}, [], args=["/probe"])
        joined = os.readlink(f"/proc/self/fd/{network.file.fileno()}")
        facts = session.expect().facts
        check_equal(facts["namespaces"]["net"], joined, "the container's network")
        check(facts["namespacesOf1"]["net"] != joined, "it is the machine's, too")


@case()
def names_of_devices_that_move(c):
    """Its own without another; with %d the first that is free; one that is taken is refused."""
    wanted = (({"a0": {}}, [], "a0"),
              ({"a0": {"name": "lan%d"}}, [VETH.replace("a0", "lan0")], "lan1"),
              ({"a0": {"name": "c0"}}, [VETH], "c0"))
    with Guest(c) as guest:
        for devices, others, name in wanted:
            session, _, network = move(guest, devices, [VETH], *others)
            session.expect(5)
            check("UP" in network.link(name)["flags"], f"{name} is down")
        for name in ("b0", None):
            devices = {"a0": {"name": name} if name else {}}
            session, own, network = move(guest, devices, [VETH], VETH)
            session.expect_failure(125, "apply: /linux/netDevices/a0: ", "name device", f"(errno {errno.EEXIST})")
            check_equal(len(json.loads(ip(c, own, "-json", "link").text)), 3, "the machine's devices")


@case()
def devices_that_cannot_move(c):
    many = [VETH] + [f"address add 203.0.113.{n}/32 dev a0" for n in range(1, 201)]
    with Guest(c) as guest:
        for name, prepare, words, number in (("no0", [], "find device", errno.ENODEV),
                                             ("lo", [], "move device", errno.EINVAL),
                                             ("a0", many, "read addresses", errno.E2BIG)):
            session, _, _ = move(guest, {name: {"name": "x0"}}, prepare)
            session.expect_failure(125, f"apply: /linux/netDevices/{name}: ", words, f"(errno {number})")
        session, _, _ = move(guest, {"a0": {}}, [VETH], joined="/proc/1/ns/ipc")
        session.expect_failure(125, "apply: /linux/namespaces/0: /proc/1/ns/ipc: ", "is not a network namespace")


@case()
def device_of_the_machines_own_network(c):
    """Joined by its path or not at all: the device gets its name and is set up, and keeps all addresses."""
    with Guest(c) as guest:
        session, own, network = move(guest, {"a0": {"name": "lan0"}}, [VETH, "address add 192.0.2.1/24 dev a0"],
                                     joined="/proc/1/ns/net")
        session.expect(5)
        network.file = own
        link = network.link("lan0")
        check("UP" in link["flags"], f"it is down: {link['flags']}")
        check_equal(addresses(link), {"192.0.2.1/24"}, "addresses")


@case(150)
def calls_of_a_move_that_fail(c):
    """Each of them, each time: the run ends in order, and every failure that a move knows is seen."""
    prepare = [VETH, "address add 192.0.2.1/24 dev a0"]
    seen = set()
    with Guest(c) as guest:
        for call in ("socket", "setns", "sendto", "recvfrom", "ioctl", "fstat"):
            for when in range(2 if call == "recvfrom" else 1, 20):  # the first is the gate's
                tracers = []
                session, _, _ = move(guest, {"a0": {}}, prepare,
                                     trace=lambda pid: tracers.append(Tracer(c, pid, call, "EIO", when)))
                if not tracers[0].has_injected():
                    break
                if session.failures:
                    session.expect_failure(125)
                    seen |= {what for what in MOVE_FAILURES if f": {what}: " in session.failures[0]}
                else:
                    session.expect(5)
    check_equal(sorted(seen), sorted(MOVE_FAILURES), "the failures that were seen")
