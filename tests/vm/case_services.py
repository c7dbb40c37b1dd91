# SPDX-License-Identifier: Apache-2.0
"""
Servers as images, started as the image says, asked from inside and stopped by TERM to smk, which is the
image's stop signal in the guest. Tag `client`: the image's own command runs as PID 1 of the container, beside
a client (rootfs-fixtures/image.sh) that prints the answers on the same standard output.
"""

import os

from harness import case, check, check_equal, check_in
from service import Service


@case(timeout=200)
def service_nginx(context):
    """QUIT: it serves what it has begun, then ends with 0. Root binds port 80, the worker is www-data."""
    service = Service(context, "nginx:client")
    text = service.read_until("worker runs as")
    check_in("HTTP/1.1 200 OK\n<!DOCTYPE html><title>nginx</title><p>Hello from nginx in a microVM.\n", text, "stdout")
    check_in("worker runs as uid 33\n", text, "stdout")
    service.stop(0)
    for part in ("signal 3 (SIGQUIT) received", "gracefully shutting down", "exited with code 0", ": exit\n"):
        check_in(part, service.errors, "stderr")
    check("exited on signal" not in service.errors, service.errors)


@case(timeout=200)
def service_redis(context):
    """TERM, as the image names none: it saves, then ends with 0. User `redis`, data in the image's volume."""
    service = Service(context, "redis:client")
    text = service.read_until("server runs as")
    check_in("before: \nset: OK\nget: Hello from redis in a microVM.\nserver runs as uid 999\n", text, "stdout")
    check_in("1:M ", text, "stdout: the server is PID 1")
    text = service.stop(0)
    for part in ("Received SIGTERM", "DB saved on disk", "bye bye..."):
        check_in(part, text, "stdout")


@case(timeout=200)
def service_redis_keeps_its_data(context):
    """On a directory of the host; the second machine reads what the first one saved when it was stopped."""
    data = context.path("data")
    os.mkdir(data)
    os.chmod(data, 0o777)
    for before, start in (("", "Ready to accept"), ("Hello from redis in a microVM.", "DB loaded from disk")):
        service = Service(context, "redis:client", "--volume", data + ":/data")
        text = service.read_until("server runs as")
        check_in(start, text, "stdout")
        check_in(f"before: {before}\n", text, "stdout")
        check_in("DB saved on disk", service.stop(0), "stdout")
        with open(os.path.join(data, "dump.rdb"), "rb") as file:
            check_equal(file.read(5), b"REDIS", "the file's beginning")


@case(timeout=800)
def service_postgres(context):
    """
    INT, its fast shutdown: 0. User `postgres`; the entrypoint's initdb on the first start, on a disk; the second
    start finds the table, and nothing to mend.
    """
    disk = context.path("disk")
    context.tool("/sbin/mkfs.ext4", "-q", "-F", disk, "512M")
    for turn, there in enumerate("ft"):
        service = Service(context, "postgres:client", "--upper", "file:" + disk)
        text = service.read_until("server runs as")
        check_equal("running bootstrap script ... ok" in text, turn == 0, "whether initdb ran")
        check_in(f"there before: {there}\nselect: 734. Hello from PostgreSQL in a microVM.\nof 1000 rows, by postgres\n"
                 "server runs as uid 999\n", text, "stdout")
        service.stop(0)
        for part in ("[1] LOG:  received fast shutdown request", "database system was shut down at",
                     "[1] LOG:  database system is shut down"):
            check_in(part, service.errors, "stderr")
        for part in ("not properly shut down", "terminated by signal", "FATAL", "PANIC"):
            check(part not in service.errors, service.errors)
        context.tool("/sbin/e2fsck", "-fn", disk)


@case(timeout=200)
def service_python(context):
    """INT: KeyboardInterrupt, which the module ends with 0. User and group by name, the image's directory."""
    service = Service(context, "python:client")
    text = service.read_until("200 SimpleHTTP/")
    check_in("uid 33: <!DOCTYPE html><title>python</title><p>Hello from Python in a microVM.\n", text, "stdout")
    check_in("Keyboard interrupt received, exiting.", service.stop(0), "stdout")


@case(timeout=200)
def service_that_exits_on_another_code(context):
    """The server's own code for its end by a signal, which is not the signal's."""
    script = "import signal, sys; signal.signal(signal.SIGUSR1, lambda *_: sys.exit(42)); print('ready'); signal.pause()"
    service = Service(context, "python:latest", "--stop-signal", "USR1", command=["python3", "-c", script])
    service.read_until("ready")
    check_equal(service.stop(42), "", "stdout")


@case(timeout=200)
def service_that_ignores_its_stop_signal(context):
    """Python has no handler for TERM, and PID 1 does not die of one: the third ends the machine by force."""
    service = Service(context, "python:client", "--stop-signal", "TERM")
    service.read_until("200 SimpleHTTP/")
    check_equal(service.stop(125, times=3), "", "stdout")
    check_in("smk: the VM was ended by force\n", service.errors, "stderr")
    context.runs -= 1  # without an exit record
