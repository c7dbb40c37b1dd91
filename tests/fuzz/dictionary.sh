#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# dictionary.sh SOURCE...: the short strings of C sources as a libFuzzer dictionary: the names of fields,
# options and values that a parser knows, which bytes turned at random do not find.
set -eu
grep -hv '^#include' -- "$@" | grep -oE '"[A-Za-z0-9_./:=,+-]{2,40}"' | LC_ALL=C sort -u
