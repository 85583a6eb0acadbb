#!/usr/bin/env python3
"""Golden vectors for tests/core/lab/pca.c: what scikit-learn's PCA with a full SVD makes of points.

Needs Debian's python3-sklearn and dataset-fashion-mnist; run by `make golden`. The file is safetensors:
  points             F32 [400, 9]: a cloud
  points.*           of it, all nine components; points.white: the map with whiten=True
  few.*              of the first 40 test images' pixels, twelve components: fewer points than values
  pixels.*           of all 60,000 training images' pixels, sixteen components; pixels.map: of the first 100 test images
  .map F64, .components F64, .explained_variance F64, .explained_variance_ratio F64
  pixels.mse         F64 [64]: mean squared error of the test images made again of 1 … 64 components
"""
import os

import numpy as np
from sklearn.decomposition import PCA

import make


def fitted(tensors, name, points, k, shown, **options):
    pca = PCA(k, svd_solver="full", **options).fit(points)
    tensors[f"{name}.map"] = pca.transform(shown)
    tensors[f"{name}.components"] = pca.components_
    tensors[f"{name}.explained_variance"] = pca.explained_variance_
    tensors[f"{name}.explained_variance_ratio"] = pca.explained_variance_ratio_
    return pca


def errors(pca, images, most):
    """Of 1 … most components, from what each takes off."""
    centred = images - pca.mean_
    taken = (centred @ pca.components_[:most].T) ** 2
    return ((centred ** 2).sum() - np.cumsum(taken.sum(0))) / images.size


def main():
    rng = np.random.default_rng(7)
    points = (rng.normal(size=(400, 9)) @ rng.normal(size=(9, 9)) + rng.normal(size=9)).astype(np.float32)
    train = make.fashion_images(60000, "train").reshape(60000, -1) / 255.0
    test = make.fashion_images(10000).reshape(10000, -1) / 255.0
    tensors = {"points": points}
    exact = points.astype(np.float64)
    fitted(tensors, "points", exact, 9, exact)
    tensors["points.white"] = PCA(9, svd_solver="full", whiten=True).fit_transform(exact)
    fitted(tensors, "few", test[:40], 12, test[:40])
    pca = PCA(64, svd_solver="full").fit(train)
    tensors["pixels.map"] = pca.transform(test[:100])[:, :16]
    tensors["pixels.components"] = pca.components_[:16]
    tensors["pixels.explained_variance"] = pca.explained_variance_[:16]
    tensors["pixels.explained_variance_ratio"] = pca.explained_variance_ratio_
    tensors["pixels.mse"] = errors(pca, test, 64)
    print("mse", tensors["pixels.mse"][[0, 1, 7, 63]], "ratio", np.cumsum(pca.explained_variance_ratio_)[[0, 1, 7, 63]])
    make.write_safetensors(os.path.join(make.HERE, "pca.safetensors"),
                           {name: np.ascontiguousarray(value) for name, value in tensors.items()}, {"source": "scikit-learn"})


if __name__ == "__main__":
    main()
