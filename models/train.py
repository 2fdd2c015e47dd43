"""Train the two small classifiers that ship with srmap and export them as float16 safetensors.

    python train.py alexnet-mini --data DIR --out DIR
    python train.py vgg-mini     --data DIR --out DIR

DIR of --data holds imagenette-160.tar (train/<wnid>/*, val/<wnid>/*, 160x160 photos). The run writes
<model>.safetensors (batch norm folded, float16), <model>.json (the plain layer list) and <model>.log to --out,
and <model>.checkpoint.pt after every epoch, so that a cut run loses at most one epoch.

What is trained and what is shipped differ in three exact ways, all undone by `fold`:
  - every convolution is followed by batch norm, which is affine at test time and joins the convolution;
  - where a max-pool follows, the batch norm sits after the pool (a quarter of the work). Its scale is kept positive,
    and a positive affine map and ReLU commute with a maximum, so the shipped order is conv, ReLU, pool;
  - the inputs of LRN are divided by LRN_GAIN while training; the shipped convolutions carry that factor.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import io
import json
import math
import platform
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL
import safetensors
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

# The ten Imagenette classes, sorted by wnid, which is also the order of their ImageNet indices.
CLASSES: list[tuple[str, int, str]] = [
    ("n01440764", 0, "tench"),
    ("n02102040", 217, "English springer"),
    ("n02979186", 482, "cassette player"),
    ("n03000684", 491, "chain saw"),
    ("n03028079", 497, "church"),
    ("n03394916", 566, "French horn"),
    ("n03417042", 569, "garbage truck"),
    ("n03425413", 571, "gas pump"),
    ("n03445777", 574, "golf ball"),
    ("n03888257", 701, "parachute"),
]
MEAN = torch.tensor([0.485, 0.456, 0.406])  # torchvision's ImageNet statistics, RGB in 0..1
STD = torch.tensor([0.229, 0.224, 0.225])
INPUT_SIZE = 224
SEED = 20260101
HELD_OUT_PER_CLASS = 50  # of val/: 500 photos that only choose recipes, never train
BATCH = 64  # small enough for 190 steps per epoch, large enough to feed both cores

# Across-channel LRN of AlexNet (Krizhevsky et al. 2012, section 3.3) in Caffe's convention: k + alpha / size * sum.
LRN_SIZE, LRN_ALPHA, LRN_BETA, LRN_K = 5, 1e-4, 0.75, 1.0
# AlexNet saw pixels of -128..127, so its activations reached hundreds and alpha = 1e-4 mattered. Batch norm gives
# activations of about 1, where this LRN would be the identity; a gain of 64 puts it back to work.
LRN_GAIN = 64.0


@dataclass(frozen=True)
class Conv:
    """A convolution of the plan; `lrn` and `pool` (kernel, stride) follow its ReLU."""

    width: int
    kernel: int
    stride: int = 1
    pad: int = 0
    groups: int = 1
    lrn: bool = False
    pool: tuple[int, int] | None = None


@dataclass(frozen=True)
class Recipe:
    """Architecture and schedule of one model. `stages` are (share of the run at which it ends, input size)."""

    convs: tuple[Conv, ...]
    grid: int  # side of the last feature map at 224x224
    dense: tuple[int, ...]
    dropout: float
    epochs: int
    stages: tuple[tuple[float, int], ...]
    muon_lr: float
    adam_lr: float
    cutmix: float  # share of batches with CutMix
    plain_from: float  # share of the run after which CutMix stops
    head_slope: float = 0.0  # of the hidden dense layers' units below 0: leaky units cannot die all at once


RECIPES: dict[str, Recipe] = {
    "alexnet-mini": Recipe(
        convs=(
            Conv(64, 11, 4, 2, lrn=True, pool=(3, 2)),
            Conv(192, 5, 1, 2, groups=2, lrn=True, pool=(3, 2)),
            Conv(256, 3, 1, 1),
            Conv(256, 3, 1, 1, groups=2),
            Conv(160, 3, 1, 1, groups=2, pool=(3, 2)),
        ),
        grid=6,
        dense=(128, 128),
        dropout=0.5,
        epochs=40,
        stages=((0.55, 160), (1.0, 224)),
        muon_lr=0.02,
        adam_lr=0.002,
        cutmix=0.2,
        plain_from=0.85,
    ),
    "vgg-mini": Recipe(
        convs=(
            Conv(16, 3, 1, 1, pool=(2, 2)),
            Conv(32, 3, 1, 1),
            Conv(32, 3, 1, 1, pool=(2, 2)),
            Conv(64, 3, 1, 1),
            Conv(64, 3, 1, 1, pool=(2, 2)),
            Conv(128, 3, 1, 1),
            Conv(128, 3, 1, 1),
            Conv(128, 3, 1, 1, pool=(2, 2)),
            Conv(192, 3, 1, 1),
            Conv(192, 3, 1, 1),
            Conv(192, 3, 1, 1, pool=(2, 2)),
        ),
        grid=7,
        dense=(64, 64),
        dropout=0.3,
        epochs=50,
        stages=((0.35, 96), (0.7, 128), (0.87, 176), (1.0, 224)),
        muon_lr=0.02,
        adam_lr=0.002,
        cutmix=0.2,
        plain_from=0.85,
        head_slope=0.01,
    ),
}


# --- the network -----------------------------------------------------------------------------------------------


class LrnFunction(torch.autograd.Function):
    """y = x * (1 + a * sum of x^2 over LRN_SIZE neighbouring channels)^-0.75, four times faster than PyTorch's.

    The channel window is a 1x1 convolution with a banded matrix, its bias the 1. `a` is alpha / size * LRN_GAIN^2.
    """

    A = LRN_ALPHA / LRN_SIZE * LRN_GAIN**2

    @staticmethod
    def band(x: Tensor) -> Tensor:
        i = torch.arange(x.shape[1])
        return ((i[:, None] - i[None]).abs() <= LRN_SIZE // 2).to(x.dtype)[:, :, None, None]

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:  # type: ignore[override]
        band = LrnFunction.band(x)
        den = F.conv2d(x * x, band * LrnFunction.A, torch.full((x.shape[1],), LRN_K, dtype=x.dtype))
        root = den.rsqrt()
        scale = root.sqrt().mul_(root)
        y = x * scale
        ctx.save_for_backward(x, y, den, scale)
        return y

    @staticmethod
    def backward(ctx, g: Tensor) -> Tensor:  # type: ignore[override]
        x, y, den, scale = ctx.saved_tensors
        window = F.conv2d((g * y).div_(den), LrnFunction.band(x))
        return (g * scale).addcmul_(window, x, value=-2 * LRN_BETA * LrnFunction.A)


class Lrn(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return LrnFunction.apply(x)


class TrainNet(nn.Module):
    """The network as it is trained: conv (no bias), [pool], batch norm, ReLU, or conv, batch norm, ReLU, LRN, pool."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for c in recipe.convs:
            layers.append(nn.Conv2d(channels, c.width, c.kernel, c.stride, c.pad, groups=c.groups, bias=False))
            pool = [nn.MaxPool2d(*c.pool)] if c.pool else []
            if c.lrn:
                layers += [nn.BatchNorm2d(c.width), nn.ReLU(True), Lrn(), *pool]
            else:
                layers += [*pool, nn.BatchNorm2d(c.width), nn.ReLU(True)]
            channels = c.width
        self.features = nn.Sequential(*layers)
        # The identity at 224; at the smaller sizes of early training it stretches the map to the head's grid.
        self.grid = nn.AdaptiveAvgPool2d(recipe.grid)
        head: list[nn.Module] = []
        width = channels * recipe.grid**2
        for d in recipe.dense:
            unit = nn.LeakyReLU(recipe.head_slope, True) if recipe.head_slope else nn.ReLU(True)
            head += [nn.Dropout(recipe.dropout), nn.Linear(width, d), unit]
            width = d
        self.classifier = nn.Sequential(*head, nn.Linear(width, len(CLASSES)))
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        if x.shape[-1] != self.grid.output_size:
            x = self.grid(x)
        return self.classifier(x.flatten(1))


