#!/usr/bin/env python3
"""The workloads of build/release/bench in PyTorch, as fast as Debian's PyTorch 1.13 was found to run them in float.

  torch_workloads.py train ae|vae|cnn|gan|class1|class2 [--threads N] [--epochs N] [--images N] [--batch N]
                     [--config plain|tuned]
  torch_workloads.py infer decode|encode|decode1 [--threads N] [--config plain|tuned]
  torch_workloads.py check

One JSON object a line, with the keys of `bench`: seconds per epoch of 60,000 images, or per 10,000 images.
tests/bench/peers.py starts it with the environment that belongs to each configuration (OMP_NUM_THREADS,
OPENBLAS_NUM_THREADS, LD_PRELOAD).

  plain   what `import torch` gives
  tuned   channels_last, Adam with foreach, and ConvTranspose2d through oneDNN (FastConvTranspose2d)

The nets are those of tests/golden/trajectory.py; `check` shows that the fast transposed convolution is the plain one.
"""
import argparse
import copy
import gzip
import json
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import trajectory

DATA = "/usr/share/datasets/fashion-mnist/"
EPOCH, MANY, WARM_STEPS = 60000, 10000, 20
INFER_BATCHES = (250, 1000, 10000)
INFER_ROUNDS, SINGLE_WARM, SINGLE_CALLS = 9, 200, 3000


class FastTranspose(torch.autograd.Function):
    """PyTorch 1.13 runs a transposed convolution as one product a sample (aten::slow_conv_transpose2d). It is the
    gradient of a convolution, and its gradients are a convolution and a weight gradient: oneDNN has all three."""

    @staticmethod
    def forward(ctx, x, w, b, stride, padding, output_padding):
        ctx.save_for_backward(x, w)
        ctx.how = [stride] * 2, [padding] * 2
        ctx.biased = b is not None
        size = [(n - 1) * stride + w.size(2) - 2 * padding + output_padding for n in x.shape[2:]]
        last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
        shape_of = torch.empty((x.size(0), w.size(1), *size), dtype=x.dtype,
                               memory_format=torch.channels_last if last else torch.contiguous_format)
        y = torch.ops.aten.convolution_backward(x, shape_of, w, None, *ctx.how, [1, 1], False, [0, 0], 1,
                                                [True, False, False])[0]
        return y.add_(b.view(1, -1, 1, 1)) if ctx.biased else y

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        stride, padding = ctx.how
        dx = dw = db = None
        if ctx.needs_input_grad[0]:
            dx = F.conv2d(dy, w, None, stride, padding)
        if ctx.needs_input_grad[1]:
            dw = torch.ops.aten.convolution_backward(x, dy, w, None, stride, padding, [1, 1], False, [0, 0], 1,
                                                     [False, True, False])[1]
        if ctx.biased:
            db = dy.sum((0, 2, 3))
        return dx, dw, db, None, None, None


class FastConvTranspose2d(nn.ConvTranspose2d):
    def forward(self, x):
        return FastTranspose.apply(x, self.weight, self.bias, self.stride[0], self.padding[0], self.output_padding[0])


def fast(net):
    for module in net.modules():
        if type(module) is nn.ConvTranspose2d:
            module.__class__ = FastConvTranspose2d
    return net


