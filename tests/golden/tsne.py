#!/usr/bin/env python3
"""Golden vectors for tests/core/lab/{knn,affinity,tsne,quality}.c: what scikit-learn makes of points and of maps of them.

Needs Debian's python3-sklearn; run by `make golden`. The file is safetensors:
  points            F32 [150, 4], multiples of 2^-8, so that squared distances are exact in single precision, too
  neighbours        I64 [150, 31], of squared distances F64 [150, 31]: nearest first
  conditional       F64 [150, 31]: p(j|i) at perplexity 10 over those neighbours
  joint             F64 [150, 150]: P
  map               F32 [150, 2]: a map of them; kl F64 [1], gradient F64 [150, 2] (of KL, in full): its own, of all pairs
  codes, codes.map  F32 [400, 6], [400, 2]: five clouds that overlap, and TSNE's map of them; codes.label U8 [400]
  trustworthiness, continuity   F64 [3]: of codes.map at 5, 12, 15
  recall            F64 [1]: share of 10 nearest neighbours kept; accuracy F64 [1]: leave-one-out, 10 nearest in the map
"""
import os

import numpy as np
from scipy.spatial.distance import squareform
from sklearn.manifold import TSNE, _t_sne, _utils, trustworthiness
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

import make

PERPLEXITY = 10
K = 3 * PERPLEXITY + 1


def lattice(rng):
    """No two of a point's nearest are equally far, so that everybody finds the same ones."""
    while True:
        x = np.round(rng.normal(size=(150, 4)) * 0.7 * 256).clip(-900, 900) / 256
        far = np.sort(((x[:, None] - x[None]) ** 2).sum(-1), 1)[:, :K + 2]
        if (np.diff(far, axis=1) > 0).all():
            return x.astype(np.float32)


def joint(x):
    graph = NearestNeighbors(n_neighbors=K).fit(x).kneighbors_graph(mode="distance")
    graph.data **= 2
    square = graph.data.reshape(len(x), K).astype(np.float32)
    conditional = _utils._binary_search_perplexity(square, PERPLEXITY, 0)
    index = graph.indices.reshape(len(x), K).copy()  # what follows sorts them
    return index, square, conditional, _t_sne._joint_probabilities_nn(graph, PERPLEXITY, 0).toarray()


def clouds(rng):
    label = rng.integers(0, 5, 400)
    return (rng.normal(size=(5, 6))[label] * 2 + rng.normal(size=(400, 6))).astype(np.float32), label.astype(np.uint8)


def neighbours(x, k):
    return NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False)


def leave_one_out(y, label):
    """Each point's label by its ten nearest others."""
    near = neighbours(y, 10)
    votes = np.stack([(label[near] == c).sum(1) for c in range(label.max() + 1)], 1)
    return (votes.argmax(1) == label).mean()


def main():
    rng = np.random.default_rng(20250131)
    x = lattice(rng)
    index, square, conditional, p = joint(x)
    y = (rng.normal(size=(150, 2)) * 6).astype(np.float32)
    kl, gradient = _t_sne._kl_divergence(y.astype(np.float64).ravel(), squareform(p, checks=False), 1, 150, 2)
    codes, label = clouds(rng)
    z = TSNE(random_state=1, init="pca", learning_rate="auto").fit_transform(codes).astype(np.float32)
    a, b = codes.astype(np.float64), z.astype(np.float64)
    trust = [trustworthiness(a, b, n_neighbors=k) for k in (5, 12, 15)]
    continuity = [trustworthiness(b, a, n_neighbors=k) for k in (5, 12, 15)]
    recall = np.mean([len(set(u) & set(v)) / 10 for u, v in zip(neighbours(a, 10), neighbours(b, 10))])
    accuracy = leave_one_out(b, label)
    assert abs(KNeighborsClassifier(10).fit(b, label).score(b, label) - accuracy) < 0.1
    print(f"kl {kl:.6f} trustworthiness {trust} continuity {continuity} recall {recall:.4f} accuracy {accuracy:.4f}")
    f64 = np.float64
    make.write_safetensors(os.path.join(make.HERE, "tsne.safetensors"), {
        "neighbours": index.astype(np.int64), "squares": square.astype(f64), "conditional": conditional, "joint": p,
        "kl": np.array([kl], f64), "gradient": gradient.reshape(150, 2).astype(f64), "trustworthiness": np.array(trust, f64),
        "continuity": np.array(continuity, f64), "recall": np.array([recall], f64), "accuracy": np.array([accuracy], f64),
        "points": x, "map": y, "codes": codes, "codes.map": z, "codes.label": label},
        {"source": "scikit-learn"})


if __name__ == "__main__":
    main()
