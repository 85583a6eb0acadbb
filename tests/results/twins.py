#!/usr/bin/env python3
"""The same nets in PyTorch: trained on the same images for as many epochs with the same optimiser and rate, and tested.

  twins.py train SPEC.json     {"workload": ae|vae|cnn|gan|class1|class2, "params": resolved parameters of our job, "seed": 1,
                               "threads": 2, "save": file for the weights, "encoder": file of the autoencoder's weights}
  twins.py judge IMAGES.npy    what the judge's classifier, in PyTorch, says of them (twin_gan.py)
  twins.py pca UNITS...        the test error of as many principal components: what a linear model reaches

One JSON object a line: {"epoch": 3} while it goes on, {"result": {...}} at the end. Nets and steps are those of
tests/bench/torch_workloads.py in its fastest setting, so the seconds are PyTorch's best on this machine.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))

import numpy as np

SAME = {
    "optimizer": "adam", "beta1": 0.9, "beta2": 0.999, "schedule": "constant", "warmup_epochs": 0, "weight_decay": 0,
    "grad_clip": 0, "grad_clip_value": 0, "ema": 0, "early_stopping": None, "prune": None, "augment": [], "val_fraction": 0,
    "dropout": 0, "dropout2d": 0, "denoise": 0, "denoise_mask": 0, "label_smoothing": 0, "gce_q": 0, "beta": 1, "beta_warmup": 0,
    "free_bits": 0, "likelihood": "gaussian", "norm": "none", "standardize": False, "freeze": True, "unfreeze_after": 0,
}
OWN = {
    "ae": {"latent_dim": 8}, "vae": {"latent_dim": 5},
    "gan": {"latent_dim": 100, "channels": [128, 64, 32], "discriminator_channels": [64, 128], "norm": "batch",
            "discriminator_norm": "batch", "spectral_norm": False, "gan_loss": "non_saturating", "lr": 2e-4, "lr_d": 0, "lr_g": 0,
            "beta1": 0.5, "n_critic": 1, "instance_noise": 0, "r1": 0},
}


def say(**what):
    print(json.dumps(what), flush=True)


def comparable(workload, params):
    """The steps below are for one recipe; another one must not pass for the same."""
    for name, value in {**SAME, **OWN.get(workload, {})}.items():
        if params.get(name, value) != value:
            sys.exit(f"the PyTorch side has {name} {value}, the job {params[name]}")


def net_and_step(workload, lr):
    """(net, step(x, labels) → loss). FastConvTranspose2d and channels_last as tests/bench/README.md explains them."""
    import torch_workloads as t
    nets = {"ae": t.trajectory.ae_nets, "vae": t.trajectory.vae_nets, "cnn": t.trajectory.cnn_nets,
            "class1": t.trajectory.class1_nets, "class2": t.trajectory.class2_nets}
    net = t.prepare(nets[workload](), True)

    def loss_of(x, labels):
        if workload == "ae":
            return t.F.mse_loss(net(x), x)
        if workload == "vae":
            mean, logvar, y = vae_pass(t.torch, net, x)
            return (t.F.mse_loss(y, x, reduction="sum") + kl_of(mean, logvar)) / len(x)
        return t.F.cross_entropy(next(net.children())(x), labels)

    optimizer = t.adam(net, True, lr=lr)

    def step(x, labels):
        loss = loss_of(x, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss

    return net, step


def vae_pass(torch, net, x):
    mean, logvar = net.encoder(x).chunk(2, 1)
    return mean, logvar, net.decoder(mean + torch.exp(0.5 * logvar) * torch.randn_like(mean))


def kl_of(mean, logvar):
    return -0.5 * (1 + logvar - mean * mean - logvar.exp()).sum()


def codes(encoder_file, x):
    import torch_workloads as t
    net = t.trajectory.ae_nets()
    net.load_state_dict(t.torch.load(encoder_file))
    with t.torch.no_grad():
        return t.torch.cat([net.encoder(part) for part in x.split(1000)])


def test(workload, net, x, labels):
    import torch_workloads as t
    total = {}

    def add(name, value):
        total[name] = total.get(name, 0.0) + float(value) / len(x)

    with t.torch.no_grad():
        for part, truth in zip(x.split(1000), labels.split(1000)):
            if workload == "ae":
                add("loss", t.F.mse_loss(net(part), part) * len(part))
            elif workload == "vae":
                mean, logvar, y = vae_pass(t.torch, net, part)
                add("recon", t.F.mse_loss(y, part, reduction="sum"))
                add("kl", kl_of(mean, logvar))
            else:
                scores = next(net.children())(part)
                add("loss", t.F.cross_entropy(scores, truth, reduction="sum"))
                add("accuracy", (scores.argmax(1) == truth).sum())
    if workload == "vae":
        total["loss"] = total["recon"] + total["kl"]
    return total


def train(spec):
    import torch_workloads as t
    params, workload = spec["params"], spec["workload"]
    comparable(workload, params)
    if workload == "gan":
        import twin_gan
        return twin_gan.train(spec, say)
    t.torch.set_num_threads(spec["threads"])
    t.torch.manual_seed(spec["seed"])
    x, labels = t.load("train")
    test_x, test_labels = t.load("t10k")
    if params.get("train_limit"):
        x, labels = x[: params["train_limit"]], labels[: params["train_limit"]]
    if spec.get("encoder"):
        x, test_x = codes(spec["encoder"], x), codes(spec["encoder"], test_x)
    elif x.dim() == 4:
        x = x.contiguous(memory_format=t.torch.channels_last)
    net, step = net_and_step(workload, params["lr"])
    seconds = 0.0
    for epoch in range(1, params["epochs"] + 1):
        began, total = time.perf_counter(), 0.0
        for part in t.batches(x, labels, params["batch_size"], True):
            total += step(*part).item() * len(part[0])
        seconds += time.perf_counter() - began
        say(epoch=epoch, loss=total / len(x))
    if spec.get("save"):
        t.torch.save(net.state_dict(), spec["save"])
    say(result={"test": test(workload, net, test_x, test_labels), "train_loss": total / len(x), "train_s": seconds,
                "epochs": params["epochs"], "seed": spec["seed"], "threads": t.torch.get_num_threads(),
                "torch": t.torch.__version__})


def pixels(split):
    import gzip
    with gzip.open(f"/usr/share/datasets/fashion-mnist/{split}-images-idx3-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / 255


def pca(units):
    """Fitted on all training images, in double."""
    train_x, test_x = pixels("train"), pixels("t10k")
    mean = train_x.mean(0)
    _, axes = np.linalg.eigh((train_x - mean).T @ (train_x - mean))
    centred = test_x - mean
    errors = {}
    for n in units:
        kept = axes[:, -n:]
        errors[n] = float(((centred - centred @ kept @ kept.T) ** 2).mean())
    say(result={"test_mse": errors, "mean_image": float((centred**2).mean())})


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "train":
        with open(sys.argv[2]) as file:
            train(json.load(file))
    elif len(sys.argv) > 2 and sys.argv[1] == "judge":
        import twin_gan
        twin_gan.judge_file(sys.argv[2], say)
    elif len(sys.argv) > 2 and sys.argv[1] == "pca":
        pca([int(n) for n in sys.argv[2:]])
    else:
        sys.exit(__doc__)
