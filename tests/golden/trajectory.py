#!/usr/bin/env python3
"""Trajectories for tests/core/model/trajectory.c: what PyTorch, in double, makes of each net in many optimiser steps.

Needs Debian's python3-torch and dataset-fashion-mnist; run by `make golden`. Everything that goes in follows from
formulas, so that C makes the same and only the outcome is stored.

Nets, as rows of nn.Sequential (the names of tensors follow from them):
  ae      encoder, decoder: the report's, latent 8 (make.py)
  vae     encoder: Conv 8 k4 s2 p1, ReLU, Conv 16 k4 s2 p1, ReLU, Flatten, Linear 10 (rows 0..4 mean, 5..9 logvar)
          decoder: Linear 784, ReLU, Unflatten 16x7x7, ConvT 8 k4 s2 p1, ReLU, ConvT 1 k4 s2 p1, Sigmoid
  nll     encoder: Flatten, Linear 60, GLU, Linear 10; decoder: Linear 60, GLU, Linear 784, Unflatten 1x28x28; of the outputs,
          logits, a Sigmoid makes pixels. Images are black or white: pixel i of image n is white where word i % 4 of Philox at
          index i / 4, step 2^32 + n, stream 11, seed 5, times 2^-32, is below its gray value.
  cnn     classifier: the autoencoder's encoder with 10 outputs
  small   classifier: for 16, 32, 64 channels (Conv k3 s1 p1 without bias, BatchNorm, SiLU) twice and AvgPool 2; AvgPool 3, Flatten,
          Linear 10: the preset's net, but for ReLU and MaxPool, whose kinks would let rounding decide which way it goes
  class1  head: Linear 64, ReLU, Linear 288, ReLU, Linear 10, on codes of 8 numbers
  class2  head: Linear 10, on codes of 8 numbers
  gan     generator: Linear 6272 without bias, BatchNorm, ReLU, Unflatten 128x7x7, ConvT 64 k4 s2 p1 without bias,
          BatchNorm, ReLU, ConvT 32 k4 s2 p1 without bias, BatchNorm, ReLU, ConvT 1 k3 s1 p1, Tanh
          discriminator: Conv 64 k4 s2 p1, LeakyReLU .2, Conv 128 k4 s2 p1 without bias, BatchNorm, LeakyReLU .2,
          Flatten, Linear 1
  sngan   the same with a quarter of the channels, no BatchNorm in the discriminator (whose convolutions then have biases), and
          torch.nn.utils.spectral_norm on its layers

Weights. Tensor t is the t-th (from 0) of the file's metadata `tensors`: the nets in the order above, their rows in
order, and of a row weight, bias, running_mean, running_var (of one with a spectral norm bias, weight_orig, weight_u, weight_v). Element e, in PyTorch's order, of a weight or bias of a
linear layer or convolution is, in unsigned arithmetic modulo 2^64,
  h = (t * 2^32 + e + 1) * 0x9E3779B97F4A7C15
  h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9;  h = (h ^ h >> 27) * 0x94D049BB133111EB;  h = h ^ h >> 31
  (float)(((double)(h >> 40) * 2^-23 - 1) * (1 / sqrt((double)fan)))
with fan = elements of the row's weight[0] (of weight_u and weight_v, too). Of a batch norm: weight 1, bias 0, running_mean 0, running_var 1.

Batches. Step s = 1, 2, ... takes images (s-1)*B ... s*B-1 of the test split, B = 40 (small, gan, sngan: 24), and their labels;
pixels / 255, gan: pixels / 127.5 - 1. Noise: element i*L+j of rng_normal with {seed 5, RNG_NOISE, step s} is number j
of sample i: the vae's eps (L = 5), the gan's z (L = 100), and the codes that class1 and class2 see in place of images
(L = 8).

Losses, of a batch of B:
  ae      mean over images and pixels of (y - x)^2
  vae     (sum of (y - x)^2 - 1/2 sum of (1 + logvar - mean^2 - exp(logvar))) / B; z = mean + exp(logvar / 2) eps;
          logvar is clamped to -10..10 before all else, its gradient is 0 outside
  nll     BCE with logits, summed, / B, and the same KL; the step is taken on BCE / B + sum over units of
          max(0.011, mean of the batch's KL of the unit)
  cnn, class1, class2   mean cross entropy of softmax(logits)
  small   the same with label smoothing .1
  gan     three a step: BCE(D(x), 1), BCE(D(G(z)), 0), BCE(D(G(z)), 1), each a mean, with logits. D takes its step on
          the sum of the first two (two passes, real first, each with its own batch statistics), then G takes its step
          on the third, through the D that has just learnt and whose statistics move once more (the same G(z); D's
          weights get no gradient).
  sngan   the same three, and mean over x of |dD/dx|^2, half of which is added to what D takes its step on. The singular
          vectors move once a step, before D(x).
Batch norm: eps 1e-5, momentum .1, biased variance to normalise, unbiased for running_var.

Files trajectory_<net>.safetensors: for RUN in `sgd` (50 steps, no momentum, metadata `lr`) and `adam` (10 steps,
eps 1e-8, metadata `adam_lr` and `betas`), both from the same weights:
  RUN.losses    F64 [steps] (gan: [steps,3], sngan: [steps,4]), before each step's update
  RUN.norms     F64 [tensors], of each tensor at the end: the square root of the sum of squares
  RUN.loss_drift, RUN.drift
                F64 [steps] and [tensors]: how far rounding alone leads away. PyTorch takes the same path in float,
                FLOATS times from weights about half a unit in the last place away; the farthest counts. Losses: the
                largest |loss / double's - 1| up to that step; tensors: |tensor - double's| / |double's|, norms of the
                whole tensor. Where a pre-activation near 0 changes sides, gradients jump, so that a net with many of
                them (the gan has a million a step) drifts more than rounding errors add up to. A tolerance below this
                would test luck.
  RUN.<tensor>  F32: elements 0, d, 2d, ... of it at the end, d = 1 up to 1024 elements, else the least number from
                elements / 1024 on that shares no factor with it
"""
import copy
import gzip
import math
import os
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import make

