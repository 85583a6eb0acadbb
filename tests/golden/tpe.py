#!/usr/bin/env python3
"""Golden vectors for tests/core/lab: what Optuna 3.1 makes of equal histories, and scipy of truncated normal distributions.

Needs Debian's python3-optuna and python3-scipy; run by `make golden`. The file is safetensors, all of F64:
  case.N.space        [dims, 6]: type (0 float, 1 int, 2 categorical), log, step, low, high, choices
  case.N.x            [trials, dims]; NaN: the trial did not have it
  case.N.trial        [trials, 4]: state as in core/lab/space.h, value, last step, value there
  case.N.options      [3]: dimensions drawn together (0: the first one by itself), constant liar, number of finished trials
  case.N.side         [trials]: 0 neither, 1 below, 2 above
  case.N.{l,g}.weight, .mu, .sigma   [kernels], [dims, kernels] (0 for a categorical one)
  case.N.{l,g}.log_pdf               [points]: at the points that the test makes by the same rule (point() here)
  case.N.best         [1]: of the first 24 points the one that TPESampler takes
  truncnorm           [rows, 5]: a, b, x, log density at x, quantile of the share in rows' quantile
  truncnorm.share     [rows]
Of equal observations Optuna's numpy sorts some in an order of its own; here it sorts stably, as the C does.
"""
import math
import os
import warnings

import numpy as np
import optuna
import scipy.stats
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe import parzen_estimator, sampler as tpe
from optuna.trial import TrialState, create_trial

import make

POINTS, CANDIDATES = 1000, 24
STATES = {TrialState.COMPLETE: 0, TrialState.PRUNED: 1, TrialState.RUNNING: 2, TrialState.FAIL: 4}
ROOTS = [math.sqrt(p) for p in (2, 3, 5, 7, 11, 13, 17)]

LR = ("lr", FloatDistribution(1e-5, 1e-1, log=True))
X = ("x", FloatDistribution(-3.0, 8.0))
TENTHS = ("tenths", FloatDistribution(0.0, 2.5, step=0.1))
KERNEL = ("kernel", IntDistribution(2, 6))
EVEN = ("even", IntDistribution(8, 512, step=8))
WIDTH = ("width", IntDistribution(4, 512, log=True))
NORM = ("norm", CategoricalDistribution(list("abc")))
MANY = ("many", CategoricalDistribution(list(range(7))))

# name: dimensions, trials, together, liar; a dimension with "?" in some trials only
CASES = [
    ([X], 10, False, False),
    ([X], 60, False, True),
    ([LR], 12, False, False),
    ([LR], 100, False, False),
    ([TENTHS], 45, False, False),
    ([KERNEL], 14, False, False),
    ([KERNEL], 100, False, False),
    ([EVEN], 40, False, True),
    ([WIDTH], 80, False, False),
    ([NORM], 33, False, False),
    ([X], 300, False, False),
    ([LR, X, KERNEL, NORM], 10, True, False),
    ([LR, X, TENTHS, KERNEL, EVEN, WIDTH, MANY], 100, True, True),
    ([X, NORM], 300, True, False),
]


def fraction(x):
    return x - math.floor(x)


def point(i, j, dist):
    """The test's rule for value j of point i."""
    u = fraction((i + 1) * ROOTS[j])
    if isinstance(dist, CategoricalDistribution):
        return math.floor(u * len(dist.choices))
    if isinstance(dist, IntDistribution) or dist.step:
        step = dist.step or 1
        return dist.low + step * math.floor(u * (math.floor((dist.high - dist.low) / step + 1e-9) + 1))
    if dist.log:
        return dist.low * (dist.high / dist.low) ** u
    return dist.low + u * (dist.high - dist.low)


def rough(dist, rng, best):
    """A value for the history: half of them near `best` in [0, 1], as those of a search are."""
    u = rng.uniform() if rng.uniform() < 0.5 else min(max(rng.normal(best, 0.07), 0), 0.999)
    if isinstance(dist, CategoricalDistribution):
        return dist.choices[int(u * len(dist.choices))]
    if isinstance(dist, IntDistribution):
        v = dist.low * (dist.high / dist.low) ** u if dist.log else dist.low + u * (dist.high - dist.low)
        return int(dist.low + dist.step * round((v - dist.low) / dist.step))
    v = dist.low * (dist.high / dist.low) ** u if dist.log else dist.low + u * (dist.high - dist.low)
    return float(dist.low + dist.step * round((v - dist.low) / dist.step)) if dist.step else float(v)


def history(dists, n, liar, absent, rng):
    trials = []
    for k in range(n):
        had = dict(dists) if not absent or rng.uniform() < 0.7 else {}
        params = {name: rough(dist, rng, 0.3 + 0.05 * i) for i, (name, dist) in enumerate(had.items())}
        kind = rng.uniform()
        common = {"params": params, "distributions": had}
        if kind < 0.7:
            trials.append(create_trial(value=float(np.round(rng.normal(), 1)), **common))
        elif kind < 0.9:
            last = int(rng.integers(1, 6))
            curve = {s: float(rng.normal()) for s in range(1, last + 1)}
            if rng.uniform() < 0.1:
                curve[last] = math.nan
            trials.append(create_trial(state=TrialState.PRUNED, intermediate_values=curve if kind < 0.88 else {}, **common))
        else:
            state = TrialState.RUNNING if liar and k >= n - 8 else TrialState.FAIL
            trials.append(create_trial(state=state, **common))
    return trials


