"""The report's search over its autoencoder, by preset report-ae of kind study: the manual net is trial 0, and the best trials and it
are trained again at full budget on several seeds, so that the tuner cannot lose. Here what is asked for, and what the page says.
"""
from dataclasses import dataclass

from daemon import Refused
from words import NONE, UNITS, number, percent, plural, seconds

KEY = "tuner"
LEFT_OUT = "left out: it takes long; FULL=1 or TUNER=1 runs it"


@dataclass(frozen=True)
class Search:
    trials: int
    epochs: int   # of a trial
    limit: int    # its training images; 0: all
    top_k: int
    again: int    # epochs of those that are trained again, on all images but where the mode has fewer
    seeds: int
    again_limit: int = 0


SEARCHES = {"smoke": Search(3, 1, 512, 1, 1, 2, 512), "quick": Search(20, 4, 20000, 2, 12, 3), "full": Search(20, 10, 0, 3, 50, 3)}


def body_of(mode):
    search = SEARCHES[mode.name]
    return {"kind": "study", "preset": "report-ae", "name": KEY, "seed": 1, "params": {
        "base": {"kind": "ae", "preset": "report",
                 "params": {"epochs": search.epochs, "train_limit": search.limit, "preview_every_epochs": 0}},
        "trials": search.trials,
        "retrain": {"top_k": search.top_k, "seeds": list(range(1, search.seeds + 1)),
                    "params": {"epochs": search.again, "train_limit": search.again_limit}}}}


def seconds_of(mode):
    """From scratch, roughly: an epoch of all images takes about 0.6 s."""
    s = SEARCHES[mode.name]
    return 0.6 * (s.trials * s.epochs * (s.limit or 60000) / 60000 + (s.top_k + 1) * s.seeds * s.again * (s.again_limit or 60000) / 60000) + 2 * s.trials


def runs(mode, asked):
    return asked or mode.name != "quick"


def collect(api, runner, results):
    """What came of it: {trials, best, importance}, or why there is none."""
    job = runner.studies.get(KEY)
    if not job:
        results["tuner"], results["tuner_trouble"] = None, runner.trouble.get(KEY, LEFT_OUT)
        return
    results["tuner"] = {"best": api.get(f"/v1/jobs/{job['id']}/best"), "train_s": job["train_s"], "params": job["params"],
                        "trials": api.get(f"/v1/jobs/{job['id']}/trials")["data"], "test": job["test"]}
    try:
        results["tuner"]["importance"] = api.get(f"/v1/jobs/{job['id']}/importance")["data"]
    except Refused:
        results["tuner"]["importance"] = []


SHOWN = ("n_conv", "n_linear", "latent_dim", "lr", "weight_decay", "batch_size", "early_stopping.patience")


def shape(params):
    """[(channels, kernel, stride, padding), …]"""
    layers = []
    while f"channels.{len(layers)}" in params:
        i = len(layers)
        layers.append("-".join(str(params.get(f"{name}.{i}", "?")) for name in ("channels", "kernel", "stride", "padding")))
    hidden = [str(params[f"hidden.{i}"]) for i in range(3) if f"hidden.{i}" in params]
    return f"{' '.join(layers)}; {' '.join(hidden) or NONE}"


def told(params):
    return ", ".join(f"{name} {params[name]:.3g}" for name in SHOWN[2:] if name in params) or NONE


def section(results):
    found = results.get("tuner")
    heading = ("heading", "Tuned against manual")
    if not found:
        return [heading, ("text", f"None: {results.get('tuner_trouble', LEFT_OUT)}")]
    best, trials = found["best"], [t for t in found["trials"] if t["phase"] == "trial"]
    count = {state: sum(t["state"] == state for t in trials) for state in ("complete", "pruned", "failed", "infeasible")}
    rows = []
    for score in best["finalists"]:
        manual = score["trial"] == 0
        change = score["value"] / best["baseline"]["value"] - 1 if best["baseline"] else None
        rows.append(["manual (trial 0)" if manual else f"trial {score['trial']}", shape(score["params"]), told(score["params"]),
                     UNITS["mse"](score["value"]) + (f" ± {number(score['std'])}" if score["std"] is not None else ""),
                     NONE if manual or change is None else f"{100 * change:+.1f} %", plural(score["n"], "seed")])
    base = found["params"]["base"]["params"]
    again = found["params"]["retrain"]["params"]
    important = ", ".join(f"`{i['name']}` {percent(i['importance'], 0)}" for i in found["importance"][:4])
    return [
        heading,
        ("text", f"The report's search space, by `tpe`: {plural(len(trials) - count['infeasible'], 'trial')} of "
                 f"{plural(base['epochs'], 'epoch')}{limited(base)} ({count['complete']} complete, {count['pruned']} ended early, "
                 f"{count['failed']} failed; {count['infeasible']} shapes that cannot be built cost nothing), the manual net among "
                 f"them as trial 0. The best and the manual one again, {plural(again.get('epochs', base['epochs']), 'epoch')} each; the best mean of the "
                 f"held-out loss wins, so that the tuner cannot lose. All of it: {seconds(found['train_s'])} of training."),
        ("table", ["net", "convolutions (channels-kernel-stride-padding); linear", "beside the shape", "held-out MSE", "against manual", "mean of"], rows),
        *([("text", f"What mattered most (PED-ANOVA): {important}.")] if important else []),
    ]


def limited(params):
    return f" on {params['train_limit']} images" if params.get("train_limit") else ""


def worse(results):
    """For the table of claims: what we measure, and whether the tuned net is worse."""
    best = (results.get("tuner") or {}).get("best")
    if not best:
        raise LookupError(results.get("tuner_trouble", LEFT_OUT))
    if not best["baseline"]:
        raise LookupError("the manual net was not trained again")
    return (f"{UNITS['mse'](best['best']['value'])} against {UNITS['mse'](best['baseline']['value'])} "
            f"({100 * best['relative_improvement']:+.1f} % better)", best["improvement"] < 0)
