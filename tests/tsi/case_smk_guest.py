# SPDX-License-Identifier: Apache-2.0
"""smk run --net: what the guest has of a network by itself, its settings, and what of the host it reaches."""

import json
import os
import sys

import harness
from harness import SMK, case, check, check_equal, check_in, write_config
from smk_case import bundle, smk

ALONE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "alone.py")
OWN = ("cd /sys/class/net; for n in *; do echo $n; done; busybox ip -o address | while read a n f x rest; do echo $n $f $x; done; "
       "busybox ip route; busybox ip -6 route | while read x rest; do echo 6 $x; done; cat lo/flags; ls /etc/resolv.conf 2>&1; true")
LOOPBACK_ONLY = "lo\nlo inet 127.0.0.1/8\nlo inet6 ::1/128\n"
REACHED, REFUSED, DENIED = "reached", "ECONNREFUSED", "EACCES"
PLACES = {  # how the guest calls it: what the server says that it was, and of which scope it is
    "127.0.0.1": ("127.0.0.1", "loopback"), "127.0.0.53": ("127.0.0.53", "loopback"), "0.0.0.0": ("127.0.0.1", "loopback"),
    "::1": ("::1", "loopback"), "::": ("::1", "loopback"), "::ffff:127.0.0.1": ("127.0.0.1", "loopback"),
    "::ffff:0.0.0.0": ("127.0.0.1", "loopback"),
    "169.254.9.9": ("169.254.9.9", "link-local"), "::ffff:169.254.9.9": ("169.254.9.9", "link-local"),
    "fe80::9%$LINK": ("fe80::9", "link-local"),
    "192.0.2.80": ("192.0.2.80", None), "::ffff:192.0.2.80": ("192.0.2.80", None), "2001:db8::80": ("2001:db8::80", None),
}
REFUSALS = {"loopback": REFUSED, "link-local": DENIED}


def smk_alone(context, resolv_conf, words, script):
    """On a host that has nothing but what alone.py gives it."""
    return context.run([sys.executable, ALONE, resolv_conf, SMK, "run", "--kernel", harness.KERNEL, "-e", "LINK", *words,
                        bundle(context, script)])


def with_settings(context, net, values, script):
    directory = bundle(context, script)
    path = os.path.join(directory, "config.json")
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    config["linux"]["sysctl"] = {f"net.tsi.{name}": str(value) for name, value in values.items()}
    write_config(directory, config)
    return context.smk("run", "--kernel", harness.KERNEL, "--net", net, directory)


@case()
def settings_of_the_configuration(context):
    values = {"loopback": 1, "default_route_native": 1, "publish": 0, "accept": 0, "udp_mode": 1, "connect_timeout": 7}
    script = "cd /proc/sys/net/tsi; for n in *; do echo $n $(cat $n); done"
    got = dict(line.split() for line in smk(context, ["--net", "tsi"], script).expect(0).text.splitlines())
    check_equal(set(got), set(values), "the settings that there are")
    check(all(got[name] != str(value) for name, value in values.items()), f"a value that is the kernel's own: {got}")
    for net in ("tsi", "none"):
        text = with_settings(context, net, values, script).expect(0).text
        check_equal(dict(line.split() for line in text.splitlines()), {n: str(v) for n, v in values.items()}, net)


@case(timeout=120)
def settings_that_are_wrong(context):
    """One line, which names the setting; nothing has run."""
    for name, value, error in (("loopback", "2", "write: Invalid argument"), ("loopback", "yes", "write: Invalid argument"),
                               ("connect_timeout", "0", "write: Invalid argument"),
                               ("connect_timeout", "3601", "write: Invalid argument"),
                               ("nothing", "1", "open: No such file or directory")):
        result = with_settings(context, "tsi", {name: value}, "echo ran").expect(125, out="")
        lines = [l for l in result.errors.splitlines() if not l.startswith("  console: ")]
        check_equal(len(lines), 1, f"number of lines {lines}")
        check_in(f"apply: /linux/sysctl/net.tsi.{name}: ", lines[0])
        check_in(error, lines[0])


@case(timeout=120)
def nothing_but_loopback(context):
    """No card, no dummy that would be a trap for what has to leave, no route; with TSI and without."""
    for net in ("tsi", "none"):
        text = smk_alone(context, "nameserver 127.0.0.53\n", ["--net", net], OWN).expect(0).text
        check(text.startswith(LOOPBACK_ONLY), f"--net {net}: {text!r}")
        routes, flags, resolv_conf = text.removeprefix(LOOPBACK_ONLY).splitlines()[:-2], *text.splitlines()[-2:]
        check(all(line in ("6 ::1",) for line in routes), f"--net {net}: routes {routes}")
        check(int(flags, 0) & 1, f"--net {net}: lo is down")
        check_in("No such file", resolv_conf, "resolv.conf without a name server that can be reached")


@case(timeout=120)
def the_card_of_the_user_network(context):
    """Addresses, route and name server as smk(1) says; the gateway is the host's loopback, names are the host's."""
    script = OWN + "; cat /etc/resolv.conf; client connect 10.0.2.2 80; client connect web.example 80; client ask 10.0.2.2 7 x"
    text = smk_alone(context, "nameserver 127.0.0.1\n", ["--net", "user"], script).expect(0).text
    for part in ("eth0\nlo\n", LOOPBACK_ONLY.removeprefix("lo\n"), "eth0 inet 10.0.2.15/24\n", "default via 10.0.2.2 dev eth0",
                 "/etc/resolv.conf\nnameserver 10.0.2.3\nconnected\nconnected\n127.0.0.1\n"):
        check_in(part, text, "what the guest has")


@case(timeout=300)
def what_the_host_is_to_the_guest(context):
    """Each of its addresses, in each form, by TCP and by UDP, under each policy."""
    script = "".join(f'client connect "{place}" 80; client ask "{place}" 7 x; ' for place in PLACES)
    for net, allowed in (("tsi", ()), ("tsi:loopback", ("loopback",)), ("tsi:link-local", ("link-local",)),
                         ("tsi:loopback,link-local", ("loopback", "link-local"))):
        text = smk_alone(context, "nameserver 192.0.2.80\n", ["--net", net], script + "true").expect(0).text
        want = []
        for place, (name, scope) in PLACES.items():
            fails = scope and scope not in allowed
            want += [f"{place} connect: {REFUSALS[scope]}"] * 2 if fails else [f"{place} connected", f"{place} {name}"]
        places = [place for place in PLACES for _ in range(2)]
        check_equal([f"{place} {line}" for place, line in zip(places, text.splitlines())], want, net)


@case(timeout=120)
def names_by_the_servers_of_the_host(context):
    """On an address of the host's, on its loopback, on a link, in IPv6; each by the policy that it needs."""
    for server, net in (("192.0.2.80", "tsi"), ("2001:db8::80", "tsi"), ("127.0.0.1", "tsi:loopback"),
                        ("169.254.9.9", "tsi:link-local"), ("fe80::9%card", "tsi:link-local")):
        text = smk_alone(context, f"nameserver {server}\n", ["--net", net], "busybox nslookup web.example").expect(0).text
        check_in("Name:\tweb.example\nAddress: 192.0.2.80\n", text, f"{server} with --net {net}")
        text = smk_alone(context, f"nameserver {server}\n", ["--net", net], "client connect web.example 80").text
        check_equal(text, "connected\n", f"{server} with --net {net}")
