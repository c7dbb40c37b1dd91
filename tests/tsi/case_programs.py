# SPDX-License-Identifier: Apache-2.0
"""Real programs in a guest without a network card: each case is one smk command, or one for each of two guests."""

import concurrent.futures
import contextlib
import os
import urllib.request

import harness
from harness import case, check, check_equal, check_in, wait_until
from service import Service
from smk_case import bundle, can_reach, free_port, pattern, read_all, server
from smk_servers import Redis, name_server, page_server, redis_server

PAGE = pattern(300000)
NO_CARD = "set -- /sys/class/net/*; [ \"$*\" = /sys/class/net/lo ] || exit 99; "


@contextlib.contextmanager
def host_with_pages(context):
    """A server of names and one of pages; gives the options of smk, the page's address, and what was asked for."""
    here = "127." + ".".join(str(1 + byte % 254) for byte in os.urandom(3))
    folder = context.path("pages")
    os.mkdir(folder)
    with open(os.path.join(folder, "page"), "wb") as file:
        file.write(PAGE)
    with name_server(here, {"pages.test": here}) as asked, page_server(here, folder) as port:
        yield ["--net", "tsi:loopback", "--dns", here], port, asked


def fetch(context, script, rootfs=None, times=1):
    """The script gets the page's port as $PORT, prints the page, and says of a name that is none that it failed."""
    with host_with_pages(context) as (options, port, asked):
        result = context.smk("run", "--kernel", harness.KERNEL, *options, "--env", f"PORT={port}",
                             bundle(context, "/bin/bash" if rootfs else "/bin/sh", "-c", NO_CARD + script, rootfs=rootfs))
    result.expect(0)
    check(result.out == PAGE * times + b"no such name\n", f"{len(result.out)} other bytes ({result.errors})")
    check_equal({"pages.test", "none.test"} - set(asked), set(), "names that were not asked for")


@case()
def musl_program_fetches(context):
    fetch(context, "client get pages.test $PORT /page; client get none.test $PORT / >/dev/null || echo no such name")


@case()
def busybox_fetches(context):
    """Static glibc."""
    fetch(context, "busybox wget -q -O - pages.test:$PORT/page; busybox wget -q -O - none.test:$PORT/ || "
          "echo no such name")


@case()
def curl_and_wget_fetch(context):
    """glibc. Curl takes three pages by one connection, and asks for both families at once."""
    fetch(context, "p=pages.test:$PORT/page; curl -sS $p $p $p; wget -q -O - $p; curl -s none.test:$PORT; "
          "[ $? = 6 ] && echo no such name", rootfs="fetch", times=4)


@case(timeout=200)
def python_fetches(context):
    """glibc, too: eight threads at once."""
    fetch(context, """exec python3 -c '
import concurrent.futures, os, socket, sys, urllib.request
url = "http:" + "//pages.test:" + os.environ["PORT"] + "/page"
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    for page in pool.map(lambda _: urllib.request.urlopen(url).read(), range(8)):
        sys.stdout.buffer.write(page)
try:
    socket.getaddrinfo("none.test", 80)
except socket.gaierror:
    sys.stdout.buffer.write(b"no such name\\n")
'""", rootfs="python", times=8)


@case(timeout=200)
def a_hundred_mebibytes(context):
    """Each way, compared byte by byte."""
    size, got = 100 << 20, []
    data = pattern(size)
    with server(lambda c: got.append(read_all(c))) as up, server(lambda c: c.sendall(data)) as down:
        context.smk("run", "--kernel", harness.KERNEL, "--net", "tsi:loopback", bundle(
            context, f"client upload 127.0.0.1 {up} {size} 1048576; client download 127.0.0.1 {down} 1048576")).expect(
                0, out=f"{size} bytes, 0 wrong\n")
        wait_until(lambda: got, 10, "end of the upload")
    check(got == [data], f"the host got {len(got[0])} other bytes")


# ---- published servers -----------------------------------------------------------------------------


def published(context, name, guest_port, *options, command=()):
    """The server as its image says, and the port of the host where it answers."""
    port = free_port()
    service = Service(context, name, "--kernel", harness.KERNEL, "--net", "tsi", "--publish", f"{port}:{guest_port}",
                      *options, command=command)
    wait_until(lambda: can_reach(port), 120, f"{name} on its published port ({service.errors})")
    return service, port


