# SPDX-License-Identifier: Apache-2.0
"""Images that lie, escape or explode: each ends in one line and exit code 125, nothing is written but
into the cache, and there no temporary file stays."""

import gzip
import json
import os
import tarfile

from harness import Failure, case, check, check_equal
from host_case import fake_qemu, leftovers, own_cache
from image_builder import (CONFIG, INDEX, LAYER, MANIFEST, Image, digest, docker_archive, entry, folder, hardlink,
                           layer, symlink, tar, zstd)

HELLO = entry("bin/hello", data=b"#!/bin/sh\n", mode=0o755)
GOOD = tar(HELLO)
OTHER = "sha256:" + "0" * 64
TAG = "org.opencontainers.image.ref.name"


def listing(directory, without):
    """Every file below, but for some directories: type, mode, size, time."""
    found = {}
    for top, folders, files in os.walk(directory):
        folders[:] = [f for f in folders if os.path.join(top, f) not in without]
        for name in folders + files:
            st = os.lstat(os.path.join(top, name))
            found[os.path.join(top, name)] = (st.st_mode, st.st_size, st.st_mtime_ns, st.st_uid)
    return found


def refused(context, reference, parts, options=()):
    cache = context.path("cache")
    outside = [cache, context.env["TMPDIR"]]
    before = listing(context.dir, outside), sorted(os.listdir("/")), sorted(os.listdir(os.getcwd()))
    result = context.smk("run", *options, reference)
    try:
        check(len(result.errors) < 1000, "a long line")
        result.expect_line(125, "smk: ", *parts)
        check_equal((listing(context.dir, outside), sorted(os.listdir("/")), sorted(os.listdir(os.getcwd()))), before,
                    "what is outside of the cache")
        left = [n for n in listing(cache, ()) if "tmp" in os.path.basename(n) or "lock" in os.path.basename(n)]
        check_equal(left, [], "temporary files in the cache")
        check_equal(leftovers(context), [], "temporary files")
        check(not os.path.exists(context.path("argv.json")), "QEMU was started")
    except Failure as failure:
        return f"{os.path.basename(reference)}: {failure}"
    return None


def all_refused(context, rows):
    """name -> (a function of a path that writes an image there, parts of the line, options)"""
    fake_qemu(context, "warning")
    own_cache(context)
    os.makedirs(context.path("cache"))
    wrong = [refused(context, write(context.path(name.replace(" ", "-"))), parts, options)
             for name, (write, parts, *options) in rows.items()]
    check(not any(wrong), "; ".join(filter(None, wrong)))


def lying(layers=None, files=None, tag="", **changes):
    """An image whose documents are changed; files: changes its files when all are made."""
    def write(path):
        image = Image(layers if layers is not None else [layer(GOOD)], **changes)
        if files:
            files(image)
        return image.layout(path) + tag
    return write


def one_layer(*entries, form=tarfile.PAX_FORMAT):
    return lambda path: Image([layer(tar(HELLO, *entries, form=form))]).layout(path)


def packed(data, stream=GOOD, packing="+gzip"):
    return lambda path: Image([layer(stream, packing, packed=data)]).layout(path)


def cut_tar(length):
    """A header, 9000 bytes in 18 blocks, a header, ..."""
    return lambda path: Image([layer(tar(entry("a", data=b"x" * 9000), entry("b"))[:length])]).layout(path)


def put(*path, value):
    """A change: document[path...] = value."""
    def change(document):
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value
    return change


def drop(*path):
    def change(document):
        for key in path[:-1]:
            document = document[key]
        del document[path[-1]]
    return change


def damage(which, how):
    """Changes the bytes of a blob of the manifest: "config", or the number of a layer."""
    def change(image):
        descriptor = image.manifest["config"] if which == "config" else image.manifest["layers"][which]
        name = image.blob_of(descriptor)
        image.files[name] = how(image.files[name])
    return change


def missing(which):
    def change(image):
        descriptor = {"manifest": image.index["manifests"][0], "config": image.manifest["config"],
                      "layer": image.manifest["layers"][0]}[which]
        del image.files[image.blob_of(descriptor)]
    return change


def config_is(data):
    """A configuration of any bytes, whose digest is right."""
    def change(image):
        image.manifest["config"] = image.put(CONFIG, data)
        image.index["manifests"][0].update(image.put(MANIFEST, image.manifest))
        image.files["index.json"] = json.dumps(image.index).encode()
    return change


def file_is(name, data):
    return lambda image: image.files.update({name: data})