def trial_row(t):
    last = max(t.intermediate_values, default=-1)
    return [STATES[t.state], math.nan if t.value is None else t.value, last, t.intermediate_values.get(last, math.nan)]


def space_row(dist):
    if isinstance(dist, CategoricalDistribution):
        return [2, 0, 0, 0, 0, len(dist.choices)]
    return [isinstance(dist, IntDistribution), dist.log, dist.step or 0, dist.low, dist.high, 0]


def estimator_vectors(name, mpe, dists, points):
    numbers = [mpe._mus[n] is not None for n, _ in dists]
    zero = np.zeros(len(mpe._weights))
    return {
        f"{name}.weight": mpe._weights,
        f"{name}.mu": np.stack([mpe._mus[n] if is_number else zero for (n, _), is_number in zip(dists, numbers)]),
        f"{name}.sigma": np.stack([mpe._sigmas[n] if is_number else zero for (n, _), is_number in zip(dists, numbers)]),
        f"{name}.log_pdf": mpe.log_pdf(points),
    }


def case(number, dists, n, together, liar, rng):
    """Follows TPESampler.sample_independent and _sample_relative step by step, on a study with this history."""
    study = optuna.create_study()
    study.add_trials(history(dists, n, liar, number % 3 == 1, rng))
    trials = study.get_trials(deepcopy=False)
    sampler = TPESampler(multivariate=together, constant_liar=liar)
    names = [name for name, _ in dists]
    values, scores, _ = tpe._get_observation_pairs(study, names, liar)
    finished = sum(s < math.inf for s, _ in scores)
    below, above = tpe._split_observation_pairs(scores, tpe.default_gamma(finished), None)
    counted = [i for i, t in enumerate(trials) if t.state in
               (TrialState.COMPLETE, TrialState.PRUNED) + ((TrialState.RUNNING,) if liar else ())]
    side = np.zeros(n)
    side[np.array(counted)[below]] = 1
    side[np.array(counted)[above]] = 2
    config = {k: np.asarray(v, dtype=float) for k, v in values.items()}
    mask = ~np.isnan(config[names[0]])
    points = {name: np.array([point(i, j, dist) for i in range(POINTS)]) for j, (name, dist) in enumerate(dists)}
    vectors, log_pdf = {}, {}
    for which, indices in (("l", below), ("g", above)):
        observed = {k: v[indices[mask[indices]]] for k, v in config.items()}
        mpe = parzen_estimator._ParzenEstimator(observed, dict(dists), sampler._parzen_estimator_parameters)
        vectors.update(estimator_vectors(which, mpe, dists, points))
        log_pdf[which] = vectors[f"{which}.log_pdf"][:CANDIDATES]
    first = {k: v[:CANDIDATES] for k, v in points.items()}
    chosen = TPESampler._compare(first, log_pdf["l"], log_pdf["g"])
    best = next(i for i in range(CANDIDATES) if all(first[k][i] == chosen[k] for k in names))
    vectors.update({
        "space": np.array([space_row(dist) for _, dist in dists], dtype=float),
        "x": np.array([[dist.to_internal_repr(t.params[name]) if name in t.params else math.nan for name, dist in dists]
                       for t in trials]),
        "trial": np.array([trial_row(t) for t in trials]),
        "options": np.array([together, liar, finished], dtype=float),
        "side": side,
        "best": np.array([best], dtype=float),
    })
    return {f"case.{number}.{k}": np.asarray(v, np.float64) for k, v in vectors.items()}


def truncated_normals(rng):
    """In the middle, on either side, far out, very wide, very narrow."""
    rows, shares = [], []
    for a, b in ((-1, 1), (-0.3, 4), (-5, -2), (2, 3.5), (6, 9), (-12, -7), (-30, 25), (20, 21), (-46, -40), (50, 70),
                 (0, 1e-3), (-1e-6, 1e-6), (-8, 8), (-300, -299)):
        for share in (1e-6, 0.03, 0.5, 0.9, 0.999):
            x = a + (b - a) * rng.uniform()
            law = scipy.stats.truncnorm(a, b)
            rows.append([a, b, x, law.logpdf(x), law.ppf(share)])
            shares.append(share)
    return {"truncnorm": np.array(rows), "truncnorm.share": np.array(shares)}


def main():
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    argsort = np.argsort
    parzen_estimator.np.argsort = lambda a, **kind: argsort(a, **{"kind": "stable", **kind})
    rng = np.random.default_rng(20240611)
    vectors = truncated_normals(rng)
    for number, (dists, n, together, liar) in enumerate(CASES):
        vectors.update(case(number, dists, n, together, liar, rng))
    vectors["cases"] = np.array([len(CASES)], np.float64)
    path = os.path.join(make.HERE, "tpe.safetensors")
    make.write_safetensors(path, vectors, {"source": f"Optuna {optuna.__version__}"})
    print(f"tpe.safetensors: {len(CASES)} cases, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
