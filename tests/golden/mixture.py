#!/usr/bin/env python3
"""Golden vectors for tests/core/model/gmm.c: what scikit-learn's GaussianMixture makes of codes from a given start.

Needs Debian's python3-sklearn; run by `make golden`. The file is safetensors:
  start.weights, start.means, start.covariances     F64: where expectation maximisation begins
  weights, means, covariances                       F64: where it ends (reg_covar 1e-6, tol 1e-3, at most 100 iterations)
  log_likelihood, bic                               F64 [1], of the codes at the end
  iterations                                        I64 [1]
  codes                                             F32 [n, 4]
"""
import os

import numpy as np
from sklearn.mixture import GaussianMixture

import make


def codes(rng):
    """Four clouds that overlap, one of them flat, and a few strays."""
    parts = []
    for n, scale in ((400, 1.0), (250, 0.5), (300, 2.0), (50, 4.0)):
        turn = rng.normal(size=(4, 4)) * scale
        parts.append(rng.normal(size=(n, 4)) @ turn + rng.normal(size=4) * 3)
    parts[1][:, 3] = parts[1][:, 0]
    return np.concatenate(parts).astype(np.float32)


def main():
    rng = np.random.default_rng(20240607)
    x = codes(rng).astype(np.float64)
    k = 5
    weights = np.full(k, 1 / k)
    means = x[rng.choice(len(x), k, replace=False)]
    covariances = np.stack([np.cov(x.T) + 1e-3 * np.eye(4)] * k)
    mixture = GaussianMixture(k, covariance_type="full", reg_covar=1e-6, tol=1e-3, max_iter=100, weights_init=weights,
                              means_init=means, precisions_init=np.linalg.inv(covariances)).fit(x)
    print(f"{mixture.n_iter_} iterations, converged {mixture.converged_}, mean log likelihood {mixture.score(x):.6f}")
    f64 = np.float64
    make.write_safetensors(os.path.join(make.HERE, "mixture.safetensors"), {
        "start.weights": weights, "start.means": means, "start.covariances": covariances, "weights": mixture.weights_,
        "means": mixture.means_, "covariances": mixture.covariances_, "log_likelihood": np.array([mixture.score(x)], f64),
        "bic": np.array([mixture.bic(x)], f64), "iterations": np.array([mixture.n_iter_], np.int64),
        "codes": x.astype(np.float32)}, {"source": "scikit-learn GaussianMixture"})


if __name__ == "__main__":
    main()
