#!/usr/bin/env python3
"""Golden vectors for tests/core/lab/importance.c: PED-ANOVA in numpy, from the paper's formulas (Watanabe et al. 2023; 1.059 Scott,
50 cells, the best tenth against all). Run by `make golden`; Debian's Optuna 3.1 does not have it yet.

The file is safetensors: case.N.{space, x, value, importance} of F64; rows of space: type (0 float, 1 int, 2 categorical), log, step,
low, high, choices; x [trials, dims], NaN where a trial did not have the dimension.
"""
import os

import numpy as np
from scipy.stats import norm

import make


def density(cell, cells, categorical):
    count = np.bincount(cell, minlength=cells).astype(float)
    at, n = np.flatnonzero(count), count.sum()
    weight = np.append(count[at], 1) / (n + 1)
    if categorical:
        every = 1 / len(weight)
        kernels = (np.eye(cells)[at] + every) / (1 + cells * every)
        return weight @ np.vstack([kernels, np.full(cells, 1 / cells)]) + 1e-12
    sd = np.sqrt(count[at] @ (at - at @ count[at] / n) ** 2 / max(1, n - 1))
    below = np.cumsum(count[at])
    iqr = at[min(len(at) - 1, np.searchsorted(below, n * 3 // 4, side="right"))] - at[np.searchsorted(below, n // 4)]
    mu = np.append(at, (cells - 1) / 2)
    sigma = np.append(np.full(len(at), max(1.059 * min(iqr / 1.34, sd) * n**-0.2, 0.5 / 1.64)), cells)
    edges = norm.cdf((np.arange(cells + 1)[:, None] - 0.5 - mu) / sigma)
    return np.diff(edges, axis=0) / (edges[-1] - edges[0]) @ weight + 1e-12


def divergence(row, x, value):
    kind, log, step, low, high, choices = row
    had = ~np.isnan(x)
    x, value = x[had], value[had]
    top = value <= np.sort(value)[max(int(np.ceil(0.1 * len(value))), 2) - 1]
    if kind == 2:
        cell, cells = x.astype(int), int(choices)
    else:
        step = step or (kind == 1)
        cells = min(50, int(np.ceil(np.log2(high - low + 1))) + 1 if kind == 1 and log else
                    round((high - low) / step) + 1 if step else 50)
        grid = np.linspace(*(np.log([low, high]) if log else [low, high]), cells)
        cell = np.searchsorted(grid, (np.log(x) if log else x) - (grid[1] - grid[0]) / 2)
    best, every = density(cell[top], cells, kind == 2), density(cell, cells, kind == 2)
    return every @ (best / every - 1) ** 2


def main():
    space = np.array([[0, 1, 0, 1e-5, 1e-1, 0], [0, 0, 0, -1, 1, 0], [0, 0, 0.25, 0, 2, 0], [1, 0, 1, 1, 16, 0], [1, 1, 0, 4, 512, 0],
                      [1, 0, 1, 0, 999, 0], [2, 0, 0, 0, 0, 4], [0, 0, 0, 0, 1, 0]])
    rng, vectors = np.random.default_rng(20240612), {}
    for number, n in enumerate((5, 40, 400)):
        u = rng.uniform(size=(n, len(space)))
        x = space[:, 3] + u * (space[:, 4] - space[:, 3])
        x[:, 0] = 10 ** (-5 + 4 * u[:, 0])
        x[:, 2] = 0.25 * np.floor(u[:, 2] * 9)
        x[:, 3:6] = np.floor(space[3:6, 3] + u[:, 3:6] * (space[3:6, 4] - space[3:6, 3] + 1))
        x[:, 6] = np.floor(u[:, 6] * 4)
        x[rng.uniform(size=n) < 0.4, 7] = np.nan
        value = (np.log10(x[:, 0]) + 3) ** 2 + 0.2 * (x[:, 3] - 9) ** 2 / 16 + (x[:, 6] == 2) + 0.05 * rng.normal(size=n)
        raw = np.array([divergence(row, x[:, j], value) for j, row in enumerate(space)])
        vectors.update({f"case.{number}.space": space, f"case.{number}.x": x, f"case.{number}.value": value,
                        f"case.{number}.importance": raw / raw.sum()})
        print(n, "trials:", np.round(raw / raw.sum(), 4))
    make.write_safetensors(os.path.join(make.HERE, "importance.safetensors"), vectors, {"source": "numpy"})


if __name__ == "__main__":
    main()