def load(split):
    with gzip.open(f"{DATA}{split}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(f"{DATA}{split}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return torch.from_numpy(pixels.astype(np.float32) / 255), torch.from_numpy(labels.astype(np.int64))


def prepare(net, tuned):
    return fast(net).to(memory_format=torch.channels_last) if tuned else net


def adam(net, tuned, **how):
    return torch.optim.Adam(net.parameters(), foreach=True if tuned else None, **how)


def one_loss(net, loss_of, tuned):
    """A training step of a net with one loss."""
    optimizer = adam(net, tuned, lr=1e-3)

    def step(x, labels):
        loss = loss_of(x, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss

    return step


def make_ae(tuned):
    net = prepare(trajectory.ae_nets(), tuned)
    return one_loss(net, lambda x, _: F.mse_loss(net(x), x), tuned)


def make_vae(tuned):
    net = prepare(trajectory.vae_nets(), tuned)
    encoder, decoder = net.encoder, net.decoder

    def loss_of(x, _):
        mean, logvar = encoder(x).chunk(2, 1)
        y = decoder(mean + torch.exp(0.5 * logvar) * torch.randn_like(mean))
        return (F.mse_loss(y, x, reduction="sum") - 0.5 * (1 + logvar - mean * mean - logvar.exp()).sum()) / x.size(0)

    return one_loss(net, loss_of, tuned)


def make_classifier(nets):
    def make(tuned):
        net = prepare(nets(), tuned)
        whole = next(net.children())
        return one_loss(net, lambda x, labels: F.cross_entropy(whole(x), labels), tuned)

    return make


def dcgan_init(net):
    for module in net.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, 0.02)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.weight, 1, 0.02)


def gan(tuned):
    """The report's GAN: (nets, their optimisers, step(x) → both losses)."""
    net = trajectory.gan_nets()
    dcgan_init(net)
    g, d = prepare(net, tuned).children()
    g_adam, d_adam = (adam(part, tuned, lr=2e-4, betas=(0.5, 0.999)) for part in (g, d))
    bce = F.binary_cross_entropy_with_logits

    def step(x):
        one, zero = torch.ones(x.size(0), 1), torch.zeros(x.size(0), 1)
        fake = g(torch.randn(x.size(0), 100))
        d_loss = bce(d(x), one) + bce(d(fake.detach()), zero)
        d_adam.zero_grad(set_to_none=True)
        d_loss.backward()
        d_adam.step()
        d.requires_grad_(False)  # the weight gradients of this pass would be thrown away
        g_loss = bce(d(fake), one)
        g_adam.zero_grad(set_to_none=True)
        g_loss.backward()
        g_adam.step()
        d.requires_grad_(True)
        return d_loss, g_loss

    return net, (g_adam, d_adam), step


def make_gan(tuned):
    step = gan(tuned)[2]
    return lambda x, _: step(x)[0]


WORKLOADS = {
    "ae": make_ae,
    "vae": make_vae,
    "cnn": make_classifier(trajectory.cnn_nets),
    "gan": make_gan,
    "class1": make_classifier(trajectory.class1_nets),
    "class2": make_classifier(trajectory.class2_nets),
}


def inputs(workload, images, tuned):
    """What the steps see: pixels, or for the heads an encoder's codes, computed once and outside the measured time."""
    x, labels = load("train")
    x, labels = x[:images], labels[:images]
    if workload == "gan":
        x = x * 2 - 1
    if workload.startswith("class"):
        encoder = trajectory.ae_nets().encoder
        with torch.no_grad():
            return torch.cat([encoder(part) for part in x.split(1000)]), labels
    return x.contiguous(memory_format=torch.channels_last) if tuned else x, labels


def batches(x, labels, batch, tuned):
    order = torch.randperm(len(x))
    for i in range(0, len(x), batch):
        chosen = order[i : i + batch]
        part = x[chosen]
        if tuned and part.dim() == 4:
            part = part.contiguous(memory_format=torch.channels_last)
        yield part, labels[chosen]


def train(args, tuned):
    x, labels = inputs(args.workload, args.images, tuned)
    step = WORKLOADS[args.workload](tuned)
    for i, part in enumerate(batches(x, labels, args.batch, tuned)):
        if i == (WARM_STEPS if args.workload != "gan" else 3):
            break
        step(*part)
    runs = []
    for _ in range(args.epochs):
        start, total = time.perf_counter(), 0.0
        for part in batches(x, labels, args.batch, tuned):
            total += step(*part).item() * len(part[0])
        runs.append((time.perf_counter() - start) * EPOCH / len(x))
    return {"batch": args.batch, "images": len(x), "seconds": statistics.median(runs), "runs": runs,
            "loss": total / len(x)}


def median_seconds(call):
    call()
    call()
    runs = []
    for _ in range(INFER_ROUNDS):
        start = time.perf_counter()
        call()
        runs.append(time.perf_counter() - start)
    return statistics.median(runs)


