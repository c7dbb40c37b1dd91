# SPDX-License-Identifier: Apache-2.0
"""How a run is asked to end: the stop signal, and a start that does not come."""

import signal

from case_session import end, start
from harness import SMK, case, check_equal
from host_case import fake_qemu, tiny_bundle


@case()
def term_becomes_the_stop_signal(context):
    """image-spec's annotation, of which engines write a name or a number."""
    for value, number in (("SIGQUIT", 3), ("RTMIN+3", 37), ("12", 12)):
        fake_qemu(context, "one_signal")
        directory = tiny_bundle(context, f"b{number}", annotations={"org.opencontainers.image.stopSignal": value})
        process = context.popen([SMK, "run", directory], stdin=-3, stdout=-1, stderr=-1)
        check_equal(process.stdout.readline(), b"ready\n", "output")
        process.send_signal(signal.SIGTERM)
        end(process, 0, out=b"signal %d\n" % number)


@case()
def stop_signal_that_is_none(context):
    directory = tiny_bundle(context, annotations={"org.opencontainers.image.stopSignal": "SIGSTOPPED"})
    context.smk("run", directory).expect_line(
        125, "smk: ", "/annotations/org.opencontainers.image.stopSignal: SIGSTOPPED: no signal")


@case()
def start_that_takes_too_long(context):
    process = start(context, "hold", "--init-timeout", "1", "--timeout", "30")
    end(process, 125, err=b"the VM was ended after 1 seconds (--init-timeout)")
