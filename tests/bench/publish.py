#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""publish.py BENCH.JSON DOCS: writes docs/bench.md and docs/boot-timeline.svg from a real run.

The picture: one bar from kernel entry to the entrypoint, and below it the part that is init-oci, enlarged, with
the stages of its flight recorder. Virtual milliseconds: one guest instruction is one nanosecond."""
import json
import os
import sys

WIDTH, LEFT, BAR, GAP = 860, 20, 44, 70
COLOURS = {"kernel": "#4c6ef5", "init": "#12b886", "bootargs": "#868e96", "discover": "#fab005",
           "parse": "#fd7e14", "plan": "#e64980", "apply": "#12b886", "spawn": "#228be6"}


def bar(x, y, width, label, value, colour):
    """One segment: its name and figure inside when there is room, else above the bar."""
    text = f"{label} {value:.2f} ms"
    inside = width > 8.2 * len(text)
    parts = [f'<rect x="{x:.1f}" y="{y}" width="{max(width, 1):.1f}" height="{BAR}" fill="{colour}"/>']
    if inside:
        parts.append(f'<text x="{x + width / 2:.1f}" y="{y + BAR / 2 + 5}" fill="#fff" '
                     f'text-anchor="middle">{text}</text>')
    return parts, None if inside else text


def row(y, segments, total):
    parts, legend, x = [], [], LEFT
    for label, value in segments:
        width = value / total * (WIDTH - 2 * LEFT)
        drawn, outside = bar(x, y, width, label, value, COLOURS[label])
        parts += drawn
        if outside:
            legend.append((COLOURS[label], outside))
        x += width
    x = LEFT
    for colour, text in legend:
        parts.append(f'<rect x="{x}" y="{y + BAR + 8}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15}" y="{y + BAR + 17}">{text}</text>')
        x += 30 + 8 * len(text)
    return parts


def write_picture(bench, target):
    values = {entry["name"]: entry["value"] for entry in bench["rows"]}
    kernel = values["kernel entry to PID 1's main, 1 vCPU"]
    init = values["PID 1's main to the entrypoint's main, 1 vCPU"]
    stages = list(bench["stages_ms"].items())
    spent = sum(value for _, value in stages)
    parts = [f'<text x="{LEFT}" y="24">kernel entry to the entrypoint: {kernel + init:.1f} virtual ms '
             '(1 vCPU, one guest instruction = 1 ns)</text>']
    parts += row(36, [("kernel", kernel), ("init", init)], kernel + init)
    parts.append(f'<text x="{LEFT}" y="{36 + BAR + GAP - 16}">init-oci, enlarged</text>')
    parts += row(36 + BAR + GAP, stages, spent)
    height = 36 + 2 * BAR + GAP + 34
    with open(target, "w") as stream:
        stream.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
                     'font-family="sans-serif" font-size="14">\n'
                     f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
                     + "\n".join(parts) + "\n</svg>\n")


def write_table(bench, target):
    lines = ["# Bench", "", "Written by `make bench-publish` from a run of `make bench`; what is counted and how stands in",
             "[testing](testing.md#boot-cost). Wall times are those of the machine of that run.", "",
             "| what | value | unit | budget |", "|---|---:|---|---:|"]
    for row in bench["rows"]:
        budget = ""
        if row["at_most"] is not None:
            budget = f"<= {row['at_most']:g}"
        elif row["at_least"] is not None:
            budget = f">= {row['at_least']:g}"
        lines.append(f"| {row['name'].strip()} | {row['value']:.2f} | {row['unit']} | {budget} |")
    with open(target, "w") as stream:
        stream.write("\n".join(lines) + "\n")


def main():
    source, docs = sys.argv[1:3]
    with open(source) as stream:
        bench = json.load(stream)
    write_picture(bench, os.path.join(docs, "boot-timeline.svg"))
    write_table(bench, os.path.join(docs, "bench.md"))


if __name__ == "__main__":
    main()