def forms(net, example, tuned):
    """(name, callable) of a half of the net: as it is, or in each form that may be the fastest."""
    if not tuned:
        return [("eager", net)]
    with torch.no_grad():
        frozen = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, example)))
    last = prepare(copy.deepcopy(net), True)
    return [("eager", net), ("frozen", frozen), ("channels_last", last)]


def infer(args, tuned):
    net = trajectory.ae_nets().eval()
    encodes = args.workload == "encode"
    x = load("t10k")[0] if encodes else torch.randn(MANY, 8)
    best = None
    for name, form in forms(net.encoder if encodes else net.decoder, x[:1], tuned):
        # A custom autograd function and a frozen graph want no_grad, not inference_mode.
        with torch.no_grad():
            if args.workload == "decode1":
                found = {"form": name, **single_latency(form, x)}
                better = best is None or found["us_p50"] < best["us_p50"]
            else:
                seconds, batch = min(
                    (median_seconds(lambda: [form(part) for part in x.split(batch)]), batch) for batch in INFER_BATCHES)
                found = {"form": name, "batch": batch, "n": MANY, "seconds": seconds}
                better = best is None or found["seconds"] < best["seconds"]
        best = found if better else best
    return best


def single_latency(form, x):
    for i in range(SINGLE_WARM):
        form(x[i : i + 1])
    took = []
    for i in range(SINGLE_CALLS):
        start = time.perf_counter_ns()
        form(x[i : i + 1])
        took.append((time.perf_counter_ns() - start) / 1000)
    p50, p99 = np.percentile(took, (50, 99))
    return {"us_p50": float(p50), "us_p99": float(p99)}


def check():
    """The fast transposed convolution against the plain one, forward and backward, at the nets' shapes and layouts."""
    worst = 0.0
    for c, o, size, k, s, p, op, biased in (
        (32, 16, 3, 3, 2, 0, 0, True), (16, 8, 7, 3, 2, 1, 1, True), (8, 1, 14, 3, 2, 1, 1, True),
        (16, 8, 7, 4, 2, 1, 0, True), (128, 64, 7, 4, 2, 1, 0, False), (32, 1, 28, 3, 1, 1, 0, True)):
        for form in (torch.contiguous_format, torch.channels_last):
            plain = nn.ConvTranspose2d(c, o, k, s, p, op, bias=biased)
            quick = fast(nn.Sequential(nn.ConvTranspose2d(c, o, k, s, p, op, bias=biased)))[0].to(memory_format=form)
            quick.load_state_dict(plain.state_dict())
            a = torch.randn(9, c, size, size, requires_grad=True)
            b = a.detach().contiguous(memory_format=form).requires_grad_()
            y, z = plain(a), quick(b)
            dy = torch.randn_like(y)
            y.backward(dy)
            z.backward(dy.contiguous(memory_format=form))
            pairs = [(y, z), (a.grad, b.grad)]
            pairs += [(u.grad, v.grad) for u, v in zip(plain.parameters(), quick.parameters())]
            worst = max([worst] + [((u - v).norm() / u.norm()).item() for u, v in pairs])
    return {"check": "transposed convolution", "distance": worst, "agrees": worst < 1e-5}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("train", "infer", "check"))
    parser.add_argument("workload", nargs="?", choices=(*WORKLOADS, "decode", "encode", "decode1"))
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int, default=EPOCH)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--config", choices=("plain", "tuned"), default="tuned")
    args = parser.parse_args()
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    tuned = args.config == "tuned"
    if args.what == "check":
        found = check()
    elif (args.what == "train") == (args.workload in WORKLOADS):
        found = (train if args.what == "train" else infer)(args, tuned)
    else:
        parser.error(f"no such workload for {args.what}: {args.workload}")
    name = {} if args.what == "check" else {"workload": args.workload, "config": args.config}
    print(json.dumps({**name, "threads": torch.get_num_threads(), "torch": torch.__version__, **found}), flush=True)


if __name__ == "__main__":
    main()