TEST_LABELS = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz"
SGD_STEPS, ADAM_STEPS = 50, 10
SAMPLE = 1024
FLOATS = 4
NOISE_SEED, RNG_NOISE, RNG_BINARIZE = 5, 7, 11


# --- what core/base/rng.c draws -------------------------------------------------------------------------------------


def philox(counter, key):
    """Philox4x32-10 of arrays of uint32 (uint64 here, to multiply in)."""
    low = np.uint64(0xFFFFFFFF)
    c = [np.asarray(word, np.uint64) for word in counter]
    k = [np.uint64(word) for word in key]
    for _ in range(10):
        left, right = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [right >> np.uint64(32) ^ c[1] ^ k[0], right & low, left >> np.uint64(32) ^ c[3] ^ k[1], left & low]
        k = [k[0] + np.uint64(0x9E3779B9) & low, k[1] + np.uint64(0xBB67AE85) & low]
    return c


def rng_normal(n, seed, stream, step):
    index = np.arange((n + 1) // 2, dtype=np.uint64)
    same = np.zeros_like(index)
    w = philox((index, same + step % 2**32, same + step // 2**32, same + stream), (seed % 2**32, seed // 2**32))
    u1 = ((w[0] << np.uint64(21) ^ w[1] >> np.uint64(11)).astype(np.float64) + 1) * 2.0**-53
    u2 = (w[2] << np.uint64(21) ^ w[3] >> np.uint64(11)).astype(np.float64) * 2.0**-53
    radius, angle = np.sqrt(-2 * np.log(u1)), 6.283185307179586476925286766559 * u2
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1).reshape(-1)[:n].astype(np.float32)


def noise(step, batch, width):
    return torch.from_numpy(rng_normal(batch * width, NOISE_SEED, RNG_NOISE, step).reshape(batch, width))


# --- weights --------------------------------------------------------------------------------------------------------


def hashed(tensor, shape, fan):
    n = int(np.prod(shape))
    with np.errstate(over="ignore"):
        h = (np.uint64(tensor << 32) + np.arange(1, n + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        h = (h ^ h >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ h >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        h = h ^ h >> np.uint64(31)
    unit = (h >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1
    return (unit * (1 / math.sqrt(fan))).astype(np.float32).reshape(shape)


def tensors_of(net):
    return {name: t for name, t in net.state_dict().items() if not name.endswith("num_batches_tracked")}


def fill(net):
    """Batch norm already starts as the formulas say."""
    number = {name: t for t, name in enumerate(tensors_of(net))}
    for row, module in net.named_modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            for kind, p in module.named_parameters():
                values = hashed(number[row + "." + kind], tuple(p.shape), module.weight[0].numel())
                p.data = torch.from_numpy(values).to(p.dtype)
            for kind, p in module.named_buffers():  # singular vectors
                values = hashed(number[row + "." + kind], tuple(p.shape), module.weight[0].numel())
                p.data = torch.from_numpy(values).to(p.dtype)
    return net


# --- nets and one step of each --------------------------------------------------------------------------------------


def nets_of(**parts):
    net = nn.Sequential()
    for name, part in parts.items():
        net.add_module(name, part)
    return net


def vae_nets():
    encoder = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 4, 2, 1), nn.ReLU(), nn.Flatten(),
                            nn.Linear(784, 10))
    decoder = nn.Sequential(nn.Linear(5, 784), nn.ReLU(), nn.Unflatten(1, (16, 7, 7)),
                            nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 4, 2, 1),
                            nn.Sigmoid())
    return nets_of(encoder=encoder, decoder=decoder)


def nll_nets():
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 60), nn.GLU(1), nn.Linear(30, 10))
    decoder = nn.Sequential(nn.Linear(5, 60), nn.GLU(1), nn.Linear(30, 784), nn.Unflatten(1, (1, 28, 28)))
    return nets_of(encoder=encoder, decoder=decoder)


def ae_nets():
    encoder, decoder = make.report_net()
    return nets_of(encoder=encoder, decoder=decoder)


def cnn_nets():
    return nets_of(classifier=nn.Sequential(*list(make.report_net()[0])[:-1], nn.Linear(64, 10)))


def small_nets():
    rows, before = [], 1
    for channels in 16, 32, 64:
        for _ in range(2):
            rows += [nn.Conv2d(before, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.SiLU()]
            before = channels
        rows.append(nn.AvgPool2d(2))
    return nets_of(classifier=nn.Sequential(*rows, nn.AvgPool2d(3), nn.Flatten(), nn.Linear(64, 10)))


def class1_nets():
    return nets_of(head=nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 288), nn.ReLU(), nn.Linear(288, 10)))