def shared_page(context):
    os.mkdir(context.path("srv"))
    with open(context.path("srv", "page"), "wb") as file:
        file.write(pattern(1 << 20))
    return ["--volume", context.path("srv") + ":/srv:ro"]


def fetch_published(port, count):
    """As often as that, at the same time."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        for page in pool.map(lambda _: urllib.request.urlopen(f"http://127.0.0.1:{port}/page").read(), range(count)):
            check(page == pattern(1 << 20), f"{len(page)} other bytes")


@case(timeout=200)
def nginx_is_published(context):
    service, port = published(context, "nginx:latest", 80, *shared_page(context))
    fetch_published(port, 8)
    check_equal(service.stop(0).count('"GET /page HTTP/1.1" 200 1048576'), 8, "lines of its log")
    check(not can_reach(port), "the port is open still")


@case(timeout=200)
def python_is_published(context):
    service, port = published(context, "python:latest", 8000, *shared_page(context))
    fetch_published(port, 4)
    check_in("Keyboard interrupt received, exiting.", service.stop(0), "stdout")


@case(timeout=200)
def redis_is_published(context):
    """To a client of the host, and to a second guest by the same port."""
    service, port = published(context, "redis:latest", 6379, command=["redis-server", "--save", ""])
    with Redis(port) as redis:
        check_equal(redis.ask(b"SET", b"a", b"1"), b"OK", "SET")
        for number in range(5000):
            redis.send(b"INCRBY", b"a", b"%d" % number)
        answers = [redis.receive() for _ in range(5000)]
        check_equal(answers, [1 + number * (number + 1) // 2 for number in range(5000)], "answers")
        big = pattern(10 << 20)
        check_equal(redis.ask(b"SET", b"big", big), b"OK", "SET of 10 MiB")
        check(redis.ask(b"GET", b"big") == big, "GET of 10 MiB: other bytes")
    other = context.smk("run", "--kernel", harness.KERNEL, "--net", "tsi:loopback", os.path.join(harness.IMAGES, "redis:latest"),
                        "sh", "-c", f"redis-cli -p {port} get a; redis-cli -p {port} strlen big")
    other.expect(0, out=f"{1 + 4999 * 2500}\n{10 << 20}\n")
    check_in("bye bye...", service.stop(0), "stdout")


# ---- redis inside, and on the host -----------------------------------------------------------------

ASK = """
until redis-cli -p $PORT ping >/dev/null 2>&1; do :; done
redis-cli -p $PORT set greeting hello
redis-cli -p $PORT get greeting
head -c 10485760 /dev/zero | tr '\\0' x >/tmp/big
redis-cli -p $PORT -x set big </tmp/big
[ "$(redis-cli -p $PORT --raw get big | head -c 10485760 | sha256sum)" = "$(sha256sum </tmp/big)" ] && echo the same
redis-benchmark -p $PORT -n 2000 -c 20 -P 16 -t set,get --csv | cut -d, -f1
"""
ANSWERS = 'OK\nhello\nOK\nthe same\n"test"\n"SET"\n"GET"\n'


def ask_redis(context, options, port, before=""):
    return context.smk("run", "--kernel", harness.KERNEL, *options, "--env", f"PORT={port}",
                       os.path.join(harness.IMAGES, "redis:latest"), "bash", "-c", before + ASK)


@case(timeout=200)
def redis_inside(context):
    """The guest's own loopback address stays in the guest, whoever listens on the same port of the host."""
    called = []
    with server(called.append) as port:
        ask_redis(context, ["--net", "tsi:loopback"], port, "redis-server --port $PORT --save '' >/tmp/log & "
                  'until [[ $(</tmp/log) = *"Ready to accept"* ]]; do sleep 0.1; done').expect(
            0, out=ANSWERS)
    check_equal(called, [], "connections at the host")


@case(timeout=200)
def redis_of_the_host(context):
    with redis_server(context) as port:
        ask_redis(context, ["--net", "tsi:loopback"], port).expect(0, out=ANSWERS)