# --- data ------------------------------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_photos(tar_path: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """Reads the tar into {split: (photos uint8 [n,3,160,160], labels [n])}, sorted by name."""
    label_of = {wnid: i for i, (wnid, _, _) in enumerate(CLASSES)}
    photos: dict[str, list[np.ndarray]] = {"train": [], "val": []}
    labels: dict[str, list[int]] = {"train": [], "val": []}
    with tarfile.open(tar_path) as tar:
        members = [m for m in tar.getmembers() if m.isfile() and Path(m.name).parts[-2] in label_of]
        for member in sorted(members, key=lambda m: m.name):
            split, wnid = Path(member.name).parts[-3:-1]
            file = tar.extractfile(member)
            assert file is not None
            photo = Image.open(io.BytesIO(file.read())).convert("RGB")
            photos[split].append(np.asarray(photo).transpose(2, 0, 1))
            labels[split].append(label_of[wnid])
    return {s: (torch.from_numpy(np.stack(photos[s])), torch.tensor(labels[s])) for s in photos}


def split_held_out(data: dict[str, tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """train/ and val/ together, less a seeded choice of HELD_OUT_PER_CLASS photos per class of val/."""
    photos, labels = data["val"]
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SEED))
    held = torch.cat([order[labels[order] == k][:HELD_OUT_PER_CLASS] for k in range(len(CLASSES))])
    rest = torch.ones(len(labels), dtype=torch.bool)
    rest[held] = False
    x = torch.cat([data["train"][0], photos[rest]])
    y = torch.cat([data["train"][1], labels[rest]])
    return x, y, photos[held], labels[held]


