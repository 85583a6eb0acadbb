#!/usr/bin/env python3
"""Golden vectors for tests/core/model/golden.c: what PyTorch, in double, makes of nets whose weights and images are fixed.

Needs Debian's python3-torch and dataset-fashion-mnist; run by `make golden`. Weights come from numpy's seeded generator, so
a second run writes the same bytes. Each file is safetensors:
  loss, z             F64, of the batch (loss: mean squared error over images and pixels)
  images              U8, NCHW
  <tensor>            F32, as all that follow: the weights before any step, named as nn.Sequential names them
  output              decode(encode(images))
  grad.<tensor>       of that loss
  after.<tensor>      the weights after `steps` optimiser steps on the same batch
Metadata: the parameters that make the same net and optimiser here, as core/base/param.h reads them, and `steps`.
"""
import gzip
import json
import os
import struct

import numpy as np
import torch
from torch import nn
from torch.nn.utils import prune

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGES = "/usr/share/datasets/fashion-mnist/{}-images-idx3-ubyte.gz"


def write_safetensors(path, tensors, metadata):
    kinds = {np.dtype("uint8"): "U8", np.dtype("int64"): "I64", np.dtype("float32"): "F32", np.dtype("float64"): "F64"}
    header, data = {"__metadata__": metadata}, b""
    for name, array in tensors.items():
        array = np.ascontiguousarray(array)
        header[name] = {"dtype": kinds[array.dtype], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def fashion_images(n, part="t10k"):
    with gzip.open(IMAGES.format(part)) as file:
        raw = file.read(16 + n * 784)
    return np.frombuffer(raw[16:], np.uint8).reshape(n, 1, 28, 28)


def report_net():
    encoder = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 0), nn.ReLU(),
        nn.Flatten(), nn.Linear(288, 64), nn.ReLU(), nn.Linear(64, 8))
    decoder = nn.Sequential(
        nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 288), nn.ReLU(), nn.Unflatten(1, (32, 3, 3)),
        nn.ConvTranspose2d(32, 16, 3, 2, 0), nn.ReLU(), nn.ConvTranspose2d(16, 8, 3, 2, 1, output_padding=1), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 3, 2, 1, output_padding=1), nn.Sigmoid())
    return encoder, decoder


def small_net(act):
    """Two colours, 9x6 pixels, an odd kernel and stride, no hidden layer."""
    encoder = nn.Sequential(nn.Conv2d(2, 5, 4, 3, 1), act(), nn.Conv2d(5, 3, 2, 1, 1), act(), nn.Flatten(), nn.Linear(36, 3))
    decoder = nn.Sequential(
        nn.Linear(3, 36), act(), nn.Unflatten(1, (3, 4, 3)), nn.ConvTranspose2d(3, 5, 2, 1, 1), act(),
        nn.ConvTranspose2d(5, 2, 4, 3, 1, output_padding=1), nn.Sigmoid())
    return encoder, decoder


def gated_net():
    """Group norms and gated units: halves of twice the channels."""
    encoder = nn.Sequential(
        nn.Conv2d(2, 10, 4, 3, 1), nn.GroupNorm(5, 10), nn.GLU(1), nn.Conv2d(5, 12, 2, 1, 1), nn.GroupNorm(6, 12),
        nn.GLU(1), nn.Flatten(), nn.Linear(72, 3))
    decoder = nn.Sequential(
        nn.Linear(3, 144), nn.GLU(1), nn.Unflatten(1, (6, 4, 3)), nn.ConvTranspose2d(6, 10, 2, 1, 1), nn.GroupNorm(5, 10),
        nn.GLU(1), nn.ConvTranspose2d(5, 2, 4, 3, 1, output_padding=1), nn.Sigmoid())
    return encoder, decoder


def mlp_net():
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(108, 10), nn.Tanh(), nn.Linear(10, 3))
    decoder = nn.Sequential(nn.Linear(3, 10), nn.Tanh(), nn.Linear(10, 108), nn.Unflatten(1, (2, 9, 6)), nn.Sigmoid())
    return encoder, decoder


def fill(net, rng):
    for module in net.modules():
        if not hasattr(module, "weight"):
            continue
        bound = 1 / np.sqrt(module.weight[0].numel())
        for parameter in (module.weight, module.bias):
            values = rng.uniform(-bound, bound, tuple(parameter.shape)).astype(np.float32)
            parameter.data = torch.from_numpy(values).double()


def weights_of(net):
    modules = [module for module in net.modules() if hasattr(module, "weight")]
    for module in modules:
        for hook in module._forward_pre_hooks.values():
            hook(module, None)  # a pruned layer's `weight` is of its last forward pass; here the last step counts
    return [(module, "weight") for module in modules]


