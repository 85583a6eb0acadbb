"""Everything measured, as one plain structure: what becomes build/report/results.json. Pages and verdicts read nothing else.

Only this file asks the finished jobs, and only by the public API (and the data set's own files, for the truth).
"""
import io
import time

import maps
import plan
from daemon import Refused
from words import statistics_of

# Jobs whose curves the charts and the table of times show.
CURVES = ("ae-8", "class1", "class2", "unfrozen", "scratch", "prune-50", "prune-90")
GAMES = ("gan", "gan-default")
POINTS = 300  # of a whole run, each the mean of its neighbours
PAIRS, STEPS = 300, 32  # straight lines between codes, decodings on each
CELLS = 20              # of the codes' box, along each unit
PICK = 1                # seed of the lines


def metrics_of(job):
    """The figures of one finished job, flat."""
    gap = job.get("generalisation_gap") or {}
    test = {name: value for name, value in (job["test"] or {}).items() if isinstance(value, (int, float))}
    return {**test, "best": (job["best"] or {}).get("value"), "epochs": job["progress"]["epoch"],
            "train_s": job["train_s"], "lineage_train_s": job["lineage_train_s"], "gap": gap.get("gap"),
            "relative_gap": gap.get("relative")}


def group_of(jobs):
    told = [metrics_of(job) for job in jobs]
    names = sorted({name for one in told for name in one})
    return {name: found for name in names if (found := statistics_of([one.get(name) for one in told]))}


def curves_of(api, job):
    """{series: {epoch, seconds, value}}, a point an epoch. The clock went on while a job was interrupted: the epochs of such a
    one are taken as equally long."""
    series = api.get(f"/v1/jobs/{job['id']}/metrics?by=epoch&points=1000000")["series"]

    def seconds(s):
        if job["attempt"] > 1:
            return [job["train_s"] * epoch / job["progress"]["epoch"] for epoch in s["epoch"]]
        return [(t - job["started_at_ms"]) / 1000 for t in s["time_ms"]]

    return {name: {"epoch": s["epoch"], "seconds": seconds(s), "value": s["value"]} for name, s in series.items()}


def game_of(api, job):
    """{d_loss, g_loss: {epoch, value}} within the epochs."""
    series = api.get(f"/v1/jobs/{job['id']}/metrics?by=step&names=d_loss,g_loss&points={POINTS}")["series"]
    return {name: {"epoch": s["epoch"], "value": s["value"]} for name, s in series.items()}


def fcd_of(api, job):
    """The distance of samples after each epoch, by images seen and by seconds (those of the judge among them)."""
    curve = curves_of(api, job)["fcd"]
    each = job["progress"]["steps"] // job["progress"]["epochs"] * job["params"]["batch_size"]
    return {**curve, "images": [round(epoch) * each for epoch in curve["epoch"]]}


def score_of(api, job, samples, count, runner, peers):
    path = f"/v1/models/{job['id']}@{samples.checkpoint}/score"
    body = {"count": count, "distribution": samples.distribution, "seed": plan.DRAW}
    return peers.remember(f"{runner.info['evaluator']['sha256']} {path} {body}", lambda: api.post(path, body))


class Model:
    """A finished job's model, by numpy arrays."""

    def __init__(self, api, job):
        import numpy
        self.np, self.api, self.path = numpy, api, f"/v1/models/{job['id']}"

    def call(self, what, body):
        return self.np.load(io.BytesIO(self.api.raw(f"{self.path}/{what}", body, "application/x-npy")))

    def of_test(self, what):
        return self.call(what, {"dataset": "fashion-mnist", "split": "test", "indices": list(range(10000))})

    def decode(self, z):
        """Pictures as rows of pixels."""
        parts = []
        for at in range(0, len(z), 5000):
            file = io.BytesIO()
            self.np.save(file, z[at : at + 5000].astype("<f4"))
            parts.append(self.call("decode", file.getvalue()))
        images = self.np.concatenate(parts)
        return images.reshape(len(images), -1)


