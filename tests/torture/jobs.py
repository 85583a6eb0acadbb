"""The jobs that are ill-treated, all on the data set "tiny", and what they come to when nobody disturbs them."""
import os
import shutil
import threading

from victim import SHIMMED, Victim, expect, folder, worth

NET = {"channels": [4], "kernel": [4], "stride": [2], "padding": [1]}
CODES = {**NET, "latent_dim": 3}
# Whatever has a state of its own: masks, a running mean beside the weights, trackers, masks of dropout, statistics of batches.
STATEFUL = {"ema": 0.99, "norm": "batch", "dropout": 0.1, "schedule": "plateau", "lr_patience": 0,
            "prune": {"start_epoch": 2, "every": 2, "end_epoch": 6}, "early_stopping": {"patience": 200, "min_delta": 0.0}}
KINDS = {
    "ae": ("ae", {**CODES, "epochs": 160}),
    "vae": ("vae", {**CODES, "epochs": 160}),
    "gan": ("gan", {"latent_dim": 4, "channels": [4, 4], "discriminator_channels": [4, 4], "judge_samples": 0, "epochs": 24}),
    "finetune": ("finetune", {"epochs": 160, "freeze": False}),
    "stateful": ("ae", {**CODES, **STATEFUL, "epochs": 60}),
}
OPTIMIZERS = ("adam", "sgd", "adamw")
PARENT = "parent"


def spec(kind, optimizer="adam", name=None, **params):
    """The body of POST /v1/jobs. `epochs` and others may be given."""
    family, defaults = KINDS[kind]
    given = {"batch_size": 20, "preview_every_epochs": 20, "optimizer": optimizer, "lr": 0.002, **defaults, **params}
    if not SHIMMED:  # everything takes ten times as long
        given["epochs"] = given["epochs"] // 8 + 1
    body = {"kind": family, "dataset": "tiny", "seed": 5, "params": given, "name": name or f"{kind}-{optimizer}"}
    if family == "finetune":
        body["from"] = PARENT
    return body


_lock = threading.Lock()
_template, _worth = None, {}


def template():
    """A data directory in which the job PARENT has ended: what every round begins with."""
    global _template
    with _lock:
        if _template is None:
            place = folder("template")
            with Victim(place, shim=False) as v:
                v.start()
                job = v.settle(v.submit(spec("ae", name=PARENT, epochs=2)))
                expect(job["status"] == "succeeded", f"the parent job: {job['error']}")
                v.kill(15)
            _template = os.path.join(place, "data")
    return _template


def victim(name, *options, **how):
    """One with a copy of the template, not started."""
    place = folder(name)
    shutil.copytree(template(), os.path.join(place, "data"))
    return Victim(place, *options, **how)


def undisturbed(body):
    """What this job comes to, worked out once."""
    key = str(sorted(body["params"].items())) + body["kind"]
    template()
    with _lock:
        if key not in _worth:
            place = folder("calm")
            shutil.copytree(_template, os.path.join(place, "data"))
            with Victim(place, shim=False) as v:
                v.start()
                job = v.submit(body)
                ended = v.settle(job)
                expect(ended["status"] == "succeeded", f"undisturbed {body['name']}: {ended['error']}")
                _worth[key] = worth(v, job)
            shutil.rmtree(place)
        return _worth[key]
