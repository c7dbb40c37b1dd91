#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""profile.py SYSTEM_MAP PROFILE [-n ROWS] [-c FUNCTION]: where the kernel's boot spends instructions.

PROFILE is what the TCG plugin profile.so wrote. Prints functions by instructions executed in them;
with -c, who calls FUNCTION and how often. Code that runs before the MMU is on (physical addresses)
is resolved with the load address of QEMU's virt machine (0x40200000)."""
import argparse
import bisect
import collections

LOAD_ADDRESS = 0x40200000


def read_symbols(path):
    symbols = []
    text = None
    for line in open(path):
        address, kind, name = line.split()
        if name == "_text":
            text = int(address, 16)
        if kind in "tTwW" and not name.startswith("$"):
            symbols.append((int(address, 16), name))
    symbols.sort()
    return text, symbols


class Resolver:
    def __init__(self, path):
        self.text, self.symbols = read_symbols(path)
        self.addresses = [address for address, _ in self.symbols]

    def name(self, address):
        if LOAD_ADDRESS <= address < LOAD_ADDRESS + (64 << 20):
            address += self.text - LOAD_ADDRESS
        if address < self.text:
            return "[user]" if address < 1 << 48 else "[other]"
        index = bisect.bisect_right(self.addresses, address) - 1
        return self.symbols[index][1] if index >= 0 else "[other]"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("system_map")
    parser.add_argument("profile")
    parser.add_argument("-n", type=int, default=60)
    parser.add_argument("-c", action="append", default=[])
    options = parser.parse_args()
    resolver = Resolver(options.system_map)
    cost = collections.Counter()
    callers = collections.defaultdict(collections.Counter)
    entries = collections.Counter()
    for line in open(options.profile):
        words = line.split()
        if words[0] == "call":
            source, target, count = int(words[1], 16), int(words[2], 16), int(words[3])
            function = resolver.name(target)
            if resolver.name(source) != function:
                entries[function] += count
                callers[function][resolver.name(source)] += count
        else:
            cost[resolver.name(int(words[0], 16))] += int(words[1]) * int(words[2])
    total = sum(cost.values())
    print(f"{total:12} total")
    for function, count in cost.most_common(options.n):
        print(f"{count:12} {100 * count / total:5.1f}% {entries[function]:9} {function}")
    for function in options.c:
        print(f"\n{function}: entered from")
        for caller, count in callers[function].most_common(20):
            print(f"{count:12} {caller}")


if __name__ == "__main__":
    main()
