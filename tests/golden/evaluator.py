"""The judge's classifier in PyTorch, with the weights of core/lab: its features are those that latentd judges samples by."""
import json
import os
import struct

import numpy as np
import torch
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
WEIGHTS = os.path.join(HERE, "../../core/lab/evaluator.safetensors")
GOLDEN = os.path.join(HERE, "judge.safetensors")  # of judge.py: images, and their features in double
HIDDEN = 24  # rows up to the last hidden layer, before its ReLU
TYPES = {"F32": np.float32, "F64": np.float64, "I64": np.int64, "U8": np.uint8}


def read_safetensors(path):
    with open(path, "rb") as file:
        raw = file.read()
    (length,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + length]), raw[8 + length:]
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[slice(*t["data_offsets"])], TYPES[t["dtype"]]).reshape(t["shape"])
            for name, t in header.items()}


def net():
    """In double."""
    rows, channels = [], 1
    for out in (16, 32, 64):
        for _ in range(2):
            rows += [nn.Conv2d(channels, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        rows.append(nn.MaxPool2d(2))
    rows += [nn.AvgPool2d(3), nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10)]
    assert isinstance(rows[HIDDEN], nn.ReLU)
    classifier = nn.Sequential(*rows)
    state = {name.removeprefix("classifier."): torch.tensor(x) for name, x in read_safetensors(WEIGHTS).items()}
    missing, unexpected = classifier.load_state_dict(state, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    return classifier.double().eval()


def read(classifier, x):
    """(features, probabilities) of images in [0, 1]."""
    features = classifier[:HIDDEN](x)
    return features, torch.softmax(classifier[HIDDEN:](features), 1)
