"""The report's GAN in PyTorch, judged after each epoch by latentd's own judge: its classifier, with its weights, in PyTorch.

Started by twins.py. Every epoch ends with a file from which a run that was interrupted goes on, with the same random numbers.
"""
import hashlib
import json
import os
import sys
import time

import numpy as np
import torch
import torch_workloads as t

import evaluator

AGREE, NOISE = 1e-4, 100


def frechet(a, b):
    """|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2), unbiased covariances."""
    c1, c2 = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(c1)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ c2 @ root), 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * cross)


class Judge:
    def __init__(self):
        self.net = evaluator.net().float().to(memory_format=torch.channels_last)
        golden = evaluator.read_safetensors(evaluator.GOLDEN)
        found, _ = self.read(torch.from_numpy(golden["images"].astype(np.float32) / 255))
        off = np.abs(found - golden["features"]).max()
        if off > AGREE:
            sys.exit(f"the judge's features are {off:.1e} from those that latentd is held to, more than {AGREE}")
        self.test, _ = self.read(t.load("t10k")[0])

    def read(self, images):
        """Features in double, and each image's class."""
        features, classes = [], []
        with torch.no_grad():
            for part in images.split(1000):
                f, p = evaluator.read(self.net, part.contiguous(memory_format=torch.channels_last))
                features.append(f)
                classes.append(p.argmax(1))
        return torch.cat(features).double().numpy(), torch.cat(classes).numpy()

    def verdict(self, images):
        features, classes = self.read(images)
        return {"fcd": frechet(features, self.test), "shares": (np.bincount(classes, minlength=10) / len(classes)).tolist()}


def samples(generator, z):
    generator.eval()
    with torch.no_grad():
        images = torch.cat([(generator(part) + 1) / 2 for part in z.split(1000)])
    generator.train()
    return images


class Run:
    """What is in the file: all that the next epoch depends on, and the epochs so far."""

    def __init__(self, path, made_of, judged):
        self.path, self.made_of, self.epochs = path, made_of, []
        self.net, self.optimizers, self.step = t.gan(True)
        self.z = torch.randn(judged, NOISE)
        try:
            kept = torch.load(path)
        except (OSError, EOFError, RuntimeError):
            return
        if kept["made_of"] == made_of:
            self.net.load_state_dict(kept["net"])
            for optimizer, state in zip(self.optimizers, kept["optimizers"]):
                optimizer.load_state_dict(state)
            self.z, self.epochs = kept["z"], kept["epochs"]
            torch.set_rng_state(kept["random"])

    def keep(self):
        torch.save({"made_of": self.made_of, "net": self.net.state_dict(), "z": self.z, "epochs": self.epochs,
                    "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                    "random": torch.get_rng_state()}, self.path + ".new")
        os.replace(self.path + ".new", self.path)


def epoch(run, judge, x, batch):
    began, losses, images = time.perf_counter(), np.zeros(2), 0
    for part, _ in t.batches(x, x, batch, True):
        losses += [loss.item() * len(part) for loss in run.step(part)]
        images += len(part)
    seconds = time.perf_counter() - began
    before = run.epochs[-1] if run.epochs else {"images": 0, "seconds": 0.0}
    run.epochs.append({"d_loss": losses[0] / images, "g_loss": losses[1] / images, "images": before["images"] + images,
                       "seconds": before["seconds"] + seconds, **judge.verdict(samples(run.net.generator, run.z))})


def train(spec, say):
    torch.set_num_threads(spec["threads"])
    torch.manual_seed(spec["seed"])
    params = spec["params"]
    x = t.load("train")[0][: params.get("train_limit") or None] * 2 - 1
    x = x.contiguous(memory_format=torch.channels_last)
    made_of = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    judge = Judge()  # draws random numbers of its own: before those that are kept are put back
    run = Run(spec["save"], made_of, params["judge_samples"])
    while len(run.epochs) < params["epochs"]:
        epoch(run, judge, x, params["batch_size"])
        run.keep()
        say(epoch=len(run.epochs), **run.epochs[-1])
    last = run.epochs[-1]
    say(result={"test": {"fcd": last["fcd"]}, "train_s": last["seconds"], "epochs": len(run.epochs), "history": run.epochs,
                "seed": spec["seed"], "threads": torch.get_num_threads(), "torch": torch.__version__})


def judge_file(path, say):
    images = np.load(path)
    verdict = Judge().verdict(torch.from_numpy(images.reshape(len(images), 1, 28, 28)))
    say(result={**verdict, "count": len(images), "torch": torch.__version__})
