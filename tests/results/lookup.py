"""Figures by their names, out of the structure of collect.py; what is missing raises LookupError with the reason."""
from collections import namedtuple


def stat(results, group, metric):
    return results["groups"].get(group, {}).get(metric)


def mean(results, group, metric):
    found = stat(results, group, metric)
    if not found:
        raise LookupError(f"{group}: {why(results, group)}")
    return found["mean"]


def why(results, group):
    return next((text for key, text in results["trouble"].items() if key.split("/")[0] == group), "no such figure")


def need(results, part, name):
    """results[part][name], or why there is none."""
    if name not in results[part]:
        raise LookupError(f"{name}: {results['measure_trouble'].get(name) or why(results, name.split('/')[0])}")
    return results[part][name]


def linear_error(results, units):
    if not results["pca"]:
        raise LookupError(f"principal components: {results['twins_trouble'].get('pca', 'not computed')}")
    return results["pca"]["test_mse"][str(units)]


# `ours` gives the value of a row; targets and references are the requirement's, not measured here. Where the reference is a
# figure of the same run, it is a function: results → (words, goal).
Target = namedtuple("Target", "quantity reference unit ours n sign reach stretch", defaults=(None,))


def test_of(group, metric, **row):
    return Target(ours=lambda r: mean(r, group, metric), n=lambda r: stat(r, group, metric)["n"], **row)
