#!/usr/bin/env python3
"""Golden vectors for tests/core/lab/latents.c: what NumPy says of codes, of all of them and of each class.

Needs Debian's python3-numpy; run by `make golden`. The file is safetensors:
  z F32 [n, 5], label U8 [n]            five units, one of which never varies; classes 0..5, of which 3 has no image and 4 one
  count I64 [7]                         all, then by class
  mean, std, min, max, q01 … q99        F64 [7, 5]; std with n - 1, 0 of a single image; NaN of none
  correlation                           F64 [5, 5]; NaN beside a unit that never varies
"""
import os

import numpy as np

import make

QUANTILES = {"q01": 0.01, "q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95, "q99": 0.99}
CLASSES = 6


def main():
    rng = np.random.default_rng(20240611)
    n = 700
    z = rng.normal(size=(n, 5)) @ rng.normal(size=(5, 5)) * [1, 3, 0.5, 0, 1] + [0, 2, -1, 0.25, 100]
    z = z.astype(np.float32)
    label = rng.choice([0, 1, 2, 5], size=n).astype(np.uint8)
    label[17] = 4
    groups = [np.ones(n, bool)] + [label == k for k in range(CLASSES)]
    x = z.astype(np.float64)
    out = {key: np.full((len(groups), 5), np.nan) for key in ["mean", "std", "min", "max", *QUANTILES]}
    for g, chosen in enumerate(groups):
        part = x[chosen]
        if not len(part):
            continue
        out["mean"][g] = part.mean(0)
        out["std"][g] = part.std(0, ddof=1) if len(part) > 1 else 0
        out["min"][g] = part.min(0)
        out["max"][g] = part.max(0)
        for key, p in QUANTILES.items():
            out[key][g] = np.quantile(part, p, axis=0)
    with np.errstate(invalid="ignore"):
        correlation = np.corrcoef(x.T)
    make.write_safetensors(os.path.join(make.HERE, "latents.safetensors"), {
        "z": z, "count": np.array([int(c.sum()) for c in groups], np.int64), **out,
        "correlation": correlation, "label": label}, {"source": "numpy"})  # bytes last: all others are aligned


if __name__ == "__main__":
    main()
