#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# image.sh NAME: makes the OCI image build/images/NAME, a layout directory, of the fixture NAME, in the
# form that people know from registries.
#
# Its layers are the fixture `base` and what NAME has that base has not. What the image says (entrypoint,
# user, volumes, stop signal) is the recipe's image(), which calls `says` with options of umoci config.
# Where it has /usr/local/bin/client, the tag `client` is the same image with one layer more, whose
# entrypoint starts the client beside the server: it waits for an answer and prints it, so that what was
# answered inside can be read outside.
#
# As with build.sh, two builds of the same packages are equal, and a stamp makes a second call do
# nothing. Needs root, for the owners. SMK_IMAGES names another directory (the tests use it).
set -eu
umask 022
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
fixtures=$top/build/fixtures
images=${SMK_IMAGES:-$top/build/images}
epoch=2023-11-14T22:13:20Z # build.sh's

die() {
    echo "rootfs-fixtures: $*" >&2
    exit 1
}

key() {
    cat "$here/image.sh" "$fixtures/base/.stamp" "$fixtures/$name/.stamp" | sha256sum | cut -d' ' -f1
}

# A directory becomes the next layer of the tag.
add_layer() {
    umoci insert --history.created $epoch --image "$new:$1" "$2" /
}

configure() {
    umoci config --created $epoch --history.created $epoch --os linux --architecture arm64 --image "$new:$1" "${@:2}"
}

says() {
    configure latest --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# What the fixture has, without the files that base has just so.
service_tree() {
    rsync -aHXc --compare-dest="$fixtures/base/rootfs/" "$fixtures/$name/rootfs/" "$1/"
}

# The image's entrypoint, if it has one, and its command become the arguments of with-client.
add_client() {
    local words=(--config.entrypoint with-client) word
    mkdir -p "$1/usr/local/bin"
    printf '#!/bin/sh\nclient &\nexec "$@"\n' >"$1/usr/local/bin/with-client"
    chmod 755 "$1/usr/local/bin/with-client"
    find "$1" -exec touch -h -d $epoch {} +
    while IFS= read -r word; do
        words+=(--config.entrypoint "$word")
    done < <(skopeo inspect --config "oci:$new:latest" | jq -r '.config.Entrypoint // [] | .[]')
    umoci tag --image "$new:latest" client
    add_layer client "$1"
    configure client "${words[@]}"
}

[ $# = 1 ] || die "usage: image.sh NAME"
name=$1
[ -r "$here/$name.sh" ] || die "no recipe $here/$name.sh"
# shellcheck source=/dev/null
. "$here/$name.sh"
[ "$(type -t image)" = function ] || die "$name: the recipe says nothing of an image"

mkdir -p "$images"
exec 9>"$images/.lock-$name"
flock 9
stamp=$images/$name.stamp
if [ "$(cat "$stamp" 2>/dev/null)" = "$(key)" ]; then
    touch "$stamp"
    exit 0
fi
[ "$(id -u)" = 0 ] || die "$name: the image has files of several owners: run as root"

echo "rootfs-fixtures: making image $name"
new=$images/.new-$name
rm -rf "$new" "$new.tree"
mkdir -p "$new.tree"
umoci init --layout "$new"
umoci new --image "$new:latest"
add_layer latest "$fixtures/base/rootfs"
service_tree "$new.tree/service"
add_layer latest "$new.tree/service"
image
[ ! -e "$fixtures/$name/rootfs/usr/local/bin/client" ] || add_client "$new.tree/client"
umoci gc --layout "$new"
rm -rf "$new.tree" "${images:?}/$name"
mv "$new" "$images/$name"
key >"$stamp"