def class2_nets():
    return nets_of(head=nn.Sequential(nn.Linear(8, 10)))


def gan_nets():
    generator = nn.Sequential(
        nn.Linear(100, 6272, bias=False), nn.BatchNorm1d(6272), nn.ReLU(), nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 3, 1, 1), nn.Tanh())
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128),
        nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(6272, 1))
    return nets_of(generator=generator, discriminator=discriminator)


def sngan_nets():
    generator = nn.Sequential(
        nn.Linear(100, 1568, bias=False), nn.BatchNorm1d(1568), nn.ReLU(), nn.Unflatten(1, (32, 7, 7)),
        nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 3, 1, 1), nn.Tanh())
    norm = nn.utils.spectral_norm
    discriminator = nn.Sequential(
        norm(nn.Conv2d(1, 16, 4, 2, 1)), nn.LeakyReLU(.2), norm(nn.Conv2d(16, 32, 4, 2, 1)), nn.LeakyReLU(.2),
        nn.Flatten(), norm(nn.Linear(1568, 1)))
    return nets_of(generator=generator, discriminator=discriminator)


def ae_loss(net, x, labels, step):
    return F.mse_loss(net(x), x)


def vae_loss(net, x, labels, step):
    mean, logvar = net.encoder(x).chunk(2, 1)
    logvar = logvar.clamp(-10, 10)
    y = net.decoder(mean + torch.exp(logvar / 2) * noise(step, len(x), 5).to(x.dtype))
    return (F.mse_loss(y, x, reduction="sum") - 0.5 * (1 + logvar - mean * mean - logvar.exp()).sum()) / len(x)