DOCUMENTS = {
    "manifest of another digest": (lying(index=put("manifests", 0, "digest", value=OTHER)), ["000000", "No such file"]),
    "manifest of another size": (lying(index=put("manifests", 0, "size", value=7)), ["more than 7 bytes"]),
    "manifest is shorter": (lying(index=put("manifests", 0, "size", value=70000)), ["not 70000 as is said of it"]),
    "manifest of a huge size": (lying(index=put("manifests", 0, "size", value=2 ** 63)), ["at most 4194304 bytes"]),
    "size is negative": (lying(index=put("manifests", 0, "size", value=-1)), ["/manifests/0/size", "must be an integer"]),
    "digest escapes": (lying(index=put("manifests", 0, "digest", value="sha256:../../../../etc/passwd")),
                       ["/manifests/0/digest", "64 lower-case digits"]),
    "digest of sha512": (lying(index=put("manifests", 0, "digest", value="sha512:" + 128 * "a")), ["sha256 digests only"]),
    "layer's digest of sha512": (lying(manifest=put("layers", 0, "digest", value="sha512:" + 128 * "a")),
                                 ["sha256 digests only"]),
    "no manifest blob": (lying(files=missing("manifest")), ["No such file"]),
    "no config blob": (lying(files=missing("config")), ["No such file"]),
    "no layer blob": (lying(files=missing("layer")), ["No such file"]),
    "config of other bytes": (lying(files=damage("config", lambda data: data.replace(b"hello", b"jello"))),
                              ["is not what its digest says"]),
    "config is empty": (lying(files=config_is(b"")), ["expected an object"]),
    "config is an empty object": (lying(files=config_is({})), ["/os", "must be given"]),
    "config is no JSON": (lying(files=config_is(b"\x7fELF")), ["expected an object"]),
    "config is an array": (lying(files=config_is([])), ["expected an object"]),
    "config of another kind": (lying(manifest=put("config", "mediaType", value="application/x")),
                               ["for linux/arm64, only an artifact"]),
    "config has no rootfs": (lying(config=drop("rootfs")), ["/rootfs", "must be given"]),
    "config runs nothing": (lying(config=drop("config")), ["neither Entrypoint nor Cmd"]),
    "one diff id too many": (lying(config=put("rootfs", "diff_ids", value=[digest(GOOD), OTHER])),
                             ["has 1 layers", "2 diff_ids"]),
    "no layers": (lying([]), ["has no layers"]),
    "another diff id": (lying(config=put("rootfs", "diff_ids", value=[OTHER])), ["unpacked it is sha256:"]),
    "index is empty": (lying(index=put("manifests", value=[])), ["has no image in it"]),
    "index of schema 1": (lying(index=put("schemaVersion", value=1)), ["must be 2, not 1"]),
    "index is no JSON": (lying(files=file_is("index.json", b"{")), ["index.json"]),
    "index is nested deeply": (lying(files=file_is("index.json", b'{"a":' + b"[" * 100000)), ["nested too deeply"]),
    "index is huge": (lying(files=file_is("index.json", b" " * (5 << 20))), ["at most 4194304 bytes"]),
    "manifest called an index": (lying(index=put("manifests", 0, "mediaType", value=INDEX)), ["not for a document of this kind"]),
    "manifest calls itself an index": (lying(manifest=put("mediaType", value=INDEX)),
                                       ["/mediaType", "must be an image manifest's"]),
    "index calls itself a manifest": (lying(index=put("mediaType", value=MANIFEST)), ["/mediaType", "must be an image index's"]),
    "manifest has manifests": (lying(manifest=put("manifests", value=[])), ["/manifests", "not for a document of this kind"]),
    "index has layers": (lying(index=put("layers", value=[])), ["/layers", "not for a document of this kind"]),
    "layout of another version": (lying(files=file_is("oci-layout", b'{"imageLayoutVersion":"2.0.0"}')), ["must be 1.0.0"]),
    "layout is no JSON": (lying(files=file_is("oci-layout", b"xx")), ["oci-layout"]),
    "config of another platform than the index says": (
        lying(config=put("architecture", value="amd64"),
              index=put("manifests", 0, "platform", value={"os": "linux", "architecture": "arm64"})), ["only linux/amd64"]),
    "artifact said to be ours": (lying(manifest=put("config", "mediaType", value="application/x"),
                                       index=put("manifests", 0, "platform",
                                                 value={"os": "linux", "architecture": "arm64"})),
                                 ["no container image: its configuration is application/x"]),
    "platform amd64": (lying(config=put("architecture", value="amd64")), ["only linux/amd64"]),
    "unknown tag": (lying(tag=":other"), ["has no tag other", "only latest"]),
    "tag where none is": (lying(tag=":other", **{"index": drop("manifests", 0, "annotations")}),
                          ["images without one"]),
}


