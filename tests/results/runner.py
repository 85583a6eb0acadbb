"""Runs the plan's jobs on the daemon: those that a former run has finished are taken as they are, one that was interrupted
is followed, the others are submitted. What cannot be run is noted and the rest goes on.

A job is known again by the SHA-256 of what it is made of (kind, seed, every resolved parameter, data set, the parent's
sum), which its metadata bears.
"""
import hashlib
import json
import sys
import time

import plan
from daemon import Refused

SPEC = "report_spec"


def clock(seconds):
    seconds = int(seconds)
    return f"{seconds // 60}:{seconds % 60:02d}"


class Progress:
    """Lines for people: what, k of n, how long still. Estimates are scaled by how earlier ones came out."""

    def __init__(self, planned):
        self.left = planned  # seconds estimated, by what
        self.n, self.k, self.spent, self.estimated = len(planned), 0, 0.0, 0.0
        self.live = sys.stdout.isatty()

    def eta(self):
        pace = self.spent / self.estimated if self.estimated > 5 else 1
        return clock(sum(self.left.values()) * pace)

    def show(self, key, text):
        if self.live:
            print(f"\r\033[K[{self.k + 1}/{self.n}] {key}  {text}  eta {self.eta()}", end="", flush=True)

    def done(self, key, text, took=None):
        estimate = self.left.pop(key, 0)
        if took is not None:
            self.spent, self.estimated = self.spent + took, self.estimated + estimate
        self.k += 1
        start = "\r\033[K" if self.live else ""
        print(f"{start}[{self.k}/{self.n}] {key}  {text}  eta {self.eta()}", flush=True)


class Runner:
    def __init__(self, api, mode, seeds, heavy, progress):
        self.api, self.mode, self.seeds, self.progress = api, mode, seeds, progress
        self.rows = {row.group: row for row in plan.rows(mode)}
        # By key: the job, or why there is none; by id of a job: what it is made of.
        self.jobs, self.trouble, self.sums, self.studies = {}, {}, {}, {}
        self.left_out = set() if heavy else {row.group for row in self.rows.values() if row.heavy}
        self.known = {}
        self.info = api.get("/v1/info")
        self.dataset = api.get("/v1/datasets/fashion-mnist").get("sha256")
        for job in api.pages("/v1/jobs"):
            spec = job["metadata"].get(SPEC)
            if spec and job["status"] not in ("failed", "cancelled"):
                self.known.setdefault(spec, job)

    def run_all(self):
        for key in self.keys():
            self.run(key)
        self.trouble.update({f"{group}/1": plan.HEAVY for group in self.left_out})

    def keys(self):
        rows = [row for row in self.rows.values() if row.group not in self.left_out]
        return [f"{row.group}/{seed}" for row in rows for seed in self.seeds.of(row)]

    def group(self, name):
        """Finished jobs of a group, by seed."""
        return [job for key, job in self.jobs.items() if key.split("/")[0] == name]

    def why(self, name):
        """Why a group has none."""
        return next((text for key, text in self.trouble.items() if key.split("/")[0] == name), "not run")

    def best(self):
        """The group of CANDIDATES whose held-out images come back best."""
        means = {}
        for name in plan.CANDIDATES:
            values = [job["best"]["value"] for job in self.group(name) if job["best"]]
            if values:
                means[name] = sum(values) / len(values)
        if not means:
            raise LookupError("there is no finished autoencoder to choose from")
        return min(means, key=means.get)

    def body_of(self, row, seed):
        body = {"kind": row.kind, "preset": row.preset, "params": row.params, "seed": seed}
        body["name"] = row.name if row.name and seed == 1 else f"{row.group}-seed-{seed}"
        if row.parent:
            group = self.best() if row.parent == "best" else row.parent
            parent = self.jobs.get(f"{group}/{seed}") or self.jobs.get(f"{group}/1")
            if not parent:
                raise LookupError(f"its encoder, {group}, is missing: {self.why(group)}")
            body["from"] = f"{parent['id']}@best"
        return body

    def sum_of(self, body):
        resolved = self.api.post("/v1/jobs?validate_only=true", body)
        parent = body.get("from", "").split("@")[0]
        made_of = [body["kind"], body["seed"], resolved["params"], self.dataset, self.sums.get(parent)]
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:20]

    def follow(self, key, job):
        began = time.monotonic()
        while job["status"] not in ("succeeded", "failed", "cancelled"):
            job = self.api.get(f"/v1/jobs/{job['id']}?wait_s=1")
            at = job["progress"]
            self.progress.show(key, f"epoch {at['epoch']}/{at['epochs']}  {clock(time.monotonic() - began)}")
        return job

    def run(self, key):
        row, seed = self.rows[key.split("/")[0]], int(key.split("/")[1])
        began = time.monotonic()
        try:
            body = self.body_of(row, seed)
            spec = self.sum_of(body)
            job = self.known.get(spec)
            reused = job is not None and job["status"] == "succeeded"
            if not job:
                body["metadata"] = {SPEC: spec, "report_group": row.group, "commit": self.info["commit"]}
                job = self.api.post("/v1/jobs", body)
            job = self.follow(key, job)
            if job["status"] != "succeeded":
                raise LookupError((job["error"] or {}).get("detail") or job["status"])
        except (LookupError, Refused) as error:
            self.trouble[key] = str(error)
            self.progress.done(key, f"none: {error}")
            return
        self.known[spec] = self.jobs[key] = job
        self.sums[job["id"]] = spec
        took = None if reused else time.monotonic() - began
        self.progress.done(key, "of an earlier run" if reused else f"{job['train_s']:.1f} s of training", took)

    def run_study(self, key, body):
        """One that is no row of the plan; a study's epochs are its jobs."""
        began = time.monotonic()
        try:
            spec = self.sum_of(body)
            job = self.known.get(spec)
            reused = job is not None and job["status"] == "succeeded"
            if not job:
                job = self.api.post("/v1/jobs", {**body, "metadata": {SPEC: spec, "commit": self.info["commit"]}})
            job = self.follow(key, job)
            if job["status"] != "succeeded":
                raise LookupError((job["error"] or {}).get("detail") or job["status"])
        except (LookupError, Refused) as error:
            self.trouble[key] = str(error)
            self.progress.done(key, f"none: {error}")
            return
        self.studies[key] = job
        took = None if reused else time.monotonic() - began
        self.progress.done(key, "of an earlier run" if reused else f"{job['train_s']:.1f} s of training", took)

    def known_names(self, row):
        """Of a job whose encoder is not there yet, no more can be asked than whether kind, preset and parameters exist."""
        kind = self.api.get(f"/v1/kinds/{row.kind}")
        presets = [preset["name"] for preset in kind["presets"]]
        unknown = [name for name in row.params if name not in kind["params"]["properties"]]
        if row.preset not in presets or unknown:
            raise LookupError(f"kind '{row.kind}' has no preset '{row.preset}'" if not unknown else
                              f"kind '{row.kind}' has no {', '.join(unknown)}")
        return "ok, as far as can be said before its encoder is there"

    def validate(self, key):
        """For --plan: a word about the job, with the time it would take where that is known."""
        row, seed = self.rows[key.split("/")[0]], int(key.split("/")[1])
        if row.parent:
            return self.known_names(row)
        body = self.body_of(row, seed)
        seconds = self.api.post("/v1/jobs?validate_only=true", body)["estimate"]["seconds_per_epoch"]
        return "ok" if seconds is None else f"ok, about {seconds * row.params['epochs']:.0f} s"