def binarized(x, step):
    """White where a draw for this image and pixel is below the gray value."""
    n, pixels = len(x), x[0].numel()
    index, low = np.meshgrid(np.arange(pixels // 4, dtype=np.uint64), np.arange(n, dtype=np.uint64) + np.uint64((step - 1) * n))
    same = np.zeros_like(index)
    w = philox((index, low, same + np.uint64(1), same + np.uint64(RNG_BINARIZE)), (NOISE_SEED, 0))
    drawn = torch.from_numpy(np.stack(w, 2).reshape(x.shape).astype(np.float64) * 2.0**-32)
    return (drawn < x.float().double()).to(x.dtype)


def nll_step(net, optimizers, x, labels, step):
    x = binarized(x, step)
    mean, logvar = net.encoder(x).chunk(2, dim=1)
    logvar = logvar.clamp(-10, 10)
    logits = net.decoder(mean + torch.exp(logvar / 2) * noise(step, len(x), 5).to(x.dtype))
    recon = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    kl = -0.5 * (1 + logvar - mean * mean - logvar.exp()).mean(0)
    net.zero_grad()
    (recon + kl.clamp(min=0.011).sum()).backward()
    for optimizer in optimizers.values():
        optimizer.step()
    return [(recon + kl.sum()).item()]


def cnn_loss(net, x, labels, step):
    return F.cross_entropy(net(x), labels)


def small_loss(net, x, labels, step):
    return F.cross_entropy(net(x), labels, label_smoothing=0.1)


def head_loss(net, x, labels, step):
    return F.cross_entropy(net(noise(step, len(x), 8).to(x.dtype)), labels)


def single(loss_of):
    """A step of a net that has one loss: (nets, optimisers by net, x, labels, step) → losses."""

    def take(net, optimizers, x, labels, step):
        loss = loss_of(net, x, labels, step)
        net.zero_grad()
        loss.backward()
        for optimizer in optimizers.values():
            optimizer.step()
        return [loss.item()]

    return take


def gan_step(net, optimizers, x, labels, step):
    g, d = net.generator, net.discriminator
    one, zero = torch.ones(len(x), 1, dtype=x.dtype), torch.zeros(len(x), 1, dtype=x.dtype)
    x = x * 2 - 1
    fake = g(noise(step, len(x), 100).to(x.dtype))
    bce = F.binary_cross_entropy_with_logits
    real_loss, fake_loss = bce(d(x), one), bce(d(fake.detach()), zero)
    net.zero_grad()
    (real_loss + fake_loss).backward()
    optimizers["discriminator"].step()
    net.zero_grad()
    g_loss = bce(d(fake), one)
    g_loss.backward()
    optimizers["generator"].step()
    return [real_loss.item(), fake_loss.item(), g_loss.item()]


def sngan_step(net, optimizers, x, labels, step):
    g, d = net.generator, net.discriminator
    one, zero = torch.ones(len(x), 1, dtype=x.dtype), torch.zeros(len(x), 1, dtype=x.dtype)
    x = (x * 2 - 1).requires_grad_()
    fake = g(noise(step, len(x), 100).to(x.dtype))
    bce = F.binary_cross_entropy_with_logits
    real = d(x)
    d.eval()  # the singular vectors stay; there is nothing else in it that would know
    slope, = torch.autograd.grad(real.sum(), x, create_graph=True)
    r1 = (slope ** 2).sum((1, 2, 3)).mean()
    real_loss, fake_loss = bce(real, one), bce(d(fake.detach()), zero)
    net.zero_grad()
    (real_loss + fake_loss + r1 / 2).backward()
    optimizers["discriminator"].step()
    net.zero_grad()
    g_loss = bce(d(fake), one)
    g_loss.backward()
    optimizers["generator"].step()
    d.train()
    return [real_loss.item(), fake_loss.item(), g_loss.item(), r1.item()]


# name: (nets, step, batch, lr of SGD, lr and betas of Adam). The rates of SGD move the loss in 50 steps and leave float
# on the path of double.
WORKLOADS = {
    "ae": (ae_nets, single(ae_loss), 40, 0.5, 1e-3, (0.9, 0.999)),
    "vae": (vae_nets, single(vae_loss), 40, 1e-3, 1e-3, (0.9, 0.999)),
    "nll": (nll_nets, nll_step, 40, 5e-3, 1e-3, (0.9, 0.999)),
    "cnn": (cnn_nets, single(cnn_loss), 40, 0.3, 1e-3, (0.9, 0.999)),
    "small": (small_nets, single(small_loss), 24, 0.02, 1e-3, (0.9, 0.999)),
    "class1": (class1_nets, single(head_loss), 40, 0.5, 1e-3, (0.9, 0.999)),
    "class2": (class2_nets, single(head_loss), 40, 0.5, 1e-3, (0.9, 0.999)),
    "gan": (gan_nets, gan_step, 24, 1e-4, 2e-4, (0.5, 0.999)),
    "sngan": (sngan_nets, sngan_step, 24, 1e-3, 2e-4, (0.5, 0.999)),
}


def run(net, take, batch, steps, optimizer, data):
    """Trains `net`; returns the losses of each step."""
    images, labels = data
    dtype = next(net.parameters()).dtype
    optimizers = {name: optimizer(part.parameters()) for name, part in net.named_children()}
    losses = []
    for step in range(1, steps + 1):
        at = slice((step - 1) * batch, step * batch)
        x = torch.from_numpy(images[at].astype(np.float64) / 255).to(dtype)
        losses.append(take(net, optimizers, x, labels[at], step))
    return np.array(losses)


def stride(n):
    if n <= SAMPLE:
        return 1
    d = -(-n // SAMPLE)
    while math.gcd(d, n) > 1:
        d += 1
    return d


def nudged(net, seed):
    """The same net, each weight half a unit in the last place away, up or down."""
    net = copy.deepcopy(net)
    rng = np.random.default_rng(seed)
    for p in net.parameters():
        sign = torch.from_numpy(rng.integers(0, 2, tuple(p.shape)) * 2 - 1)
        p.data = (p.data.double() * (1 + sign * 2.0**-24)).float()
    return net


def drift_of(start, losses, end, run_float):
    """(loss_drift, drift) of FLOATS runs in float."""
    loss_drift, drift = np.zeros(len(losses)), np.zeros(len(end))
    for seed in range(FLOATS):
        net = nudged(start, seed)
        off = np.abs(run_float(net) / losses - 1).reshape(len(losses), -1).max(1)
        loss_drift = np.maximum(loss_drift, np.maximum.accumulate(off))
        far = [(t.double() - end[k]).norm().item() / end[k].norm().item() for k, t in tensors_of(net).items()]
        drift = np.maximum(drift, far)
    return loss_drift, drift


def trajectory(name, data):
    nets, take, batch, sgd_lr, adam_lr, betas = WORKLOADS[name]
    start = fill(nets())
    names = list(tensors_of(start))
    runs = {"sgd": (SGD_STEPS, lambda p: torch.optim.SGD(p, lr=sgd_lr)),
            "adam": (ADAM_STEPS, lambda p: torch.optim.Adam(p, lr=adam_lr, betas=betas))}
    stored, ends = {}, {}
    for kind, (steps, optimizer) in runs.items():
        net = copy.deepcopy(start).double()
        losses = run(net, take, batch, steps, optimizer, data)
        end = ends[kind] = tensors_of(net)
        if not all(t.isfinite().all() for t in end.values()):
            sys.exit(f"{name} {kind}: not finite")
        loss_drift, drift = drift_of(start, losses, end, lambda net: run(net, take, batch, steps, optimizer, data))
        stored[kind + ".losses"] = losses if losses.shape[1] > 1 else losses[:, 0]
        stored[kind + ".norms"] = np.array([t.norm().item() for t in end.values()])
        stored[kind + ".loss_drift"], stored[kind + ".drift"] = loss_drift, drift
        print(f"{name:7}{kind:5} losses {losses[0].round(4)} to {losses[-1].round(4)}, "
              f"drift {loss_drift[-1]:.1e}, of tensors {drift.max():.1e} ({names[drift.argmax()]})")
    for kind, end in ends.items():  # floats after all doubles, which so lie on multiples of their size
        for k, t in end.items():
            flat = t.numpy().reshape(-1)
            stored[f"{kind}.{k}"] = flat[:: stride(len(flat))].astype(np.float32)
    make.write_safetensors(os.path.join(make.HERE, f"trajectory_{name}.safetensors"), stored, {
        "tensors": " ".join(names), "batch": str(batch), "lr": repr(sgd_lr), "adam_lr": repr(adam_lr),
        "betas": " ".join(map(repr, betas))})


def main():
    torch.set_num_threads(1)
    with gzip.open(TEST_LABELS) as file:
        labels = np.frombuffer(file.read()[8:], np.uint8)[: 40 * SGD_STEPS]
    data = make.fashion_images(40 * SGD_STEPS), torch.from_numpy(labels.astype(np.int64))
    for name in sys.argv[1:] or WORKLOADS:
        trajectory(name, data)


if __name__ == "__main__":
    main()