def uniform(n: int, low: float, high: float) -> Tensor:
    return torch.empty(n).uniform_(low, high)


def augment(photos: Tensor, size: int) -> Tensor:
    """uint8 photos to a normalised batch [n,3,size,size]: colour, sharpness, then one affine resampling."""
    n, _, h, w = photos.shape
    x = photos.float().view(n, 3, h * w)
    # Brightness, contrast, saturation and the normalisation are one 3x3 matrix and offset per photo.
    grey = torch.tensor([0.299, 0.587, 0.114]).expand(3, 3)
    saturation, contrast = uniform(n, 0.5, 1.5), uniform(n, 0.7, 1.3)
    tint = torch.empty(n, 3).uniform_(-0.07, 0.07)
    matrix = saturation.view(n, 1, 1) * torch.eye(3) + (1 - saturation).view(n, 1, 1) * grey
    matrix = matrix * (contrast.view(n, 1, 1) / 255)
    offset = 0.45 * (1 - contrast).view(n, 1) + uniform(n, -0.15, 0.15).view(n, 1) + tint
    x = torch.baddbmm(((offset - MEAN) / STD).view(n, 3, 1), matrix / STD.view(3, 1), x).view(n, 3, h, w)
    # The photos were shrunk to 160 and are enlarged again, real ones at 224 are sharper: blur some, sharpen more.
    if torch.rand(()) < 0.5:
        x = torch.lerp(F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), x, uniform(n, 0.5, 2.2).view(n, 1, 1, 1))
    # A window of 0.5 to 1.1 sides, aspect 0.8 to 1.25, up to 12 degrees, mirrored half of the time.
    scale, aspect = uniform(n, 0.5, 1.1), uniform(n, -0.11, 0.11).exp()
    angle, mirror = uniform(n, -0.2, 0.2), torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    theta = torch.empty(n, 2, 3)
    theta[:, 0, 0] = scale * aspect * angle.cos() * mirror
    theta[:, 0, 1] = -scale * angle.sin()
    theta[:, 1, 0] = scale * angle.sin() * mirror
    theta[:, 1, 1] = scale / aspect * angle.cos()
    theta[:, :, 2] = (1 - scale).clamp(min=0).view(n, 1) * torch.empty(n, 2).uniform_(-1, 1)
    grid = F.affine_grid(theta, [n, 3, size, size], align_corners=False)
    x = F.grid_sample(x, grid, align_corners=False, padding_mode="reflection")
    return x.contiguous(memory_format=torch.channels_last)


