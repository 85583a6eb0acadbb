#!/usr/bin/env python3
"""Where the multiply-adds of a training step go: each layer's share of the FMA peak (`make bench-layers`).

Runs build/release/bench train WORKLOAD --profile on one thread and writes build/bench/layers.svg and layers.md: a bar for
each layer and direction (forward, weight gradient, input gradient), a line at half of the peak, and a list of what stays
beneath it with its part of the step. BENCH names another bench, LEVEL a numeric level (avx2).
"""
import html
import json
import os
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
OUT = os.path.join(TOP, "build", "bench")
BENCH = os.environ.get("BENCH") or os.path.join(TOP, "build", "release", "bench")
LEVEL = os.environ.get("LEVEL")
WORKLOADS = (("ae", 12800), ("vae", 12800), ("cnn", 12800), ("class1", 12800), ("gan", 640))
DIRECTIONS = (("fwd", "forward", "#2563a8"), ("grad", "weight gradient", "#b45309"), ("bwd", "input gradient", "#5b8c5a"))
HALF = 0.5


def profile(name, images):
    """(the workload's line, [layer lines])"""
    command = [BENCH, "train", name, "--threads", "1", "--epochs", "1", "--images", str(images), "--profile"]
    done = subprocess.run(command + (["--level", LEVEL] if LEVEL else []), capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        sys.exit(f"layers: {' '.join(command)}: {done.stderr.strip() or 'no output'}")
    return lines[0], lines[1:]


def microseconds(layers):
    return sum(value for layer in layers for key, value in layer.items() if key.endswith("_us"))


def bars_of(name, layers):
    """(workload, layer, direction index, share of the peak, part of the block's time) of every product."""
    whole = microseconds(layers)
    return [(name, layer["layer"], i, layer[f"{key}_share"], layer[f"{key}_us"] / whole)
            for layer in layers for i, (key, _, _) in enumerate(DIRECTIONS) if f"{key}_share" in layer]


def markdown(runs, bars):
    lines = ["| workload | of the peak, whole step | of it in products |", "|---|---:|---:|"]
    for first, layers in runs:
        products = sum(bar[4] for bar in bars if bar[0] == first["workload"])
        lines.append(f"| {first['workload']} | {first['peak_share']:.0%} | {products:.0%} |")
    lines += ["", "| under half of the peak | direction | share of the peak | part of the step |", "|---|---|---:|---:|"]
    for name, layer, i, share, part in sorted(bars, key=lambda bar: -bar[4]):
        if share < HALF:
            lines.append(f"| {name} {layer} | {DIRECTIONS[i][1]} | {share:.0%} | {part:.1%} |")
    return "\n".join(lines) + "\n"


def svg(runs, bars):
    left, plot, tall, gap = 250, 420, 9, 8
    rows, y = [], 62
    for first, _ in runs:
        name = first["workload"]
        rows.append((y + 12, f'<text x="16" y="{y + 12}" font-weight="bold">{name}: {first["peak_share"]:.0%} of the peak, whole '
                     f'step</text>'))
        y += 22
        for layer in dict.fromkeys(bar[1] for bar in bars if bar[0] == name):
            rows.append((y, f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{html.escape(layer)}</text>'))
            for bar in (b for b in bars if b[:2] == (name, layer)):
                rows.append((y, f'<rect x="{left}" y="{y}" width="{plot * bar[3]:.1f}" height="{tall - 1}" '
                             f'fill="{DIRECTIONS[bar[2]][2]}"/><text x="{left + plot * bar[3] + 4:.1f}" y="{y + 8}" font-size="8" '
                             f'fill="#555">{bar[3]:.0%}{"" if bar[4] < 0.005 else f", {bar[4]:.0%} of the step"}</text>'))
                y += tall
            y += gap
        y += 6
    height, width = y + 26, left + plot + 120
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
           'font-family="sans-serif" font-size="12">', f'<rect width="{width}" height="{height}" fill="#fff"/>',
           '<text x="16" y="22" font-size="15" font-weight="bold">Share of the FMA peak, layer by layer</text>',
           f'<text x="16" y="40" fill="#555">one thread, batch 128, {runs[0][0]["level"]}; the peak read '
           f'{runs[0][0]["peak_gflops"]:.0f} GFLOP/s</text>']
    for i, (_, words, fill) in enumerate(DIRECTIONS):
        out.append(f'<rect x="{left + 150 + 130 * i}" y="14" width="10" height="10" fill="{fill}"/>'
                   f'<text x="{left + 165 + 130 * i}" y="23">{words}</text>')
    for share in (0, 0.25, HALF, 0.75, 1):
        x = left + plot * share
        out.append(f'<path d="M{x} 50V{height - 22}" stroke="{"#c2410c" if share == HALF else "#ddd"}"/>'
                   f'<text x="{x}" y="{height - 8}" text-anchor="middle" fill="#555">{share:.0%}</text>')
    return "\n".join(out + [text for _, text in rows] + ["</svg>"]) + "\n"


def main():
    runs, bars = [], []
    for name, images in WORKLOADS:
        runs.append(profile(name, images))
        bars += bars_of(name, runs[-1][1])
    os.makedirs(OUT, exist_ok=True)
    for name, text in (("layers.md", markdown(runs, bars)), ("layers.svg", svg(runs, bars))):
        with open(os.path.join(OUT, name), "w") as file:
            file.write(text)
    print(markdown(runs, bars) + f"\nwritten: {os.path.relpath(OUT, os.getcwd())}/layers.md, layers.svg")


if __name__ == "__main__":
    main()
