# SPDX-License-Identifier: Apache-2.0
"""Images as today's tools leave them: docker's two forms in one archive, compressed archives, buildx's attestations;
and as many layers as there may be, and the same bytes whoever bakes."""

import bz2
import gzip
import json
import lzma
import os

from case_image_bad import GOOD, platforms, put, saved
from harness import SMK, case, check_equal
from host_case import fake_qemu, own_cache
from image_builder import CONFIG, INDEX, MANIFEST, Image, digest, entry, layer, tar, zstd

NAME = "docker.io/library/x:1"


def docker_25(path, config=None):
    """`docker save` since 25: a layout, with the old manifest.json that names the layout's blobs."""
    image = Image([layer(GOOD)], config, tag="1")
    image.index["manifests"][0]["annotations"]["io.containerd.image.name"] = NAME
    image.files["index.json"] = json.dumps(image.index).encode()
    image.files["manifest.json"] = json.dumps([{
        "Config": image.blob_of(image.manifest["config"]), "RepoTags": ["x:1"],
        "Layers": [image.blob_of(one) for one in image.manifest["layers"]]}]).encode()
    return image.archive(path)


@case()
def image_of_docker_25(context):
    """By either form, and by the tag that both have."""
    fake_qemu(context, "warning")
    own_cache(context)
    path = docker_25(context.path("both"))
    for reference in (path, path + ":1", "oci-archive:" + path, "docker-archive:" + path, f"docker-archive:{path}:x:1"):
        context.smk("run", reference).expect(0)
    context.smk("run", f"docker-archive:{path}:2").expect_line(125, "smk: ", "has no tag 2, only x:1")
    context.smk("run", "oci:" + path).expect_line(125, "smk: ", "is of kind oci-archive, not oci")


PACKERS = {"gz": gzip.compress, "zst": zstd, "xz": lzma.compress, "bz2": bz2.compress}


@case()
def image_archives_that_are_compressed(context):
    """Both kinds, by what is in them and not by their names."""
    fake_qemu(context, "warning")
    own_cache(context)
    makers = {"oci": lambda path: Image([layer(GOOD)]).archive(path), "docker": saved()}
    for kind, write in makers.items():
        with open(write(context.path(kind)), "rb") as file:
            data = file.read()
        for packing, pack in PACKERS.items():
            path = context.path(f"{kind}-{packing}")
            with open(path, "wb") as file:
                file.write(pack(data))
            context.smk("run", path).expect(0)
            with open(path, "wb") as file:
                file.write(pack(data)[:len(pack(data)) // 3])
            context.smk("run", path).expect_line(125, "smk: ")


def attested(image):
    """buildx: an index in the index, and beside each image a manifest of what attests it, for no platform."""
    ours = dict(image.index["manifests"][0], platform={"os": "linux", "architecture": "arm64"})
    ours.pop("annotations")
    statement = image.put("application/vnd.in-toto+json", {"predicateType": "provenance"})
    config = image.put(CONFIG, {"os": "unknown", "architecture": "unknown",
                                "rootfs": {"type": "layers", "diff_ids": [statement["digest"]]}})
    manifest = image.put(MANIFEST, {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [statement]})
    attestation = dict(manifest, platform={"os": "unknown", "architecture": "unknown"}, annotations={
        "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": ours["digest"]})
    index = image.put(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [attestation, ours, attestation]})
    index["annotations"] = {"org.opencontainers.image.ref.name": "latest", "io.containerd.image.name": NAME}
    image.index["manifests"] = [index]
    image.files["index.json"] = json.dumps(image.index).encode()


@case()
def image_of_buildx(context):
    fake_qemu(context, "warning")
    own_cache(context)
    image = Image([layer(GOOD)])
    attested(image)
    for reference in (image.layout(context.path("layout")), image.archive(context.path("archive")) + ":latest"):
        context.smk("run", reference).expect(0)
    other = Image([layer(GOOD)], put("architecture", value="amd64"))
    platforms("linux/amd64", "unknown/unknown")(other)
    context.smk("run", other.layout(context.path("other"))).expect_line(
        125, "smk: ", "has no image for linux/arm64, only linux/amd64, unknown/unknown")


@case(timeout=120)
def image_of_too_many_layers(context):
    """One more than an overlay can have is refused before anything is converted; as one layer it boots."""
    fake_qemu(context, "warning")
    cache = own_cache(context)
    image = Image([layer(GOOD)] * 501).layout(context.path("image"))
    context.smk("run", image).expect_line(125, "smk: ", "/image: 501 layers: an overlay has at most 500: use --flatten")
    check_equal([n for _, _, names in os.walk(os.path.join(cache, "layers")) for n in names], [], "images in the cache")
    context.smk("run", "--flatten", image).expect(0)


def tree(directory):
    found = {}
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            found[name] = digest(file.read())
    return found


@case(timeout=120)
def image_baked_by_another_user(context):
    """Owners, modes and devices are the layers', not those of who makes the image, and neither are its bytes."""
    stream = tar(entry("bin/hello", mode=0o4755, uid=0), entry("a", uid=7, gid=8, mode=0o600),
                 entry("null", b"3", devmajor=1, devminor=3), entry("x", xattrs={"security.capability": b"\x01\0\0\x02" + b"\0" * 16}))
    image = Image([layer(GOOD), layer(stream, "+gzip")]).layout(context.path("image"))
    os.chmod(context.path(), 0o755)
    os.mkdir(context.path("theirs"))
    os.chown(context.path("theirs"), 1234, 1234)
    for system in ("squashfs", "erofs"):
        words = ["bake", "--verity", "--upper", "disk:8M", "--layer-fs", system, image]
        own_cache(context)
        context.smk(*words, context.path(system)).expect(0)
        context.env["XDG_CACHE_HOME"] = context.path("theirs", "cache")
        context.env["TMPDIR"] = context.path("theirs")
        context.run(["setpriv", "--reuid", "1234", "--regid", "1234", "--clear-groups", SMK, *words,
                     context.path("theirs", system)]).expect(0)
        check_equal(tree(context.path("theirs", system)), tree(context.path(system)), f"the files, with {system}")