def cutmix(x: Tensor) -> tuple[Tensor, Tensor, float]:
    """Pastes one box of other photos into the batch (Yun et al. 2019); returns batch, partners, kept share."""
    n, _, h, w = x.shape
    partner = torch.randperm(n)
    side = math.sqrt(0.5 * torch.rand(()).item())  # at most half of the photo is replaced
    bh, bw = int(h * side), int(w * side)
    top = int(torch.randint(0, h - bh + 1, ()))
    left = int(torch.randint(0, w - bw + 1, ()))
    x[:, :, top : top + bh, left : left + bw] = x[partner, :, top : top + bh, left : left + bw]
    return x, partner, 1 - bh * bw / (h * w)


def prepare(photos: Tensor) -> Tensor:
    """Test-time input: bilinear to 224 where needed, /255, normalised."""
    x = photos.float()
    if x.shape[-1] != INPUT_SIZE:
        x = F.interpolate(x, size=INPUT_SIZE, mode="bilinear", align_corners=False)
    return (x / 255 - MEAN.view(3, 1, 1)) / STD.view(3, 1, 1)


@torch.no_grad()
def accuracy(net: nn.Module, photos: Tensor, labels: Tensor, bf16: bool) -> float:
    net.eval()
    right = 0
    for i in range(0, len(labels), 125):
        x = prepare(photos[i : i + 125]).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            right += int((net(x).argmax(1) == labels[i : i + 125]).sum())
    return right / len(labels)


# --- training --------------------------------------------------------------------------------------------------


