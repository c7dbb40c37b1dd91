# SPDX-License-Identifier: Apache-2.0
"""Images that are fine, in each form: and how they are named."""

import os

from case_image_bad import GOOD, lying, nested, platforms, put, saved, twice
from harness import case
from host_case import fake_qemu, own_cache
from image_builder import Image, layer


def other_digest(index):
    """Of an entry that is not ours, which another program can check."""
    found = dict(index["manifests"][0], digest="sha512:" + 128 * "a", platform={"os": "linux", "architecture": "amd64"})
    index["manifests"].insert(0, found)


@case()
def image_that_is_fine(context):
    """What the others are made from runs, in each form: it is the lie that is refused."""
    fake_qemu(context, "warning")
    own_cache(context)
    image = Image([layer(GOOD)])
    for reference in (image.layout(context.path("layout")), image.archive(context.path("archive")),
                      saved()(context.path("saved")), lying(files=nested(3))(context.path("nested")),
                      lying(files=twice, tag=":other")(context.path("twice")),
                      lying(files=platforms("linux/amd64", "linux/arm64/v8"))(context.path("platforms")),
                      lying(files=platforms("linux/arm64", "linux/arm64/v8"))(context.path("first")),
                      lying(index=other_digest)(context.path("other")),
                      lying(index=put("manifests", 0, "platform", value=None))(context.path("null")),
                      lying(index=put("manifests", 0, "platform", value={}))(context.path("empty"))):
        context.smk("run", reference).expect(0)


@case()
def image_tags_with_colons(context):
    """As podman writes them: the whole name, or what stands behind its last colon; and paths with colons."""
    fake_qemu(context, "warning")
    own_cache(context)
    name = "docker.io/library/x:1"
    os.makedirs(context.path("a:b"))
    for place in ("named", "a:b/c:d"):
        Image([layer(GOOD)], tag=name).layout(context.path(place))
        for tag in ("", ":1", ":" + name):
            context.smk("run", context.path(place) + tag).expect(0)
        context.smk("run", context.path(place) + ":2").expect_line(125, "smk: ", "has no tag 2, only " + name)
    both = saved(lambda found: found.append(dict(found[0], RepoTags=["made/otherwise:latest"])))(context.path("both"))
    context.smk("run", both + ":latest").expect_line(125, "smk: ", "more than one image")
    for tag in ("made/by-hand:latest", "made/otherwise:latest"):
        context.smk("run", both + ":" + tag).expect(0)
