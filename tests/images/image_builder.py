# SPDX-License-Identifier: Apache-2.0
"""Images made by hand: layers from lists of tar entries, in layouts and in archives; each document can
be changed before it is written, so that it lies."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
TIME = 1500000000


def entry(name, kind=tarfile.REGTYPE, data=b"", xattrs=None, **members):
    """One entry; members are tarfile's: mode, uid, gid, mtime, linkname, devmajor, devminor."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = kind, len(data), TIME
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in members.items():
        setattr(info, key, value)
    for key, value in (xattrs or {}).items():
        info.pax_headers["SCHILY.xattr." + key] = value.decode("utf-8", "surrogateescape")
    return info, data


def folder(name, **members):
    return entry(name, tarfile.DIRTYPE, **members)


def symlink(name, target, **members):
    return entry(name, tarfile.SYMTYPE, linkname=target, **members)


def hardlink(name, target):
    return entry(name, tarfile.LNKTYPE, linkname=target)


def tar(*entries, form=tarfile.PAX_FORMAT):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form, errors="surrogateescape") as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


PACKERS = {"": bytes, "+gzip": lambda data: gzip.compress(data, mtime=0), "+zstd": zstd}


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(stream, packing="", **members):
    """A layer as an image takes it; packed: other bytes in place of the compressed stream."""
    return {"packed": PACKERS[packing](stream), "type": LAYER + packing, "diff": digest(stream), **members}


class Image:
    """The files of an OCI layout, by name. Each change gets a document before it is written."""

    def __init__(self, layers, config=None, manifest=None, index=None, tag="latest"):
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
        self.config = {"os": "linux", "architecture": "arm64", "config": {"Cmd": ["/bin/hello"]},
                       "rootfs": {"type": "layers", "diff_ids": [one["diff"] for one in layers]}}
        self.change(self.config, config)
        self.manifest = {"schemaVersion": 2, "config": self.put(CONFIG, self.config),
                         "layers": [self.put(one["type"], one["packed"]) for one in layers]}
        self.change(self.manifest, manifest)
        found = self.put(MANIFEST, self.manifest)
        if tag:
            found["annotations"] = {"org.opencontainers.image.ref.name": tag}
        self.index = {"schemaVersion": 2, "manifests": [found]}
        self.change(self.index, index)
        self.files["index.json"] = json.dumps(self.index).encode()

    def change(self, document, how):
        if how:
            how(document)

    def put(self, kind, content):
        """A blob; its descriptor."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.files["blobs/sha256/" + digest(data)[7:]] = data
        return {"mediaType": kind, "digest": digest(data), "size": len(data)}

    def blob_of(self, descriptor):
        return "blobs/sha256/" + descriptor["digest"][7:]

    def layout(self, directory):
        for name, data in self.files.items():
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
        return directory

    def archive(self, path):
        with open(path, "wb") as file:
            file.write(tar(*(entry(name, data=data) for name, data in self.files.items())))
        return path


def docker_archive(path, layers, config=None, saved=None, more=()):
    """As `docker save` writes it; saved: changes manifest.json; more: further entries."""
    image = Image(layers, config)
    text = json.dumps(image.config).encode()
    name = digest(text)[7:] + ".json"
    manifest = [{"Config": name, "RepoTags": ["made/by-hand:latest"],
                 "Layers": [f"{i}/layer.tar" for i in range(len(layers))]}]
    if saved:
        saved(manifest)
    entries = [entry(f"{i}/layer.tar", data=one["packed"]) for i, one in enumerate(layers)]
    with open(path, "wb") as file:
        file.write(tar(*more, entry(name, data=text), *entries,
                       entry("manifest.json", data=json.dumps(manifest).encode())))
    return path
