"""Starts twins.py for each row of plan.twins() and keeps what comes out in FOLDER/twins.json, with what the judge said, so that
a second run asks for nothing twice. Without PyTorch, or when a run fails, there is a reason in place of a result."""
import hashlib
import json
import os
import subprocess
import sys
import time

import plan
from daemon import Refused

HERE = os.path.dirname(os.path.abspath(__file__))
UNITS = (1, 2, 4, 5, 8, 14, 16)


class Peers:
    def __init__(self, folder, threads, progress):
        self.folder, self.threads, self.progress = folder, threads, progress
        self.path = os.path.join(folder, "twins.json")
        self.results, self.trouble, self.pca, self.judged = {}, {}, None, None
        try:
            with open(self.path) as file:
                self.kept = json.load(file)
        except (OSError, ValueError):
            self.kept = {}

    def keep(self):
        with open(self.path + ".new", "w") as file:
            json.dump(self.kept, file, indent=1)
        os.replace(self.path + ".new", self.path)

    def remember(self, key, ask):
        """What ask() says, or said in an earlier run under the same key."""
        if key not in self.kept:
            self.kept[key] = ask()
            self.keep()
        return self.kept[key]

    def call(self, key, arguments, epochs):
        """The result of a run of twins.py, or LookupError with its last words."""
        # Its BLAS and OpenMP threads would fight for the same processors.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": str(self.threads)}
        command = [sys.executable, os.path.join(HERE, "twins.py"), *arguments]
        began, result = time.monotonic(), None
        with open(os.path.join(self.folder, "twins.log"), "a+") as log:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process:
                try:
                    for line in process.stdout:
                        told = json.loads(line)
                        result = told.get("result", result)
                        if "epoch" in told:
                            self.progress.show(key, f"epoch {told['epoch']}/{epochs}")
                except BaseException:
                    process.kill()
                    raise
            if process.returncode or result is None:
                log.seek(0)
                lines = log.read().split("\n")
                raise LookupError(next((line for line in reversed(lines) if line.strip()), f"exit code {process.returncode}"))
        return result, time.monotonic() - began

    def run(self, twin, runner):
        key = f"pytorch {twin.group}"
        try:
            job = next(iter(runner.group(twin.group)), None)
            if not job:
                raise LookupError(f"our side is missing: {runner.why(twin.group)}")
            if twin.on and twin.on not in self.results:
                raise LookupError(f"its encoder is missing: {self.trouble.get(twin.on, 'not run')}")
            files = {name: os.path.join(self.folder, f"twin-{group}.pt")
                     for name, group in (("save", twin.group), ("encoder", twin.on)) if group}
            spec = {"workload": twin.workload, "params": job["params"], "seed": 1, "threads": self.threads, **files}
            spec["on"] = self.results[twin.on]["sum"] if twin.on else None
            self.results[twin.group] = self.result_of(key, spec)
        except LookupError as error:
            self.trouble[twin.group] = str(error)
            self.progress.done(key, f"none: {error}")

    def result_of(self, key, spec):
        spec_sum = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:20]
        if spec_sum in self.kept and os.path.exists(spec["save"]):
            self.progress.done(key, "of an earlier run")
            return self.kept[spec_sum]
        path = os.path.join(self.folder, "twin.json")
        with open(path, "w") as file:
            json.dump(spec, file)
        result, took = self.call(key, ["train", path], spec["params"]["epochs"])
        result["sum"] = spec_sum
        self.kept[spec_sum] = result
        self.keep()
        self.progress.done(key, f"{result['train_s']:.1f} s of training", took)
        return result

    def run_judge(self, runner, count):
        """self.judged: what the judge's classifier in PyTorch says of samples that latentd judges, too."""
        key = "pytorch judge"
        try:
            job = next(iter(runner.group(plan.JUDGED_TWICE)), None)
            if not job:
                raise LookupError(f"our side is missing: {runner.why(plan.JUDGED_TWICE)}")
            self.judged = self.remember(f"judge {job['id']} {count}", lambda: self.judge_samples(runner.api, job, count, key))
            self.progress.done(key, "done")
        except (LookupError, Refused) as error:
            self.trouble["judge"] = str(error)
            self.progress.done(key, f"none: {error}")

    def judge_samples(self, api, job, count, key):
        path = os.path.join(self.folder, "samples.npy")
        with open(path, "wb") as file:
            file.write(api.raw(f"/v1/models/{job['id']}@last/sample", {"count": count, "seed": plan.DRAW}, "application/x-npy"))
        result, _ = self.call(key, ["judge", path], 0)
        os.remove(path)
        return result

    def run_pca(self):
        """self.pca: {units: test error} and the mean image's."""
        key = "principal components"
        try:
            self.pca = self.remember("pca", lambda: self.call(key, ["pca", *map(str, UNITS)], 0)[0])
            self.progress.done(key, "done")
        except LookupError as error:
            self.trouble["pca"] = str(error)
            self.progress.done(key, f"none: {error}")
