"""PyTorch's word on the known architectures: test/golden/known-networks.json.

  python make-known-networks.py

For each: the names and shapes of torchvision's state dict (count, and SHA-256 of "name shape" lines in order of names), and, with weights
that both sides make by one formula, the logits in float64 (VGG: the features, whose dense layers are alike and large). torch 2.13, torchvision.
"""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import torchvision_stub  # noqa: F401
import torch
import torchvision

NAMES = ["vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn", "resnet18", "resnet34", "resnet50", "alexnet", "squeezenet1_0", "squeezenet1_1"]
RUN = {"vgg11": 32, "vgg13": 32, "vgg19": 32, "vgg16_bn": 32, "resnet18": 64, "resnet34": 64, "resnet50": 64}
CLASSES = 10
torch.set_num_threads(1)


def hashed(name, count):
    """Numbers in [-1, 1) by the finaliser of MurmurHash3 of index and name; as float32, in both languages."""
    seed = 0
    for byte in name.encode():
        seed = (seed * 31 + byte) & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return (x.astype(np.float64) / 2**31 - 1).astype(np.float32)


def values(name, shape):
    u = hashed(name, math.prod(shape))
    if len(shape) > 1:
        u = u * np.float32(math.sqrt(6 / math.prod(shape[1:])))
    elif name.endswith("running_var"):
        u = np.float32(1) + u * np.float32(0.5)
    elif name.endswith("running_mean") or name.endswith("bias"):
        u = u * np.float32(0.125)
    else:
        u = np.float32(1) + u * np.float32(0.25)  # a norm's weights
    return torch.from_numpy(u).reshape(shape)


golden = {"architectures": {}, "outputs": {}}
for name in NAMES:
    with torch.device("meta"):
        state = torchvision.models.get_model(name, weights=None).state_dict()
    lines = [f"{key} [{','.join(map(str, value.shape))}]\n" for key, value in sorted(state.items()) if not key.endswith("num_batches_tracked")]
    golden["architectures"][name] = {"tensors": len(lines), "sha256": hashlib.sha256("".join(lines).encode()).hexdigest()}
for name, side in RUN.items():
    model = torchvision.models.get_model(name, weights=None, num_classes=CLASSES).eval()
    if name.startswith("vgg"):
        del model.classifier
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                value.copy_(values(key, tuple(value.shape)))
        x = torch.from_numpy(hashed("input", 3 * side * side)).reshape(1, 3, side, side).double()
        model.double()
        out = model.features(x) if name.startswith("vgg") else model(x)
    golden["outputs"][name] = {"side": side, "values": [float(f"{v:.9g}") for v in out.flatten().tolist()]}
    print(name, out.abs().max().item())
path = Path(__file__).parent.parent / "golden" / "known-networks.json"
path.write_text(json.dumps(golden) + "\n")
