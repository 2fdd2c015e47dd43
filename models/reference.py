"""Writes reference logits and relevance maps of the shipped models, in float64 and without autograd.

    python reference.py --models DIR --photos DIR --out DIR [--zennit]

For the first two photos of each class (by file name): <stem>.<model>.logits.npy [10], and for the top-1 target
<stem>.<model>.li2019.npy and <stem>.<model>.epsilonPlus.npy [3,224,224], float32. Relevance starts as the logit of
the target. manifest.json lists targets, sums, hashes and versions. --zennit compares epsilonPlus with zennit 0.5.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.grad import conv2d_input

MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).view(3, 1, 1)
MODELS = ("alexnet-mini", "vgg-mini")


class Net:
    """Layer list and float64 weights of one shipped model."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.layers: list[dict] = json.loads((folder / f"{name}.json").read_text())["layers"]
        self.tensors = {k: t.double() for k, t in load_file(folder / f"{name}.safetensors").items()}

    def weight(self, layer: dict) -> Tensor:
        return self.tensors[layer["weight"]]

    def bias(self, layer: dict) -> Tensor:
        return self.tensors[layer["bias"]]


def conv(layer: dict, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    return F.conv2d(x, w, b, layer["strides"], layer["pads"][:2], groups=layer["group"])


def conv_adjoint(layer: dict, shape: torch.Size, w: Tensor, s: Tensor) -> Tensor:
    return conv2d_input(shape, w, s, layer["strides"], layer["pads"][:2], groups=layer["group"])


def forward(net: Net, x: Tensor) -> tuple[list[Tensor], list[Tensor | None], Tensor]:
    """Inputs of every layer, max-pool winners (first index on ties) where there are any, and the logits."""
    inputs: list[Tensor] = []
    winners: list[Tensor | None] = []
    for layer in net.layers:
        inputs.append(x)
        winner = None
        match layer["op"]:
            case "conv2d":
                x = conv(layer, x, net.weight(layer), net.bias(layer))
            case "relu":
                x = x.clamp(min=0)
            case "leakyRelu":
                x = torch.where(x < 0, x * layer["slope"], x)
            case "lrn":
                half = layer["size"] // 2
                squares = F.pad(x * x, (0, 0, 0, 0, half, half))
                window = sum(squares[:, i : i + x.shape[1]] for i in range(layer["size"]))
                x = x * (layer["bias"] + layer["alpha"] / layer["size"] * window) ** -layer["beta"]
            case "maxPool2d":
                x, winner = F.max_pool2d(x, layer["kernelShape"], layer["strides"], return_indices=True)
            case "flatten":
                x = x.flatten(1)
            case "dense":
                x = x @ net.weight(layer).T + net.bias(layer)
            case op:
                raise ValueError(op)
        winners.append(winner)
    return inputs, winners, x


def ratio(r: Tensor, z: Tensor) -> Tensor:
    """r / z, 0 where z = 0."""
    return torch.where(z == 0, 0.0, r / torch.where(z == 0, 1.0, z))


def stabilized(z: Tensor) -> Tensor:
    return z + torch.where(z < 0, -1e-6, 1e-6)


def relevance(net: Net, rule: str, x: Tensor, target: int) -> Tensor:
    """Relevance of the pixels for one class. `rule` is li2019 or epsilonPlus; LRN, ReLU and flatten pass it on."""
    inputs, winners, logits = forward(net, x)
    r = torch.zeros_like(logits)
    r[0, target] = logits[0, target]
    for layer, x, winner in reversed(list(zip(net.layers, inputs, winners))):
        match layer["op"], rule:
            case "dense", "li2019":
                w = net.weight(layer).clamp(min=0)
                r = x * ((r / (x @ w.T + 1e-9)) @ w)
            case "dense", "epsilonPlus":
                w = net.weight(layer)
                r = x * ((r / stabilized(x @ w.T + net.bias(layer))) @ w)
            case "conv2d", "li2019":
                w = net.weight(layer)
                s = ratio(r, conv(layer, x, w, net.bias(layer)))
                r = x * conv_adjoint(layer, x.shape, w, s)
            case "conv2d", "epsilonPlus":
                w, b = net.weight(layer), net.bias(layer).clamp(min=0)
                pairs = [(x.clamp(min=0), w.clamp(min=0)), (x.clamp(max=0), w.clamp(max=0))]
                z = sum(conv(layer, xi, wi, None) for xi, wi in pairs) + b.view(1, -1, 1, 1)
                s = r / stabilized(z)
                r = sum(xi * conv_adjoint(layer, x.shape, wi, s) for xi, wi in pairs)
            case "maxPool2d", _:
                r = torch.zeros_like(x).flatten(2).scatter_add_(2, winner.flatten(2), r.flatten(2)).view_as(x)
            case "flatten", _:
                r = r.view_as(x)
            case ("relu" | "leakyRelu" | "lrn"), _:
                pass
            case other:
                raise ValueError(other)
    return r[0]


def zennit_epsilon_plus(net: Net, x: Tensor, target: int) -> Tensor:
    """The same map from zennit's own hooks on torch modules; LRN is left out of the graph by a Pass hook."""
    import sys
    import types

    # zennit/__init__ imports torchvision for its canonizers; only its rules are needed here.
    import importlib.util

    spec = importlib.util.find_spec("zennit") if "zennit" not in sys.modules else None
    if spec is not None:
        package = types.ModuleType("zennit")
        package.__path__ = list(spec.submodule_search_locations or [])  # type: ignore[attr-defined]
        sys.modules["zennit"] = package
    from torch import nn
    from zennit.rules import Epsilon, Pass, ZPlus

    modules: list[nn.Module] = []
    hooks = []
    for layer in net.layers:
        match layer["op"]:
            case "conv2d":
                m: nn.Module = nn.Conv2d(
                    layer["inChannels"], layer["outChannels"], layer["kernelShape"], layer["strides"],
                    layer["pads"][:2], groups=layer["group"],
                )  # fmt: skip
                rule = ZPlus()
            case "dense":
                m, rule = nn.Linear(layer["inFeatures"], layer["outFeatures"]), Epsilon()
            case "relu":
                m, rule = nn.ReLU(), Pass()
            case "leakyRelu":
                m, rule = nn.LeakyReLU(layer["slope"]), Pass()
            case "lrn":
                m, rule = nn.LocalResponseNorm(layer["size"], layer["alpha"], layer["beta"], layer["bias"]), Pass()
            case "maxPool2d":
                m, rule = nn.MaxPool2d(layer["kernelShape"], layer["strides"]), None
            case _:
                m, rule = nn.Flatten(), None
        m = m.double()
        if "weight" in layer:
            m.weight.data, m.bias.data = net.weight(layer).clone(), net.bias(layer).clone()
        if rule is not None:
            hooks.append(rule.register(m))
        modules.append(m)
    x = x.clone().requires_grad_()
    logits = nn.Sequential(*modules)(x)
    seed = torch.zeros_like(logits)
    seed[0, target] = logits[0, target].detach()
    (r,) = torch.autograd.grad(logits, x, seed)
    return r[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path("."))
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=MODELS)
    parser.add_argument("--zennit", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    by_class: dict[str, list[str]] = {}
    for name, entry in sorted(json.loads((args.photos / "labels.json").read_text()).items()):
        by_class.setdefault(entry["wnid"], []).append(name)
    wnids = sorted(by_class)
    manifest = {"torch": torch.__version__, "numpy": np.__version__, "start": "logit of the top-1 class", "maps": []}
    for model in [args.only] if args.only else MODELS:
        net = Net(args.models, model)
        manifest[model] = hashlib.sha256((args.models / f"{model}.safetensors").read_bytes()).hexdigest()
        for name in [n for wnid in wnids for n in by_class[wnid][:2]]:
            photo = np.asarray(Image.open(args.photos / name).convert("RGB")).transpose(2, 0, 1)
            x = ((torch.from_numpy(photo.copy()).double() / 255 - MEAN) / STD)[None]
            logits = forward(net, x)[2]
            target = int(logits.argmax())
            stem = f"{Path(name).stem}.{model}"
            np.save(args.out / f"{stem}.logits.npy", logits[0].numpy().astype(np.float32))
            entry = {"file": stem, "label": next(i for i, w in enumerate(wnids) if name in by_class[w]), "target": target}
            for rule in ("li2019", "epsilonPlus"):
                r = relevance(net, rule, x, target)
                np.save(args.out / f"{stem}.{rule}.npy", r.numpy().astype(np.float32))
                entry[rule] = {"sum": float(r.sum()), "max": float(r.max()), "min": float(r.min())}
                if rule == "epsilonPlus" and args.zennit:
                    apart = float((zennit_epsilon_plus(net, x, target) - r).abs().max() / r.abs().max())
                    entry["zennitRelativeDifference"] = apart
            print(json.dumps(entry), flush=True)
            manifest["maps"].append(entry)
    (args.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
