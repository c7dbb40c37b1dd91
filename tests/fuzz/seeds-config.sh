#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds-config.sh DIRECTORY: the case directories' configurations as fuzzing seeds.
set -eu
for config in tests/cases/*/config.json; do
    name=${config%/config.json}
    cp "$config" "$1/${name##*/}"
done