@case(timeout=240)
def image_documents_that_lie(context):
    all_refused(context, DOCUMENTS)


def typed(kind):
    return lying(manifest=put("layers", 0, "mediaType", value=kind))


BLOBS = {
    "layer of other bytes": (lying(files=damage(0, lambda data: data[:-1] + b"x")), ["is not what its digest says"]),
    "layer is longer": (lying(files=damage(0, lambda data: data + b"x")), ["has more than"]),
    "layer is shorter": (lying(files=damage(0, lambda data: data[:-512])), ["as is said of it"]),
    "layer of a wrong size": (lying(manifest=put("layers", 0, "size", value=3)), ["has more than 3 bytes"]),
    "layer is foreign": (typed("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"), ["fetched from elsewhere"]),
    "layer is Docker's foreign": (typed("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
                                  ["fetched from elsewhere"]),
    "layer is encrypted": (typed(LAYER + "+gzip+encrypted"), ["an encrypted layer"]),
    "layer is unknown": (typed(LAYER + "+xz"), ["no layer that smk knows"]),
    "layer is a manifest": (typed(MANIFEST), ["no layer that smk knows"]),
    "layer is empty": (packed(b"", stream=b""), ["the layer is empty"]),
    "gzip is cut": (packed(gzip.compress(GOOD)[:-40]), [""]),
    "gzip's end is cut": (packed(gzip.compress(GOOD)[:-3]), [""]),
    "gzip is damaged": (packed(gzip.compress(GOOD)[:30] + b"\0\0\0\0" + gzip.compress(GOOD)[34:]), [""]),
    "zstd is cut": (packed(zstd(GOOD)[:-9], packing="+zstd"), [""]),
    "tar is cut": (cut_tar(4096), [""]),
    "tar's last byte of a file is cut": (cut_tar(512 + 8999), [""]),
    "tar is cut in a header": (cut_tar(512 + 9216 + 511), [""]),
    "tar's header is wrong": (lambda path: Image([layer(b"x" * 10240)]).layout(path), [""]),
    "other bytes after the tar": (packed(gzip.compress(GOOD + b"more" * 128)), ["unpacked it is sha256:"]),
    "bytes after a gzip": (packed(gzip.compress(GOOD) + b"more"), ["has 4 bytes behind the compressed layer"]),
    "zeros after a gzip": (packed(gzip.compress(GOOD) + bytes(700000)), ["has 700000 bytes behind the compressed layer"]),
    "bytes after a gzip of nothing": (packed(gzip.compress(b"") + b"more", stream=b""),
                                      ["has 4 bytes behind the compressed layer"]),
    "bytes after a zstd": (packed(zstd(GOOD) + b"more", packing="+zstd"), [""]),
    "gzip in gzip": (packed(gzip.compress(gzip.compress(GOOD))), ["compressed twice"]),
    "zstd in gzip": (packed(gzip.compress(zstd(GOOD))), ["compressed twice"]),
    "gzip in zstd": (packed(zstd(gzip.compress(GOOD)), packing="+zstd"), ["compressed twice"]),
    "gzip bomb in gzip": (packed(gzip.compress(gzip.compress(GOOD) + gzip.compress(b"") * (1 << 20))),
                          ["compressed twice"], "--max-layer-size", "1M"),
    "gzip bomb": (packed(gzip.compress(bytes(64 << 20)), stream=bytes(64 << 20)),
                  ["more than 8 MiB unpacked: see --max-layer-size"], "--max-layer-size", "8M"),
    "gzip bomb of a file": (lambda path: Image([layer(tar(entry("a", data=bytes(32 << 20))), "+gzip")]).layout(path),
                            ["more than 8 MiB unpacked: see --max-layer-size"], "--max-layer-size", "8M"),
    "bomb of names": (lambda path: Image([layer(tar(*(entry(str(i)) for i in range(20000))), "+gzip")]).layout(path),
                      ["more than 8 MiB unpacked: see --max-layer-size"], "--max-layer-size", "8M"),
    "more than 1K": (lambda path: Image([layer(GOOD)]).layout(path),
                     ["more than 1 KiB unpacked: see --max-layer-size"], "--max-layer-size", "1K"),
}


@case(timeout=240)
def image_blobs_that_lie(context):
    all_refused(context, BLOBS)
    # The others of an image's layers are in the works when one turns out to be wrong.
    small = Image([layer(tar(entry("a", data=os.urandom(1 << 20)))), layer(tar(entry("b", data=b"x" * 9000))[:4096])])
    for options in (["--flatten"], ["--layer-fs", "erofs"], ["--flatten", "--layer-fs", "erofs"]):
        wrong = refused(context, small.layout(context.path("small")), ["Truncated tar archive"], options)
        check(not wrong, f"{options}: {wrong}")


def sparse(size):
    """A file of one byte that says it has more: GNU's sparse format 1.0, in pax headers."""
    info, _ = entry("GNUSparseFile.0/a")
    data = f"1\n{size - 1}\n1\n".encode().ljust(512, b"\0") + b"x"
    info.size = len(data)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a",
                        "GNU.sparse.realsize": str(size)}
    return info, data


