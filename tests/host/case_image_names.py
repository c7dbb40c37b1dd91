# SPDX-License-Identifier: Apache-2.0
"""Images that are fine, in each form: and how they are named."""

import gzip
import json
import os
import shutil

from case_image_bad import GOOD, TAG, lying, nested, platforms, put, saved, twice
from harness import case, check_equal
from host_case import fake_qemu, own_cache
from image_builder import CONFIG, INDEX, MANIFEST, Image, layer, zstd


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


def skippable(data):
    """A frame of zstd that is no part of the stream: zstd:chunked has its table of contents in some."""
    return (0x184D2A50).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data


PACKED = {
    "gzip of many members": ("+gzip", b"".join(gzip.compress(GOOD[i:i + 1000]) for i in range(0, len(GOOD), 1000))),
    "gzip with an empty member at the end": ("+gzip", gzip.compress(GOOD) + gzip.compress(b"")),
    "gzip of nothing": ("+gzip", gzip.compress(b"")),
    "zstd of many frames": ("+zstd", b"".join(zstd(GOOD[i:i + 3000]) for i in range(0, len(GOOD), 3000))),
    "zstd with skippable frames": ("+zstd", zstd(GOOD[:512]) + skippable(b"x" * 99) + zstd(GOOD[512:]) +
                                   skippable(b"toc" * 1000)),
    "zstd of nothing": ("+zstd", zstd(b"")),
    "tar of nothing": ("", bytes(1024)),
    "tar with much behind its end": ("", GOOD + bytes(3 << 20)),
}


@case(timeout=60)
def image_packed_otherwise(context):
    """As other tools compress: all of the blob is the stream's, in however many parts."""
    fake_qemu(context, "warning")
    for what, (packing, data) in PACKED.items():
        stream = b"" if "nothing" in what else GOOD
        stream = data if not packing else stream
        path = context.path(what.replace(" ", "-"))
        context.env["XDG_CACHE_HOME"] = path + ".cache"
        context.smk("run", Image([layer(stream, packing, packed=data)]).layout(path)).expect(0)


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


def family(path, write):
    """Two images of one configuration each and one of amd64, in an index of an index: their digests by name."""
    found = {}
    image = Image([layer(GOOD)], tag=None)
    config = dict(image.config)
    for name, command, machine in (("a", "/bin/a", "arm64"), ("b", "/bin/b", "arm64"), ("other", "/bin/c", "amd64")):
        config = dict(config, config={"Cmd": [command]}, architecture=machine)
        found[name] = image.put(MANIFEST, dict(image.manifest, config=image.put(CONFIG, config)))
    found["inner"] = image.put(INDEX, {"schemaVersion": 2, "manifests": [found["other"], found["b"]]})
    image.index["manifests"] = [dict(found["a"], annotations={TAG: "one"}), dict(found["inner"], annotations={TAG: "two"})]
    image.files["index.json"] = json.dumps(image.index).encode()
    getattr(image, write)(path)
    return {name: descriptor["digest"] for name, descriptor in found.items()}


@case()
def image_by_digest(context):
    """A manifest's, wherever it stands, or an index's; it has to be for this machine, and of the tag, if there is one."""
    own_cache(context)

    def program(reference):
        directory = context.path("baked")
        context.smk("bake", reference, directory).expect(0)
        with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
            args = json.load(file)["process"]["args"]
        shutil.rmtree(directory)
        return args[0]

    for write in ("layout", "archive"):
        path = context.path(write)
        digests = family(path, write)
        for name, wanted in (("a", "/bin/a"), ("b", "/bin/b"), ("inner", "/bin/b")):
            check_equal(program(f"{path}@{digests[name]}"), wanted, f"{write}: the program of {name}")
        check_equal(program(f"{path}:two@{digests['b']}"), "/bin/b", "the program of a tag and a digest")
        for reference, reason in ((f"{path}:one@{digests['b']}", "has no image sha256:"),
                                  (f"{path}@sha256:{'0' * 64}", "has no image sha256:000000000000..."),
                                  (f"{path}@{digests['other']}", "has no image for linux/arm64, only linux/amd64"),
                                  (f"{path}@{digests['a'][:-1]}", "No such file"),
                                  (f"{path}@{digests['a'][:-1]}x", "No such file"),
                                  (path, "more than one image")):
            context.smk("bake", reference, context.path("baked")).expect_line(125, "smk: ", reason)
    path = saved()(context.path("saved"))
    context.smk("bake", f"{path}@sha256:{'0' * 64}", context.path("baked")).expect_line(
        125, "smk: ", "a digest chooses in an OCI layout")
    named = Image([layer(GOOD)]).layout(context.path("there@sha256:" + "0" * 64))
    check_equal(program(named), "/bin/hello", "the program of a directory with such a name")


@case()
def user_with_an_empty_part(context):
    """As if that part had not been given; as long as any that is allowed, and one byte more."""
    own_cache(context)
    image = Image([layer(GOOD)]).layout(context.path("image"))
    longest = "u" * 256
    for user, wanted in (("web:", "web"), (":web", "0:web"), (longest[1:] + ":", longest[1:]),
                         (":" + longest[1:], "0:" + longest[1:]), (longest + ":", ""), (longest, longest)):
        result = context.smk("bake", "--user", user, image, context.path("baked"))
        if not wanted or len(wanted) > 256:
            result.expect_line(125, "smk: ", "dev.supermachine.user: must be USER or USER:GROUP")
            continue
        result.expect(0)
        with open(context.path("baked", "config.json"), encoding="utf-8") as file:
            check_equal(json.load(file)["annotations"]["dev.supermachine.user"], wanted, f"user of {user[:9]}")
        shutil.rmtree(context.path("baked"))
