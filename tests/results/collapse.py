#!/usr/bin/env python3
"""Whether a run that collapses is told, and whether it can be saved: `make collapse`, about half an hour on two cores.

Forced: far too high a rate for the discriminator of the report's pair, or far too many of its steps, for 100,000 images.
Healthy: the presets as they are, and our pair at that rate. Each with five seeds; a run is flagged when one of its alerts is a
sign of collapse. Then the forced ones again with on_collapse rollback and time to recover: how many end with all ten classes.
All by the public API; the table goes to web/docs/collapse.md. Runs that an interrupted campaign has finished are taken as they
are. Environment: SEEDS=5, ONLY=regular expression of the groups to run (then the table is printed only).
"""
import os
import re
import sys

from daemon import Daemon

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SIGNS = {"discriminator_won", "no_gradient", "diversity_lost", "class_lost"}
SHORT = {"epochs": 2, "train_limit": 50000}
LEAST = 0.01  # share of the samples below which a class is missing
# group, preset, parameters, whether it is to be flagged (None: it is to be saved)
GROUPS = [
    ("healthy, default", "default", SHORT, False),
    ("healthy, report", "report", SHORT, False),
    ("lr_d 2e-2, default", "default", SHORT | {"lr_d": 2e-2}, False),  # spectral norm bears it
    ("lr_d 2e-2, report", "report", SHORT | {"lr_d": 2e-2}, True),
    ("n_critic 10, lr_d 5e-3, report", "report", SHORT | {"n_critic": 10, "lr_d": 5e-3}, True),
    ("lr_d 2e-2, report, rollback", "report", {"epochs": 6, "lr_d": 2e-2, "on_collapse": "rollback"}, None),
]


def earlier(api, body):
    """The same run, if an interrupted campaign has it finished or under way."""
    params = api.post("/v1/jobs?validate_only=true", body)["params"]
    same = (job for job in api.pages(f"/v1/jobs?kind={body['kind']}&name={body['name']}")
            if (job["seed"], job["params"]) == (body["seed"], params) and job["status"] not in ("failed", "cancelled"))
    return next(same, None)


def run(api, group, preset, params, seed):
    body = {"kind": "gan", "preset": preset, "params": params, "seed": seed, "name": re.sub(r"[^a-z0-9]+", "-", f"{group} {seed}")}
    job = earlier(api, body) or api.post("/v1/jobs", body)
    while job["status"] not in ("succeeded", "failed", "cancelled"):
        job = api.get(f"/v1/jobs/{job['id']}?wait_s=600")
    alerts = [e for e in events(api, job["id"]) if e["event"] == "alert"]
    flagged = next((e for e in alerts if e["code"] in SIGNS), None)
    shares = (job["test"] or {}).get("class_shares") or {}
    metrics = api.get(f"/v1/jobs/{job['id']}/metrics?names=fcd,min_share&by=step&points=100000")["series"]
    last = {name: (series["value"] or [None])[-1] for name, series in metrics.items()}
    return {"seed": seed, "status": job["status"], "reason": job["stop_reason"], "code": flagged and flagged["code"],
            "images": flagged and flagged["step"] * job["params"]["batch_size"], "last": last,
            "rolled_back": sum(e["code"] == "rolled_back" for e in alerts), "test_fcd": (job["test"] or {}).get("fcd"),
            "missing": sum(v < LEAST for v in shares.values()) if shares else None}


def events(api, job):
    after = 0
    while True:
        page = api.get(f"/v1/jobs/{job}/events?limit=100&after={after}")["data"]
        yield from page
        if not page:
            return
        after = page[-1]["seq"]


def number(value, form="{:.1f}"):
    return "–" if value is None else form.format(value)


def summary(runs, wanted):
    if wanted is None:
        return f"{sum(r['missing'] == 0 for r in runs)} of {len(runs)} end with all classes"
    return f"{sum(r['code'] is not None for r in runs)} of {len(runs)} flagged"


def main():
    seeds = range(1, int(os.environ.get("SEEDS", 5)) + 1)
    chosen = re.compile(os.environ.get("ONLY", "."))
    folder = os.path.join(TOP, "build", "collapse")
    os.makedirs(folder, exist_ok=True)
    lines = ["# Collapse: told, and sometimes mended", "", "Written by `make collapse`; what the words mean is said there.", "",
             "| group | seed | flagged | after images | roll-backs | last fcd | rarest class | best epoch: fcd | classes missing | ended |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    summaries = []
    with Daemon(os.path.join(TOP, "build", "release", "latentd"), folder) as api:
        for group, preset, params, wanted in GROUPS:
            if not chosen.search(group):
                continue
            runs = [run(api, group, preset, params, seed) for seed in seeds]
            for r in runs:
                lines.append(f"| {group} | {r['seed']} | {r['code'] or 'no'} | {number(r['images'], '{:,.0f}')} | {r['rolled_back']} "
                             f"| {number(r['last'].get('fcd'))} | {number(r['last'].get('min_share'), '{:.3f}')} "
                             f"| {number(r['test_fcd'])} | {number(r['missing'], '{}')} | {r['reason']} |")
            summaries.append(f"- {group}: {summary(runs, wanted)}")
            print("\n".join(lines[-len(runs):] + summaries[-1:]), flush=True)
    if "ONLY" in os.environ:
        return
    with open(os.path.join(TOP, "web", "docs", "collapse.md"), "w") as file:
        file.write("\n".join(lines + [""] + summaries) + "\n")


if __name__ == "__main__":
    sys.exit(main())
