#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds-message.sh DIRECTORY: one message of each kind as fuzzing seeds.
set -eu
seed() {
    printf '%s' "$2" >"$dir/$1"
}
dir=$1
seed hello '{"type":"hello","version":1,"init":"0.1","timings":{"main":1,"plan":18446744073709551615}}'
seed started '{"type":"started","pid":2}'
seed error '{"type":"error","text":"a\u0000b\ud83d\ude00"}'
seed exit '{"type":"exit","phase":"run","code":7,"signal":9,"coreDumped":true,"oomKilled":false,"failure":{"stage":"spawn","code":127,"errno":2,"field":"/process/args/0","path":"/x","op":"execve","why":""},"timings":{"exit":5},"userMicroseconds":1,"systemMicroseconds":2,"maxRssBytes":3,"droppedBytes":4}'
seed signal '{"type":"signal","signal":15}'
seed resize '{"type":"resize","rows":24,"columns":80}'
