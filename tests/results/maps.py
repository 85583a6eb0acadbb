"""Maps of codes: what is measured of them, what is claimed, in the forms of collect.py and verdicts.py."""
import plan
from lookup import need
from words import number, percent

NEIGHBOURS = "12"  # of trustworthiness
CELLS = 40
GROWS = 0.8


def map_of(api, job):
    """The daemon's own figures of a map, and how its points are spread.

    filled  share of CELLS x CELLS cells of the square around the map in which a point lies
    own     a class's spread (root mean squared distance of its points from their mean) by that of all points, mean over classes
    """
    import numpy as np
    told = api.get(f"/v1/jobs/{job['id']}/projection.json")
    y, label = np.column_stack([told["x"], told["y"]]), np.array(told["label"])

    def deviation(points):
        return float(np.sqrt(((points - points.mean(0)) ** 2).sum(1).mean()))

    middle, side = (y.max(0) + y.min(0)) / 2, (y.max(0) - y.min(0)).max()
    box = [(m - side / 2, m + side / 2) for m in middle]
    counts, _, _ = np.histogram2d(y[:, 0], y[:, 1], CELLS, box)
    quality = told["quality"]
    return {"points": len(y), "trustworthiness": quality["trustworthiness"][NEIGHBOURS], "recall": quality["knn_recall"],
            "accuracy": quality["knn_accuracy"], "kl": told.get("kl_divergence"), "filled": float((counts > 0).mean()),
            "own": float(np.mean([deviation(y[label == c]) for c in np.unique(label)])) / deviation(y)}


def clearer(results):
    pca, tsne = (need(results, "maps", name) for name in ("map-pca", "map-tsne"))
    told = [f"{words} {form(tsne[key])} against {form(pca[key])}" for key, words, form in (
        ("accuracy", "10-NN", percent), ("trustworthiness", f"trustworthiness({NEIGHBOURS})", lambda v: number(v, 4)))]
    return ", ".join(told), tsne["accuracy"] > pca["accuracy"] and tsne["trustworthiness"] > pca["trustworthiness"]


def rank_correlation(values):
    """Spearman's, of values with their places; equal ones share their ranks."""
    n = len(values)
    ranks = [sum(w < v for w in values) + (sum(w == v for w in values) - 1) / 2 for v in values]
    mean = (n - 1) / 2
    spread = sum((r - mean) ** 2 for r in ranks)
    return sum((r - mean) * (i - mean) for i, r in enumerate(ranks)) / (spread * (n**3 - n) / 12) ** 0.5 if spread else 0.0


def spreads(results):
    found = [need(results, "maps", f"map-{units}") for units in plan.MAPPED]
    filled, own = ([told[key] for told in found] for key in ("filled", "own"))
    told = ", ".join(percent(share, 0) for share in filled)
    return (f"filled: {told}, rank correlation {rank_correlation(filled):+.2f}; a class's own spread from {percent(own[0], 0)} to "
            f"{percent(own[-1], 0)} of the map's, rank correlation {rank_correlation(own):+.2f}"), rank_correlation(filled) >= GROWS


CLAIMS = [
    ("Of the encoded space, t-SNE's representation is clearer than that of PCA.",
     "the 8 units of the report's AE: in t-SNE's map 10 nearest neighbours tell more classes right, and trustworthiness is higher",
     clearer),
    ("The more the latent's size increases, the more the points of the various elements are spread in space.",
     f"t-SNE's maps of {plan.MAPPED[0]} to {plan.MAPPED[-1]} units: the share of {CELLS} x {CELLS} cells with a point grows (rank "
     f"correlation with the size at least {GROWS})", spreads),
]
