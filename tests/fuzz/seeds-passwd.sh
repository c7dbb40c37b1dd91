#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds-passwd.sh DIRECTORY: the user that is looked for, then a passwd file, good and bad ones.
set -eu
dir=$1
seed() {
    printf '%b' "$2" >"$dir/$1"
}
seed plain '1000\nroot:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n'
seed root '0\nroot:x:0:0:root:/root:/bin/sh'
seed empty-home '5\na:x:5:5::\nb:x:5:5::/second:\n'
seed short '5\na:x:5\na:x:5:5:gecos:/home'
seed odd '4294967295\na:x:+5:5::/a\nb:x:4294967295:5::/b\nc:x:04294967295:5::/c\n\n:::::\n'
seed nul '7\na:x:7:7:\0000:/a\0000b:\na:x:7:7::/c:\0000\n'
seed crlf '7\na:x:7:7::/home\r\n'
seed long "9\na:x:9:9::/$(printf '%0300d' 1):/bin/sh\na:x:9:9::/short:\n"
seed wraps '1000\na:x:18446744073709552616:5::/a\n'
