#!/usr/bin/env python3
"""Golden vectors for tests/core/base/normal.c: quantiles of the standard normal distribution, by SciPy's ndtri.

Needs Debian's python3-scipy; run by `make golden`. The file is safetensors: p, x F64 [n], x = Phi^-1(p).
"""
import os

import numpy as np
from scipy.special import ndtri

import make


def main():
    p = np.concatenate([
        *[(np.arange(n) + 0.5) / n for n in (2, 3, 10, 20, 64)],  # the sides of grids
        np.linspace(0.001, 0.999, 999),
        10.0 ** -np.arange(1, 301), 1 - 10.0 ** -np.arange(1, 16),  # both tails
        [0.02425, np.nextafter(0.02425, 0), 0.97575, 0.5, np.nextafter(0.5, 0), np.nextafter(0.5, 1)],
    ])
    make.write_safetensors(os.path.join(make.HERE, "normal.safetensors"), {"p": p, "x": ndtri(p)}, {"source": "scipy.special.ndtri"})


if __name__ == "__main__":
    main()
