#!/usr/bin/env python3
"""The tuner's samplers against Optuna's on three functions: best value after 25, 50 and 100 trials, over SEEDS=50 seeds.

Run by `make bench-tuner` (installs python3-optuna). Ours is asked and told through `build/release/bench tuner`, Optuna's TPESampler
(independent, its default, and multivariate) and its RandomSampler through ask and tell; what they find is kept in build/bench/optuna.json,
as they take minutes. Prints a table of median regrets and writes build/bench/tuner.md; ends with 1 when ours is worse than Optuna's of
the same kind (one-sided Mann-Whitney on the regret after 100 trials, p <= .01), or not better than random (p >= .001).
"""
import json
import math
import os
import statistics
import subprocess
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import optuna
from scipy.stats import mannwhitneyu

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(TOP, "build/release/bench")
OUT = os.path.join(TOP, "build/bench")
SEEDS = int(os.environ.get("SEEDS", "50"))
JOBS = int(os.environ.get("JOBS", "2"))
TRIALS, MARKS = 100, (25, 50, 100)
SAMPLERS = ("tpe", "multivariate", "random")


# --- the functions; tests/core/lab/objectives.h has the same ----------------------------------------------------------


def branin(x):
    a = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10


HARTMANN_A = ((10, 3, 17, 3.5, 1.7, 8), (0.05, 10, 17, 0.1, 8, 14), (3, 3.5, 1.7, 10, 17, 8), (17, 8, 0.05, 10, 0.1, 14))
HARTMANN_P = ((1312, 1696, 5569, 124, 8283, 5886), (2329, 4135, 8307, 3736, 1004, 9991), (2348, 1451, 3522, 2883, 3047, 6650),
              (4047, 8828, 8732, 5743, 1091, 381))


def hartmann6(x):
    return -sum(alpha * math.exp(-sum(a * (v - 1e-4 * p) ** 2 for a, v, p in zip(row_a, x, row_p)))
                for alpha, row_a, row_p in zip((1, 1.2, 3, 3.2), HARTMANN_A, HARTMANN_P))


def mixed(x):
    """As tuning a net is: a learning rate, a weight decay, a width, an activation that shifts the best rate."""
    penalty, shift = ((0.3, -0.5), (0, 0), (0.15, 0.4))[int(x[3])]
    lr, decay, width = math.log10(x[0]) + 3 - shift, math.log10(x[1]) + 4.5, (x[2] - 11) / 4
    return lr * lr + 0.1 * decay * decay + 0.2 * width * width + penalty


def ask_plane(trial):
    return trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)


def ask_cube(trial):
    return [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]


def ask_mixed(trial):
    return (trial.suggest_float("lr", 1e-5, 1e-1, log=True), trial.suggest_float("wd", 1e-7, 1e-1, log=True),
            trial.suggest_int("width", 1, 16), trial.suggest_categorical("act", [0, 1, 2]))


FUNCTIONS = {"branin": (branin, ask_plane, 0.39788735772973816), "hartmann6": (hartmann6, ask_cube, -3.3223680114155147),
             "mixed": (mixed, ask_mixed, 0.0)}


# --- one search: values in the order of the trials --------------------------------------------------------------------


def theirs(task):
    name, kind, seed = task
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    value, ask, _ = FUNCTIONS[name]
    sampler = (optuna.samplers.RandomSampler(seed=seed) if kind == "random" else
               optuna.samplers.TPESampler(seed=seed, multivariate=kind == "multivariate"))
    study, values = optuna.create_study(sampler=sampler), []
    for _ in range(TRIALS):
        trial = study.ask()
        values.append(value(ask(trial)))
        study.tell(trial, values[-1])
    return values


def ours(task):
    name, kind, seed = task
    value = FUNCTIONS[name][0]
    values = []
    with subprocess.Popen([BENCH, "tuner", name, kind, str(seed), str(TRIALS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as bench:
        for line in bench.stdout:
            values.append(value([float(v) for v in line.split()]))
            bench.stdin.write(f"{values[-1]!r}\n")
            bench.stdin.flush()
    if len(values) != TRIALS:
        sys.exit(f"tuner: {BENCH} gave {len(values)} of {TRIALS} points")
    return values


def all_of(search, path):
    """{function: {sampler: [values of seed 0, …]}}, what is in the file already from there."""
    known = {}
    if path and os.path.exists(path):
        with open(path) as file:
            known = json.load(file)
    with ProcessPoolExecutor(JOBS) as pool:
        for name in FUNCTIONS:
            for kind in SAMPLERS:
                have = known.setdefault(name, {}).setdefault(kind, [])
                have += pool.map(search, [(name, kind, seed) for seed in range(len(have), SEEDS)])
                if path:
                    with open(path, "w") as file:
                        json.dump(known, file)
    return {name: {kind: runs[:SEEDS] for kind, runs in kinds.items()} for name, kinds in known.items()}


# --- the comparison ---------------------------------------------------------------------------------------------------


def regrets(runs, name, trials):
    return [min(values[:trials]) - FUNCTIONS[name][2] for values in runs]


def less(a, b):
    """p of the hypothesis that a is not less than b."""
    return mannwhitneyu(a, b, alternative="less").pvalue


def figure(x):
    return f"{x:.3g}"


def main():
    os.makedirs(OUT, exist_ok=True)
    begun = time.monotonic()
    optunas = all_of(theirs, os.path.join(OUT, f"optuna-{optuna.__version__}.json"))
    between = time.monotonic()
    mine = all_of(ours, None)
    print(f"Optuna's {between - begun:.0f} s (0: kept from before), ours {time.monotonic() - between:.0f} s")
    rows = [("function", "sampler", *(f"{who} {n}" for n in MARKS for who in ("ours", "Optuna")), "worse? p", "beats random? p", "")]
    failed = []
    for name in FUNCTIONS:
        chance = regrets(mine[name]["random"], name, TRIALS)
        for kind in SAMPLERS:
            a, b = regrets(mine[name][kind], name, TRIALS), regrets(optunas[name][kind], name, TRIALS)
            worse, better = less(b, a), less(a, chance)
            good = worse > 0.01 and (kind == "random" or better < 1e-3)
            if not good:
                failed.append(f"{name} {kind}")
            medians = [figure(statistics.median(regrets(runs[name][kind], name, n))) for n in MARKS for runs in (mine, optunas)]
            rows.append((name, kind, *medians, f"{worse:.3f}", "-" if kind == "random" else f"{better:.1e}",
                         "" if good else "MISSED"))
    width = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print("\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, width)) for row in rows))
    with open(os.path.join(OUT, "tuner.md"), "w") as file:
        file.write("\n".join("| " + " | ".join(row) + " |" for row in [rows[0], ("---",) * len(rows[0]), *rows[1:]]) + "\n")
    if failed:
        print("missed: " + "; ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