def smoothness(api, job):
    """How evenly pictures change along straight lines between codes of test images, and how full the space is.

    jump    of a line: its largest step by its mean step, a step being the root mean squared pixel difference of neighbours
            among STEPS + 1 decodings at equal distances; mean over PAIRS lines. 1 is perfectly even.
    spread  standard deviation of the codes, mean over the units
    filled  share of CELLS x CELLS cells of the codes' 1..99 % box with the code of at least one test image (two units)
    """
    model = Model(api, job)
    np = model.np
    z = model.of_test("encode").astype(float)
    ends = np.random.RandomState(PICK).permutation(len(z))[: 2 * PAIRS].reshape(PAIRS, 2)
    t = np.linspace(0, 1, STEPS + 1)[None, :, None]
    lines = z[ends[:, :1]] * (1 - t) + z[ends[:, 1:]] * t
    pictures = model.decode(lines.reshape(-1, z.shape[1])).reshape(PAIRS, STEPS + 1, -1)
    steps = np.sqrt((np.diff(pictures, axis=1) ** 2).mean(2))
    low, high = np.quantile(z, (0.01, 0.99), axis=0)
    counts, _, _ = np.histogram2d(z[:, 0], z[:, 1], CELLS, [(low[0], high[0]), (low[1], high[1])])
    return {"jump": float((steps.max(1) / np.maximum(steps.mean(1), 1e-9)).mean()), "spread": float(z.std(0).mean()),
            "filled": float((counts > 0).mean()), "pairs": PAIRS, "steps": STEPS, "cells": CELLS}


def reconstruction_error(api, job):
    """Mean squared error per pixel of the test images; of a VAE at the means of the codes' distributions."""
    import twins
    images = Model(api, job).of_test("reconstruct")
    return float(((images.reshape(len(images), -1) - twins.pixels("t10k")) ** 2).mean())


def attempt(into, trouble, key, what, *arguments):
    try:
        into[key] = what(*arguments)
    except (Refused, LookupError, OSError, ValueError, ImportError) as error:
        trouble[key] = f"{type(error).__name__}: {error}" if not isinstance(error, Refused) else str(error)


def job_view(job):
    kept = ("id", "name", "kind", "preset", "seed", "from", "params", "stop_reason", "train_s", "lineage_train_s", "best",
            "test", "generalisation_gap", "metadata", "warnings")
    return {name: job.get(name) for name in kept}


def collect(api, mode, runner, peers):
    results = {
        "mode": mode.name, "seeds": runner.seeds.most(), "made": time.strftime("%Y-%m-%d"),
        "machine": {**runner.info["cpu"], "threads": runner.info["threads"], "version": runner.info["version"],
                    "commit": runner.info["commit"]},
        "jobs": {key: job_view(job) for key, job in runner.jobs.items()},
        "trouble": dict(runner.trouble),
        "groups": {group: group_of(jobs) for group in runner.rows if (jobs := runner.group(group))},
        "rows": {group: {"kind": row.kind, "preset": row.preset, "params": row.params} for group, row in runner.rows.items()},
        "twins": peers.results, "twins_trouble": peers.trouble, "pca": peers.pca,
        "curves": {}, "smoothness": {}, "reconstruction": {}, "confusion": {}, "games": {}, "fcd": {}, "judged": {},
        "maps": {},
        "judged_in_pytorch": peers.judged, "measure_trouble": {},
    }
    try:
        results["best"] = runner.best()
    except LookupError:
        results["best"] = None
    for into, names, what in (("curves", CURVES, curves_of), ("smoothness", ("ae-2", "vae-2"), smoothness),
                              ("reconstruction", ("ae-8", "vae-5"), reconstruction_error),
                              ("games", GAMES, game_of),
                              ("maps", [row.group for row in runner.rows.values() if row.kind == "projection"], maps.map_of),
                              ("confusion", ("class1", "class2"), lambda a, j: a.get(f"/v1/jobs/{j['id']}/confusion"))):
        for name in names:
            if runner.group(name):
                attempt(results[into], results["measure_trouble"], name, what, api, runner.group(name)[0])
    judge(api, mode, runner, peers, results)
    return results


def judge(api, mode, runner, peers, results):
    """Of the GANs every seed, of the others the first."""
    for key, job in runner.jobs.items():
        group, seed = key.split("/")
        if group in GAMES:
            attempt(results["fcd"], results["measure_trouble"], key, fcd_of, api, job)
        for samples in plan.SAMPLES:
            if samples.group == group and (seed == "1" or group in GAMES):
                attempt(results["judged"], results["measure_trouble"], f"{key} {samples.distribution}", score_of, api, job,
                        samples, mode.scores, runner, peers)
    for group in GAMES:
        ends = [curve["value"][-1] for key, curve in results["fcd"].items() if key.split("/")[0] == group]
        if ends:
            results["groups"][group]["fcd"] = statistics_of(ends)
