# SPDX-License-Identifier: Apache-2.0
"""An image of ten layers: converted by smk, and by umoci and mksquashfs, side by side, cold; and a run with a
warm cache beside the run of a bundle of the same files."""
import gzip
import hashlib
import io
import json
import os
import shutil
import statistics
import subprocess
import tarfile
import tempfile
import time

LAYERS = 10
TURNS = 5
WARM_TURNS = 15


def blob(layout, data, kind):
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(layout, "blobs", "sha256", digest), "wb") as file:
        file.write(data)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": "sha256:" + digest, "size": len(data)}


def paths_of(root):
    """Files and links, in order; directories come with what is in them."""
    found = []
    for where, folders, files in os.walk(root):
        folders.sort()
        links = [n for n in folders if os.path.islink(os.path.join(where, n))]
        found += [os.path.relpath(os.path.join(where, n), root) for n in sorted(files + links)]
    return found


def layer_of(root, paths):
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w", format=tarfile.PAX_FORMAT) as tar:
        seen = set()
        for path in paths:
            parents = path.split("/")[:-1]
            for i in range(1, len(parents) + 1):
                parent = "/".join(parents[:i])
                if parent not in seen:
                    seen.add(parent)
                    tar.add(os.path.join(root, parent), parent, recursive=False)
            tar.add(os.path.join(root, path), path, recursive=False)
    return text.getvalue()


def make_image(root, layout, args):
    os.makedirs(os.path.join(layout, "blobs", "sha256"))
    paths = paths_of(root)
    streams = [layer_of(root, paths[i::LAYERS]) for i in range(LAYERS)]
    config = {"os": "linux", "architecture": "arm64", "config": {"Cmd": args},
              "rootfs": {"type": "layers",
                         "diff_ids": ["sha256:" + hashlib.sha256(s).hexdigest() for s in streams]}}
    manifest = {"schemaVersion": 2, "config": blob(layout, json.dumps(config).encode(), "config.v1+json"),
                "layers": [blob(layout, gzip.compress(s, 6), "layer.v1.tar+gzip") for s in streams]}
    entry = blob(layout, json.dumps(manifest).encode(), "manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": "a"}
    with open(os.path.join(layout, "index.json"), "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": [entry]}, file)
    with open(os.path.join(layout, "oci-layout"), "w", encoding="utf-8") as file:
        json.dump({"imageLayoutVersion": "1.0.0"}, file)


def timed(*command, env=None):
    begin = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=env)
    return (time.monotonic() - begin) * 1e3


def turn(smk, where):
    """One cold conversion of each kind, as far as images that QEMU could take. The kernel's cache, which is no part
    of an image, stays warm."""
    layout = os.path.join(where, "image")
    cache = os.path.join(where, "cache")
    unpacked, packed = os.path.join(where, "unpacked"), os.path.join(where, "packed")
    own = timed(smk, "run", "--print-vmm", layout, env=os.environ | {"XDG_CACHE_HOME": cache})
    other = timed("umoci", "unpack", "--image", layout + ":a", unpacked)
    other += timed("mksquashfs", os.path.join(unpacked, "rootfs"), packed, "-comp", "lz4", "-no-progress", "-quiet")
    shutil.rmtree(os.path.join(cache, "smk", "layers"))
    shutil.rmtree(unpacked)
    os.unlink(packed)
    return own, other


def bundle_of(smk, image, bundle, where):
    """A bundle with the same files and the image's own configuration: what is left to differ is the image."""
    made = os.path.join(where, "bundle")
    timed(smk, "bake", image, os.path.join(where, "baked"))
    os.makedirs(made)
    shutil.copy(os.path.join(where, "baked", "config.json"), made)
    shutil.copytree(os.path.join(bundle, "rootfs"), os.path.join(made, "rootfs"), symlinks=True)
    return made


def measure(smk, root, bundle):
    """(cold ms, the others' ms, ratio of the medians, warm image run over bundle run)."""
    with tempfile.TemporaryDirectory(prefix="bench-image") as where:
        with open(os.path.join(bundle, "config.json"), encoding="utf-8") as file:
            args = json.load(file)["process"]["args"]
        make_image(root, os.path.join(where, "image"), ["/bin/true"])
        small = os.path.join(where, "small")
        make_image(os.path.join(bundle, "rootfs"), small, args)
        bundle = bundle_of(smk, small, bundle, where)
        turns = [turn(smk, where) for _ in range(TURNS + 1)][1:]
        runs = []
        for _ in range(WARM_TURNS + 1):  # the first fills the caches
            runs.append((timed(smk, "run", small), timed(smk, "run", bundle)))
        own, other = (statistics.median(column) for column in zip(*turns))
        image, plain = (statistics.median(column) for column in zip(*runs[1:]))
        return own, other, other / own, image / plain