STREAMS = {
    "sparse bomb": (one_layer(sparse(1 << 40)), ["more than 8 MiB unpacked"], "--max-layer-size", "8M"),
    "hard link to nowhere": (one_layer(hardlink("a", "nowhere")), ["a hard link to nowhere", "no file"]),
    "hard link to a directory": (one_layer(hardlink("a", "bin")), ["a hard link to a directory"]),
    "hard link to itself": (one_layer(hardlink("a", "a")), ["a hard link to a"]),
    "hard link out": (one_layer(hardlink("a", "../../../../../../etc/passwd")), ["a hard link to"]),
    "hard link to a hidden file": (lambda path: Image([layer(tar(HELLO, entry("k"))), layer(tar(
        entry(".wh.k"), hardlink("a", "k")))]).layout(path), ["a hard link to k, which is hidden"]),
    "root is opaque": (lambda path: Image([layer(GOOD), layer(tar(entry(".wh..wh..opq"), HELLO))]).layout(path),
                       ["hides all below it", "use --flatten"]),
    "link loop as a parent": (one_layer(symlink("l", "m"), symlink("m", "l"), entry("l/a")), ["Too many levels"]),
    "link to itself as a parent": (one_layer(symlink("l", "l"), entry("l/a")), ["Too many levels"]),
    "file as a parent": (one_layer(entry("bin/hello/a")), ["Not a directory"]),
    "name of 300 bytes": (one_layer(entry("n" * 300)), ["File name too long"]),
    "link to 5000 bytes": (one_layer(symlink("l", "t" * 5000)), ["without a sane target"]),
    "xattr of 70 KiB": (one_layer(entry("a", xattrs={"user.a": b"x" * 70000})), ["extended attributes are too large"]),
    "xattr of a long name": (one_layer(entry("a", xattrs={"user." + "a" * 300: b"x"})), ["extended attributes"]),
    "negative uid": (one_layer(entry("a", uid=-1), form=tarfile.GNU_FORMAT), ["its owner is not"]),
    "uid past 32 bits": (one_layer(entry("a", uid=1 << 33)), ["its owner is not a user or group id: 8589934592:0"]),
    "gid of no one": (one_layer(entry("a", gid=(1 << 32) - 1)), ["its owner is not"]),
    "whiteout of nothing": (one_layer(entry("bin/.wh.")), ["a whiteout of nothing"]),
    "whiteout of the parent": (one_layer(entry("bin/.wh...")), ["a whiteout of nothing"]),
    "root is a file": (one_layer(entry(".")), ["the layer's root must be a directory"]),
    "deep tree": (one_layer(entry("d/" * 1500 + "a")), ["deep"]),
}


@case(timeout=240)
def image_streams_that_escape(context):
    all_refused(context, STREAMS)


def nested(depth, fan=1):
    """Indexes in indexes, with a manifest at the end."""
    def change(image):
        found = image.index["manifests"]
        for level in range(depth):
            found = [image.put(INDEX, {"schemaVersion": 2, "manifests": found, "level": level * fan + i})
                     for i in range(fan)]
        image.index["manifests"] = found
        image.files["index.json"] = json.dumps(image.index).encode()
    return change


def cycle(image):
    """A digest cannot be known before what it is of: an index that names itself lies about it."""
    name = "blobs/sha256/" + OTHER[7:]
    found = {"mediaType": INDEX, "digest": OTHER, "size": 0}
    for _ in range(5):
        found["size"] = len(json.dumps({"schemaVersion": 2, "manifests": [found]}))
    image.files[name] = json.dumps({"schemaVersion": 2, "manifests": [found]}).encode()
    image.files["index.json"] = image.files[name]


