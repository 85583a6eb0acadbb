#!/usr/bin/env python3
"""Golden vectors for tests/core/lab: what PyTorch makes of the judge's net, and numpy and scipy of its figures.

Needs Debian's python3-torch, python3-scipy and dataset-fashion-mnist; run by `make golden`. The file is safetensors:
  images                   U8 [40, 1, 28, 28]: the first test images
  features, probabilities  F64: the 64 units before their ReLU, softmax of the logits, in double with the weights of core/lab
  a, b                     F32 [300, 12], [260, 12]: two clouds that overlap
  fcd                      F64 [1]: Frechet distance of b to a (scipy's sqrtm)
  spread                   F64 [1]: mean over features of sd(b) / sd(a)
  eigenvalues, root        F64: of a's covariance: ascending; its symmetric square root
  kid                      F64 [1]: unbiased MMD^2 of the first 260 rows of a and b
  prdc                     F64 [5]: precision, recall, density, coverage, duplicates of b (fakes) against a (reals), k = 5
  probabilities.score      F64 [1]: exp of the mean KL of the probabilities from their mean
"""
import os

import numpy as np
import scipy.linalg
import torch

import evaluator
import make

def clouds(rng):
    a = rng.normal(size=(300, 12)) @ rng.normal(size=(12, 12)) * 0.6 + 1.5
    b = rng.normal(size=(260, 12)) @ rng.normal(size=(12, 12)) * 0.5 + 1.2
    b[:200] = a[:200] + rng.normal(size=(200, 12)) * 0.4
    return a.astype(np.float32), b.astype(np.float32)


def fcd(a, b):
    c1, c2 = np.cov(a.T), np.cov(b.T)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(c1 + c2 - 2 * root)


def kid(x, y):
    def kernel(u, v):
        return (u @ v.T / u.shape[1] + 1) ** 3
    n = len(x)
    xx, yy = kernel(x, x), kernel(y, y)
    return (xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)) / (n * (n - 1)) - 2 * kernel(x, y).mean()


def prdc(real, fake, k):
    def distances(u, v):
        return np.sqrt(((u[:, None] - v[None]) ** 2).sum(-1))
    real_reach = np.sort(distances(real, real), 1)[:, k]
    fake_reach = np.sort(distances(fake, fake), 1)[:, k]
    far = distances(real, fake)
    inside = far < real_reach[:, None]
    bound = np.sort(np.sort(distances(real, real), 1)[:, 1])[len(real) // 100]
    return np.array([inside.any(0).mean(), (far < fake_reach[None]).any(1).mean(), inside.sum(0).mean() / k, inside.any(1).mean(),
                     (np.sort(distances(fake, fake), 1)[:, 1] < bound).mean()])


def main():
    images = make.fashion_images(40)
    with torch.no_grad():
        features, probabilities = evaluator.read(evaluator.net(), torch.tensor(images / 255.0))
    a, b = clouds(np.random.default_rng(5))
    real, fake = a.astype(np.float64), b.astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(real.T))
    figures, probabilities = prdc(real, fake, 5), probabilities.numpy()
    score = np.exp(np.mean(np.sum(probabilities * np.log(probabilities / probabilities.mean(0)), 1)))
    print(f"fcd {fcd(real, fake):.6f} kid {kid(real[:260], fake):.6f} prdc {figures} classifier score {score:.4f}")
    f64 = np.float64
    make.write_safetensors(os.path.join(make.HERE, "judge.safetensors"), {
        "features": features.numpy(), "probabilities": probabilities, "probabilities.score": np.array([score], f64),
        "fcd": np.array([fcd(real, fake)], f64), "spread": np.array([(fake.std(0, ddof=1) / real.std(0, ddof=1)).mean()], f64),
        "eigenvalues": values, "root": vectors * np.sqrt(values) @ vectors.T, "kid": np.array([kid(real[:260], fake)], f64),
        "prdc": figures, "a": a, "b": b, "images": images},
        {"source": "PyTorch, numpy, scipy"})


if __name__ == "__main__":
    main()
