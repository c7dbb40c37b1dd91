# SPDX-License-Identifier: Apache-2.0
"""poll, select and epoll, against what they say of native sockets."""

from box import LAN, boot, step


@boot("v1.17", "v1.19", "smk", steps=[
    step("fresh", "fresh-sockets 127.0.0.1", rows=(5,)),
    step("fresh-lan", f"fresh-sockets {LAN}", rows=(5,)),
    step("fresh-inet6", "fresh-sockets ::1", rows=(5,)),
    *(step(f"{mode}-{name}", f"epoll {mode} {number} 127.0.0.1", rows=(5, 6))
      for mode in ("edge", "level") for number, name in enumerate(("connect", "refused", "accept")))])
def poll(box):
    box.start_peer()
    box.run()