def prune_layers(net, amount):
    for module, name in weights_of(net):
        prune.l1_unstructured(module, name, amount=amount)


def prune_globally(net, amount):
    prune.global_unstructured(weights_of(net), pruning_method=prune.L1Unstructured, amount=amount)


def effective(module, name):
    """A pruned weight as the next forward pass would have it."""
    if hasattr(module, name + "_orig"):
        return getattr(module, name + "_orig") * getattr(module, name + "_mask")
    return getattr(module, name)


def golden(name, nets, images, optimizer, steps, params, after_step=lambda step, net: None):
    rng = np.random.default_rng(20240607)
    encoder, decoder = nets
    net = nn.Sequential()
    net.add_module("encoder", encoder)
    net.add_module("decoder", decoder)
    net.double()
    fill(net, rng)
    tensors = {"loss": None, "z": None, "images": images}  # doubles first: all data stay aligned
    tensors.update({k: v.detach().numpy().astype(np.float32) for k, v in net.state_dict().items()})
    x = torch.from_numpy(images.astype(np.float64) / 255)
    chosen = optimizer(net.parameters())
    for step in range(steps):
        chosen.zero_grad()
        z = encoder(x)
        output = decoder(z)
        loss = nn.functional.mse_loss(output, x)
        loss.backward()
        if step == 0:
            tensors["z"] = z.detach().numpy()
            tensors["output"] = output.detach().numpy().astype(np.float32)
            tensors["loss"] = np.array([loss.item()])
            for k, p in net.named_parameters():
                tensors["grad." + k] = p.grad.numpy().astype(np.float32)
        chosen.step()
        after_step(step + 1, net)
    for path, module in net.named_modules():
        for k in ("weight", "bias"):
            if hasattr(module, k):
                tensors[f"after.{path}.{k}"] = effective(module, k).detach().numpy().astype(np.float32)
    write_safetensors(os.path.join(HERE, name + ".safetensors"), tensors, {"params": params, "steps": str(steps)})


def main():
    torch.set_num_threads(1)
    golden("report", report_net(), fashion_images(20), lambda p: torch.optim.Adam(p, lr=1e-3), 1, "optimizer=adam lr=1e-3")
    small = np.random.default_rng(7).integers(0, 256, (20, 2, 9, 6), np.uint8)
    conv = "latent_dim=3 channels=5,3 kernel=4,2 stride=3,1 padding=1 hidden=- "
    golden("adam_l2", small_net(nn.SiLU), small, lambda p: torch.optim.Adam(p, lr=2e-3, betas=(0.8, 0.95), weight_decay=0.05), 4,
           conv + "activation=silu optimizer=adam lr=2e-3 beta1=0.8 beta2=0.95 weight_decay=0.05")
    golden("adamw", small_net(nn.LeakyReLU), small, lambda p: torch.optim.AdamW(p, lr=2e-3, weight_decay=0.05), 4,
           conv + "activation=leaky_relu optimizer=adamw lr=2e-3 weight_decay=0.05")
    golden("group_glu", gated_net(), small, lambda p: torch.optim.SGD(p, lr=0.5), 4,
           conv.replace("5,3", "5,6") + "activation=glu norm=group optimizer=sgd lr=0.5 momentum=0")
    mlp = "latent_dim=3 channels=- hidden=10 activation=tanh "
    golden("sgd_nesterov", mlp_net(), small, lambda p: torch.optim.SGD(p, lr=0.5, momentum=0.9, nesterov=True, weight_decay=1e-3),
           4, mlp + "optimizer=sgd lr=0.5 momentum=0.9 nesterov=true weight_decay=1e-3")
    golden("sgd_plain", small_net(nn.Sigmoid), small, lambda p: torch.optim.SGD(p, lr=0.5), 4,
           conv + "activation=sigmoid optimizer=sgd lr=0.5 momentum=0")
    twice = lambda way, amount: lambda step, net: way(net, amount) if step in (1, 3) else None
    golden("pruned", small_net(nn.SiLU), small, lambda p: torch.optim.AdamW(p, lr=2e-2), 5,
           conv + "activation=silu optimizer=adamw lr=2e-2 weight_decay=0.01 "
           "prune.amount=0.4 prune.start_epoch=1 prune.every=2 prune.end_epoch=4", twice(prune_layers, 0.4))
    golden("pruned_globally", small_net(nn.SiLU), small, lambda p: torch.optim.SGD(p, lr=0.5, momentum=0.9), 5,
           conv + "activation=silu optimizer=sgd lr=0.5 momentum=0.9 prune.method=global_l1_unstructured "
           "prune.amount=0.5 prune.start_epoch=1 prune.every=2 prune.end_epoch=3", twice(prune_globally, 0.5))


if __name__ == "__main__":
    main()