class Muon(torch.optim.Optimizer):
    """Momentum whose step is the nearest orthogonal matrix (Jordan et al. 2024), for convolutions as [out, in*k*k].

    Five Newton-Schulz steps with the published coefficients. The step has root mean square lr after the factor
    sqrt(max(1, rows / columns)), and the decay is decoupled.
    """

    def __init__(self, params: list[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                buf = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buf.lerp_(p.grad, 1 - group["momentum"])
                g = p.grad.lerp(buf, group["momentum"]).flatten(1)
                tall = g.shape[0] > g.shape[1]
                g = g.T if tall else g
                g = (g / (g.norm() + 1e-7)).bfloat16()
                for _ in range(5):
                    a = g @ g.T
                    g = 3.4445 * g + (-4.7750 * a + 2.0315 * a @ a) @ g
                g = (g.T if tall else g).to(p.dtype)
                scale = math.sqrt(max(1.0, g.shape[0] / g.shape[1]))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(g.reshape(p.shape), alpha=-group["lr"] * scale)


def one_cycle(t: float) -> float:
    """Share of the peak rate at share t of the run: linear up over the first tenth, then half a cosine to zero."""
    warmup = 0.1
    return t / warmup if t < warmup else 0.5 * (1 + math.cos(math.pi * (t - warmup) / (1 - warmup)))


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Exponential moving average of weights and batch norm statistics."""
    for a, b in zip(average.state_dict().values(), net.state_dict().values()):
        if a.is_floating_point():
            a.lerp_(b, 1 - decay)


class Log:
    """Prints and appends to <model>.log, which keeps every run that led to the model."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, line: str) -> None:
        print(line, flush=True)
        with self.path.open("a") as f:
            f.write(line + "\n")


@dataclass(frozen=True)
class Span:
    """What part of the recipe's schedule to run, from `start` (0 is all of it), and in how much time.

    With `minutes` the schedule advances by the clock, not by steps: the machine is shared, and a rate that never
    reaches zero costs more than a few epochs. Such a run repeats in kind, not bit for bit.
    """

    start: float
    minutes: float | None
    resume: Path | None
    average: float  # decay of the moving average per step; shorter runs want a shorter memory


def train(
    recipe: Recipe, span: Span, data: tuple[Tensor, Tensor, Tensor, Tensor], log: Log, checkpoint: Path
) -> TrainNet:
    """Trains by the recipe and returns the averaged network; the rate ends at zero, so the last epoch is the model."""
    x_train, y_train, x_held, y_held = data
    net = TrainNet(recipe).to(memory_format=torch.channels_last)
    if span.resume:
        net.load_state_dict(torch.load(span.resume))
    average = copy.deepcopy(net)
    convs = [m.weight for m in net.features if isinstance(m, nn.Conv2d)]
    norms = [m for m in net.features if isinstance(m, nn.BatchNorm2d)]
    dense = [m.weight for m in net.classifier if isinstance(m, nn.Linear)]
    vectors = [p for p in net.parameters() if p.ndim == 1]
    muon = Muon(convs, recipe.muon_lr, weight_decay=0.02)
    adam = torch.optim.AdamW(
        [{"params": dense, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}], recipe.adam_lr
    )
    peaks = [(g, g["lr"]) for o in (muon, adam) for g in o.param_groups]
    per_epoch = len(y_train) // BATCH
    steps = round(recipe.epochs * (1 - span.start) * per_epoch)
    step, epoch, done, start = 0, 0, 0.0, time.time()
    while done < 1:
        net.train()
        order = torch.randperm(len(y_train))
        losses: list[float] = []
        for i in range(per_epoch):
            share = span.start + (1 - span.start) * done
            size = next(size for end, size in recipe.stages if share < end)
            for group, peak in peaks:
                group["lr"] = peak * one_cycle(share)
            chosen = order[i * BATCH : (i + 1) * BATCH]
            x, y = augment(x_train[chosen], size), y_train[chosen]
            mixed = share < recipe.plain_from and float(torch.rand(())) < recipe.cutmix
            x, partner, kept = cutmix(x) if mixed else (x, torch.arange(BATCH), 1.0)
            with torch.autocast("cpu", torch.bfloat16):
                logits = net(x)
            # Label smoothing 0.1, as is usual for ten classes with some doubtful labels.
            loss = kept * F.cross_entropy(logits.float(), y, label_smoothing=0.1)
            if mixed:
                loss = loss + (1 - kept) * F.cross_entropy(logits.float(), y[partner], label_smoothing=0.1)
            net.zero_grad()
            loss.backward()
            muon.step()
            adam.step()
            for m in norms:  # a positive scale commutes with max-pooling, see `fold`
                m.weight.data.clamp_(min=1e-3)
            step += 1
            update_average(average, net, min(span.average, step / (step + 10)))
            losses.append(loss.item())
            done = (time.time() - start) / (60 * span.minutes) if span.minutes else step / steps
            if done >= 1:
                break
        epoch += 1
        torch.save(average.state_dict(), checkpoint)
        # Measured every third epoch: 500 photos at 224 cost a fifth of an epoch at 96.
        held = f" held-out {accuracy(average, x_held, y_held, bf16=True):.4f}" if epoch % 3 == 0 or done >= 1 else ""
        log(
            f"epoch {epoch} ({len(losses)} steps, {share:.3f} of the schedule) size {size} "
            f"loss {np.mean(losses):.3f}{held} {time.time() - start:.0f} s"
        )
    return average.eval()


# --- export ----------------------------------------------------------------------------------------------------


def fold(recipe: Recipe, net: TrainNet, name: str) -> tuple[dict[str, Tensor], list[dict[str, object]]]:
    """Folds batch norm and LRN_GAIN into the convolutions: (named float32 tensors, layer list).

    Names are torchvision's: AlexNet's numbering does not count LRN, dropout counts in the classifier. For
    y = gamma * (w x - mean) / sqrt(var + eps) + beta the convolution gets w * s and beta - mean * s,
    s = gamma / sqrt(var + eps). ReLU lets the positive factor LRN_GAIN through; batch norm of the next convolution
    was trained without it, so that convolution's weights are divided by it.
    """
    tensors: dict[str, Tensor] = {}
    layers: list[dict[str, object]] = []
    modules = list(net.features)
    index, gain_in, channels, side = 0, 1.0, 3, INPUT_SIZE
    convs = [m for m in modules if isinstance(m, nn.Conv2d)]
    norms = [m for m in modules if isinstance(m, nn.BatchNorm2d)]

    def add(op: str, shape: list[int], **attributes: object) -> None:
        layers.append({"op": op, "name": f"{op}{sum(l['op'] == op for l in layers) + 1}", **attributes, "outputShape": shape})

    for c, conv, norm in zip(recipe.convs, convs, norms):
        gain_out = LRN_GAIN if c.lrn else 1.0
        s = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        tensors[f"features.{index}.weight"] = conv.weight.double() * s.view(-1, 1, 1, 1) * gain_out / gain_in
        tensors[f"features.{index}.bias"] = (norm.bias.double() - norm.running_mean.double() * s) * gain_out
        side = (side + 2 * c.pad - c.kernel) // c.stride + 1
        add(
            "conv2d", [c.width, side, side], inChannels=channels, outChannels=c.width, kernelShape=[c.kernel] * 2,
            strides=[c.stride] * 2, pads=[c.pad] * 4, dilations=[1, 1], group=c.groups,
            weight=f"features.{index}.weight", bias=f"features.{index}.bias",
        )  # fmt: skip
        add("relu", [c.width, side, side])
        if c.lrn:
            add("lrn", [c.width, side, side], size=LRN_SIZE, alpha=LRN_ALPHA, beta=LRN_BETA, bias=LRN_K)
        if c.pool:
            kernel, stride = c.pool
            side = (side - kernel) // stride + 1
            add(
                "maxPool2d", [c.width, side, side], kernelShape=[kernel] * 2, strides=[stride] * 2, pads=[0] * 4,
                ceilMode=False,
            )  # fmt: skip
        # The gain passes LRN's output as a factor; every pool keeps it.
        gain_in, channels = gain_out, c.width
        index += 3 if c.pool else 2
    width = channels * side**2
    add("flatten", [width], order="CHW")
    # torchvision's AlexNet has dropout before each hidden dense layer (1, 4, 6), its VGG after (0, 3, 6).
    dense = [m for m in net.classifier if isinstance(m, nn.Linear)]
    places = [1, 4, 6] if name == "alexnet-mini" else [0, 3, 6]
    for k, (place, m) in enumerate(zip(places, dense)):
        tensors[f"classifier.{place}.weight"] = m.weight.double()
        tensors[f"classifier.{place}.bias"] = m.bias.double()
        add(
            "dense", [m.out_features], inFeatures=m.in_features, outFeatures=m.out_features,
            weight=f"classifier.{place}.weight", bias=f"classifier.{place}.bias",
        )  # fmt: skip
        if k < len(dense) - 1:
            if recipe.head_slope:
                add("leakyRelu", [m.out_features], slope=recipe.head_slope)
            else:
                add("relu", [m.out_features])
    return {k: t.detach().float().contiguous() for k, t in tensors.items()}, layers


def run_layers(layers: list[dict], tensors: dict[str, Tensor], x: Tensor) -> Tensor:
    """The shipped network, executed from its layer list in the type of `x`; no code shared with TrainNet."""
    for layer in layers:
        match layer["op"]:
            case "conv2d":
                w, b = (tensors[layer[k]].to(x.dtype) for k in ("weight", "bias"))
                x = F.conv2d(x, w, b, layer["strides"], layer["pads"][:2], groups=layer["group"])
            case "relu":
                x = F.relu(x)
            case "leakyRelu":
                x = F.leaky_relu(x, layer["slope"])
            case "lrn":
                x = F.local_response_norm(x, layer["size"], layer["alpha"], layer["beta"], layer["bias"])
            case "maxPool2d":
                x = F.max_pool2d(x, layer["kernelShape"], layer["strides"])
            case "flatten":
                x = x.flatten(1)
            case "dense":
                x = F.linear(x, tensors[layer["weight"]].to(x.dtype), tensors[layer["bias"]].to(x.dtype))
    return x


def export(name: str, recipe: Recipe, net: TrainNet, data_hash: str, out: Path, log: Log) -> None:
    """Writes <name>.safetensors (float16), <name>.json, and <name>.f32.safetensors for comparison only."""
    tensors, layers = fold(recipe, net, name)
    sample = torch.randn(4, 3, INPUT_SIZE, INPUT_SIZE)
    with torch.no_grad():
        difference = (run_layers(layers, tensors, sample) - net(sample)).abs().max()
    log(f"fold: largest logit difference from the trained network {float(difference):.2e}")
    assert difference < 1e-3
    preprocessing = "RGB 224x224, /255, mean .485 .456 .406, std .229 .224 .225"
    metadata = {
        "model": name,
        "preprocessing": preprocessing,
        "classes": ", ".join(f"{wnid} {index} {label}" for wnid, index, label in CLASSES),
        "license": "MIT",
        "srmap": f"made by train.py {name}; imagenette-160.tar sha256 {data_hash}",
    }
    path = out / f"{name}.safetensors"
    save_file({k: t.half() for k, t in tensors.items()}, path, metadata)
    save_file(tensors, out / f"{name}.f32.safetensors", metadata)
    description = {
        "model": name,
        "input": {
            "shape": [3, INPUT_SIZE, INPUT_SIZE], "colour": "RGB", "scale": 1 / 255,
            "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
        },
        "conventions": "pads are top, left, bottom, right; lrn divides by (bias + alpha/size * sum of squares)^beta; "
        "conv weights OIHW, dense weights [out, in]; shapes without the batch",
        "layers": layers,
        "classes": [{"wnid": w, "index": i, "name": n} for w, i, n in CLASSES],
    }  # fmt: skip
    (out / f"{name}.json").write_text(json.dumps(description, indent=1) + "\n")
    parameters = sum(t.numel() for t in tensors.values())
    log(f"export: {parameters} parameters, {path.stat().st_size} bytes, sha256 {sha256(path)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=RECIPES)
    parser.add_argument("--data", type=Path, required=True, help="folder with imagenette-160.tar")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, help="run the schedule by the clock, in so many minutes")
    parser.add_argument("--resume", type=Path, help="a checkpoint to start from")
    parser.add_argument("--start", type=float, default=0.0, help="share of the schedule already done, with --resume")
    parser.add_argument("--average", type=float, default=0.998, help="decay of the moving average of the weights")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    recipe = RECIPES[args.model]
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    log = Log(args.out / f"{args.model}.log")
    tar = args.data / "imagenette-160.tar"
    data_hash = sha256(tar)
    log(f"command: python {' '.join(sys.argv)}")
    log(
        f"versions: python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}, "
        f"pillow {PIL.__version__}, safetensors {safetensors.__version__}"
    )
    log(f"script sha256: {sha256(Path(__file__))}")
    log(f"data: {tar.name} sha256 {data_hash}")
    log(f"recipe: {recipe}")
    data = split_held_out(read_photos(tar))
    log(f"photos: {len(data[1])} to train, {len(data[3])} held out")
    start = time.time()
    span = Span(args.start, args.minutes, args.resume, args.average)
    net = train(recipe, span, data, log, args.out / f"{args.model}.checkpoint.pt")
    log(f"training took {time.time() - start:.0f} s; held-out in float32 {accuracy(net, data[2], data[3], False):.4f}")
    export(args.model, recipe, net, data_hash, args.out, log)


if __name__ == "__main__":
    main()
