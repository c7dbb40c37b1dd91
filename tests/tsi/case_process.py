# SPDX-License-Identifier: Apache-2.0
"""Descriptors of several processes, and the other ways to move bytes."""

from box import boot, step


@boot("v1.17", "smk", cpus=2, steps=[
    step("forked", "forked 127.0.0.1"),
    step("executed", "executed 127.0.0.1"),
    step("dup", "dup 127.0.0.1"),
    step("passed", "passed 127.0.0.1"),
    step("workers", "workers"),
    step("killed", "killed 127.0.0.1", rows=(21,))])
def process(box):
    box.start_peer()
    box.run()


@boot("v1.17", "v1.19", "smk", steps=[
    step("sendfile", "sendfile 127.0.0.1"),
    step("splice-out", "splice-out 127.0.0.1"),
    step("splice-in", "splice-in 127.0.0.1"),
    step("vectors", "vectors 127.0.0.1"),
    step("many-messages", "many-messages 127.0.0.1"),
    step("flags", "message-flags 127.0.0.1"),
    step("wait-all", "wait-all 127.0.0.1", rows=(26,)),
    step("queued", "queued 127.0.0.1", rows=(27,)),
    step("full", "full 127.0.0.1"),
    step("ring-accept", "ring-accept"),
    step("ring-multishot", "ring-multishot 127.0.0.1"),
    step("ring-connect", "ring-connect 127.0.0.1"),
    step("ring-refused", "ring-refused 127.0.0.1"),
    step("ring-zero-copy", "ring-zero-copy 127.0.0.1")])
def bytes_otherwise(box):
    box.start_peer()
    box.run()
