#!/usr/bin/env python3
"""Golden vectors for tests/core/lab/pruner.c: where Optuna's pruners end trials that come one after the other.

Run by `make golden` (Debian's python3-optuna). The file is safetensors, of F64:
  case.N.options  [6]: pruner (1 median, 2 asha), then for the median: complete trials before the first is pruned, warm-up, interval;
                  for asha: the first rung's step, eta, rungs left out
  case.N.value    [trials, steps]: what a trial reports, or would have reported; step s in column s - 1
  case.N.length   [trials]: after how many reports it ended
  case.N.pruned   [trials]: whether it was pruned there
"""
import os
import warnings

import numpy as np
import optuna
from optuna.pruners import MedianPruner, SuccessiveHalvingPruner

import make

STEPS = 18
CASES = [(MedianPruner, (5, 0, 1)), (MedianPruner, (3, 4, 3)), (MedianPruner, (0, 1, 1)), (SuccessiveHalvingPruner, (1, 4, 0)),
         (SuccessiveHalvingPruner, (2, 2, 0)), (SuccessiveHalvingPruner, (1, 3, 1))]


def curves(rng, n):
    """Sixteenths, so that values are equal now and then; some are NaN, some trials stop early by themselves. Later trials are better,
    as those of a search are."""
    progress = np.linspace(0, 1, n)[:, None]
    start, end = rng.uniform(1, 3, (n, 1)) - progress, rng.uniform(0, 1.5, (n, 1)) - progress
    value = end + (start - end) * np.exp(-np.arange(1, STEPS + 1) / rng.uniform(1, 8, (n, 1))) + rng.normal(0, 0.2, (n, STEPS))
    value = np.round(value * 16) / 16
    value[rng.uniform(size=value.shape) < 0.01] = np.nan
    value[3, :2] = np.nan
    return value, np.where(rng.uniform(size=n) < 0.2, rng.integers(3, STEPS, n), STEPS)


def main():
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    rng, vectors = np.random.default_rng(20240613), {}
    for number, (pruner, arguments) in enumerate(CASES):
        value, length = curves(rng, 60)
        pruned = np.zeros(len(value))
        study = optuna.create_study(pruner=pruner(*arguments))
        for k, row in enumerate(value):
            trial = study.ask()
            for step in range(1, length[k] + 1):
                trial.report(row[step - 1], step)
                if trial.should_prune():
                    length[k], pruned[k] = step, 1
                    break
            study.tell(trial, state=optuna.trial.TrialState.PRUNED) if pruned[k] else study.tell(trial, 0.0)
        vectors.update({f"case.{number}.options": np.array([1 if pruner is MedianPruner else 2, *arguments], float),
                        f"case.{number}.value": value, f"case.{number}.length": length.astype(float),
                        f"case.{number}.pruned": pruned})
        print(f"{pruner.__name__}{arguments}: {int(pruned.sum())} of {len(value)} pruned, after {length[pruned > 0].mean():.1f} steps")
    make.write_safetensors(os.path.join(make.HERE, "pruner.safetensors"), vectors, {"source": f"Optuna {optuna.__version__}"})


if __name__ == "__main__":
    main()
