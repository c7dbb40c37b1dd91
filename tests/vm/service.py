# SPDX-License-Identifier: Apache-2.0
"""An image of a server, as smk runs it."""

import os
import signal
import time

from harness import IMAGES, SMK, Failure, check, check_equal


class Service:
    """One that runs. Its standard output is read as it comes, its standard error at the end."""

    def __init__(self, context, name, *options, command=()):
        self.errors_path = context.path("errors")
        with open(self.errors_path, "wb") as errors:
            self.process = context.popen([SMK, "run", *options, os.path.join(IMAGES, name), *command], stdin=-3,
                                         stdout=-1, stderr=errors)

    @property
    def errors(self):
        with open(self.errors_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def read_until(self, part):
        """The output up to a line with this in it."""
        text = ""
        while part not in text.rpartition("\n")[0].rpartition("\n")[2]:
            line = self.process.stdout.readline().decode(errors="replace")
            if not line:
                raise Failure(f"{part!r} did not come: {text!r} {self.errors!r}")
            text += line
        return text

    def stop(self, code, times=1):
        """TERM to smk; what the server said after it."""
        for turn in range(times):
            time.sleep(0.3 if turn else 0)
            check(self.process.poll() is None, f"ended before TERM {turn + 1}: {self.errors}")
            self.process.send_signal(signal.SIGTERM)
        text = self.process.stdout.read().decode(errors="replace")
        check_equal(self.process.wait(), code, f"exit code ({self.errors})")
        return text