def twice(image):
    second = dict(image.manifest, annotations={"second": "yes"})
    image.index["manifests"].append(dict(image.put(MANIFEST, second), annotations={TAG: "other"}))
    image.files["index.json"] = json.dumps(image.index).encode()


def platforms(*names):
    def change(image):
        found = image.index["manifests"][0]
        image.index["manifests"] = [dict(found, platform=dict(zip(("os", "architecture", "variant"), n.split("/"))))
                                    for n in names]
        image.files["index.json"] = json.dumps(image.index).encode()
    return change


def special(make):
    """A layout whose layer's blob is replaced by something else in the file system."""
    def write(path):
        image = Image([layer(GOOD)])
        image.layout(path)
        blob = os.path.join(path, image.blob_of(image.manifest["layers"][0]))
        os.rename(blob, path + ".outside")
        make(blob, path + ".outside")
        return path
    return write


INDEXES = {
    "index in a cycle": (lying(files=cycle), ["is not what its digest says"]),
    "ten indexes deep": (lying(files=nested(10)), ["indexes within indexes without end"]),
    "300 indexes": (lying(files=nested(1, 300)), ["indexes within indexes without end"]),
    "two images": (lying(files=twice), ["more than one image", "latest, other"]),
    "other platforms": (lying(files=platforms("linux/amd64", "linux/arm/v7", "windows/amd64")),
                        ["only linux/amd64, linux/arm/v7, windows/amd64"]),
    "blob is a FIFO": (special(lambda blob, outside: os.mkfifo(blob)), ["not a regular file"]),
    "blob is a directory": (special(lambda blob, outside: os.mkdir(blob)), ["not a regular file"]),
    "blob is a link out": (special(lambda blob, outside: os.symlink(outside, blob)), ["Invalid cross-device link"]),
    "blob is a relative link out": (special(lambda blob, outside: os.symlink("../../../" + os.path.basename(outside), blob)),
                                    ["Invalid cross-device link"]),
    "blob is a device": (special(lambda blob, outside: os.mknod(blob, 0o20644, os.makedev(1, 5))), ["not a regular file"]),
}


@case(timeout=240)
def image_indexes_and_files_that_lie(context):
    all_refused(context, INDEXES)


def saved(change=None, layers=None, more=(), config=None):
    return lambda path: docker_archive(path, layers or [layer(GOOD)], config, change, more)


ARCHIVES = {
    "archive of nothing": (lambda path: raw(path, tar(entry("a"))), ["oci-layout or manifest.json"]),
    "archive that is none": (lambda path: raw(path, b"#!/bin/sh\n"), [""]),
    "archive is empty": (lambda path: raw(path, b""), [""]),
    "archive is cut": (lambda path: raw(path, open(Image([layer(GOOD)]).archive(path + ".whole"), "rb").read()[:2000]), [""]),
    "saved config escapes": (saved(put(0, "Config", value="../../../../etc/passwd")), ["No such file"]),
    "saved layer escapes": (saved(put(0, "Layers", value=["/etc/passwd"])), ["No such file"]),
    "saved layer is a link out": (saved(put(0, "Layers", value=["l"]), more=[symlink("l", "/etc/passwd")]),
                                  ["No such file"]),
    "saved layer links in a circle": (saved(put(0, "Layers", value=["l"]), more=[symlink("l", "m"), symlink("m", "l")]),
                                      ["Too many levels"]),
    "saved layer is a FIFO": (saved(put(0, "Layers", value=["l"]), more=[entry("l", tarfile.FIFOTYPE)]),
                              ["Invalid argument"]),
    "saved layer lies": (saved(config=put("rootfs", "diff_ids", value=[OTHER])), ["unpacked it is sha256:"]),
    "saved layer is missing": (saved(put(0, "Layers", value=[])), ["has 0 layers"]),
    "saved for amd64": (saved(config=put("architecture", value="amd64")), ["only linux/amd64"]),
    "saved are two": (saved(lambda document: document.append(dict(document[0], RepoTags=["b:c"]))),
                      ["more than one image", "made/by-hand:latest, b:c"]),
    "saved are none": (saved(lambda document: document.clear()), ["has no image in it"]),
}


def raw(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


@case(timeout=240)
def image_archives_that_lie(context):
    all_refused(context, ARCHIVES)
