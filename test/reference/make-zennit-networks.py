"""Small seeded networks of the kinds that people use, as ONNX, with zennit's EpsilonPlus relevance in float64 and float32.

  python make-zennit-networks.py OUT.json

OUT.json is a list of {name, canonizers, model, shape, input, logits, target, relevance, rough}; the committed test/golden/zennit-networks.json
is made so. Sums are zennit.layer.Sum, as its ResNetCanonizer makes them; batch norms behind a convolution are merged into it as
NamedMergeBatchNorm does, those that stand elsewhere stay and get zennit's rule for batch norms, Pass. Needs torch 2.13, zennit 0.5.1, onnx.
"""

import base64
import copy
import io
import json
import sys

import numpy as np
import torch
import torchvision_stub  # noqa: F401
from torch import nn
from zennit.attribution import Gradient
from zennit.composites import EpsilonPlus
from zennit.layer import Sum

torch.set_num_threads(1)


class Gate(torch.autograd.Function):
    """x times a gate: the signal takes all the relevance, as Arras et al. 2017 have it."""

    @staticmethod
    def forward(context, x, gate):
        context.shape = gate.shape
        return x * gate

    @staticmethod
    def backward(context, relevance):
        return relevance, torch.zeros(context.shape, dtype=relevance.dtype)


class Product(nn.Module):
    isRelevance = False

    def forward(self, x, gate):
        return Gate.apply(x, gate) if Product.isRelevance else x * gate


class Total(nn.Module):
    """zennit's sum for its relevance; plain sums in the file."""

    def __init__(self):
        super().__init__()
        self.sum = Sum()

    def forward(self, *parts):
        return self.sum(torch.stack(parts, dim=-1)) if Product.isRelevance else sum(parts[1:], parts[0])


class Residual(nn.Module):
    def __init__(self, i, o, stride, gate=False):
        super().__init__()
        self.conv1, self.bn1, self.act1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU()
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.convs, self.bns = (nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o)) if stride > 1 or i != o else (nn.Identity(), nn.Identity())
        self.sum, self.act2 = Total(), nn.ReLU()
        if gate:
            self.pool, self.down, self.relu, self.up, self.sigmoid, self.product = nn.AdaptiveAvgPool2d(1), nn.Conv2d(o, 2, 1), nn.ReLU(), nn.Conv2d(2, o, 1), nn.Sigmoid(), Product()
        self.gate = gate

    def forward(self, x):
        y = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        if self.gate:
            y = self.product(y, self.sigmoid(self.up(self.relu(self.down(self.pool(y))))))
        return self.act2(self.sum(y, self.bns(self.convs(x))))


class Inverted(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        m = 4 * i
        self.conv1, self.bn1, self.act1 = nn.Conv2d(i, m, 1, bias=False), nn.BatchNorm2d(m), nn.ReLU6()
        self.conv2, self.bn2, self.act2 = nn.Conv2d(m, m, 3, stride, 1, groups=m, bias=False), nn.BatchNorm2d(m), nn.ReLU6()
        self.conv3, self.bn3 = nn.Conv2d(m, o, 1, bias=False), nn.BatchNorm2d(o)
        self.sum = Total() if stride == 1 and i == o else None

    def forward(self, x):
        y = self.act2(self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x))))))
        y = self.bn3(self.conv3(y))
        return y if self.sum is None else self.sum(x, y)


class Dense(nn.Module):
    def __init__(self, i, growth=4):
        super().__init__()
        self.bn0, self.act0, self.conv1 = nn.BatchNorm2d(i), nn.ReLU(), nn.Conv2d(i, 8, 1, bias=False)
        self.bn1, self.act1, self.conv2 = nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, growth, 3, padding=1, bias=False)

    def forward(self, x):
        return torch.cat([x, self.conv2(self.act1(self.bn1(self.conv1(self.act0(self.bn0(x))))))], 1)


class PreActivation(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.bn0, self.act0, self.conv1 = nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn1, self.act1, self.conv2 = nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.sum = Total()

    def forward(self, x):
        return self.sum(x, self.conv2(self.act1(self.bn1(self.conv1(self.act0(self.bn0(x)))))))


class Branches(nn.Module):
    """RepVGG while it is trained: 3x3, 1x1 and nothing, each with a batch norm."""

    def __init__(self, c):
        super().__init__()
        self.conv1, self.bn1, self.conv2, self.bn2, self.bn0 = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c), nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c), nn.BatchNorm2d(c)
        self.sum, self.act = Total(), nn.ReLU()

    def forward(self, x):
        return self.act(self.sum(self.bn1(self.conv1(x)), self.bn2(self.conv2(x)), self.bn0(x)))


def stem(c, act=nn.ReLU):
    return [nn.Conv2d(3, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c), act()]


def head(c):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 5)]


networks = {
    "ResNet": lambda: nn.Sequential(*stem(8), nn.MaxPool2d(3, 2, 1), Residual(8, 8, 1), Residual(8, 16, 2), *head(16)),
    "VGG with batch norm": lambda: nn.Sequential(*stem(8), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 5)),
    "MobileNetV2": lambda: nn.Sequential(*stem(6, nn.ReLU6), Inverted(6, 6, 1), Inverted(6, 8, 2), Inverted(8, 8, 1), *head(8)),
    "DenseNet": lambda: nn.Sequential(*stem(6), nn.MaxPool2d(2), Dense(6), Dense(10), Dense(14), nn.BatchNorm2d(18), nn.ReLU(), *head(18)),
    "pre-activation ResNet": lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), PreActivation(8), PreActivation(8), nn.BatchNorm2d(8), nn.ReLU(), *head(8)),
    "batch norm behind ReLU": lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(8), *head(8)),
    "RepVGG": lambda: nn.Sequential(*stem(8), Branches(8), nn.MaxPool2d(2), Branches(8), *head(8)),
    "squeeze and excitation": lambda: nn.Sequential(*stem(8), Residual(8, 8, 1, True), Residual(8, 16, 2, True), *head(16)),
}


def merged(net):
    """Convolutions and the batch norms right behind them."""
    pairs = []
    for prefix, module in net.named_modules():
        names = dict(module.named_children())
        path = f"{prefix}." if prefix else ""
        for name, child in names.items():
            if not isinstance(child, nn.BatchNorm2d):
                continue
            before = str(int(name) - 1) if name.isdigit() else name.replace("bn", "conv")
            if isinstance(names.get(before), nn.Conv2d):
                pairs.append(([path + before], path + name))
    return pairs


def relevance(net, x, target, pairs):
    net = copy.deepcopy(net)
    for [before], name in pairs:
        # As NamedMergeBatchNorm, which leaves the batch norm's epsilon behind: a factor of 0.999995 that near-cancelling sums make 6e-3.
        net.set_submodule(before, torch.nn.utils.fusion.fuse_conv_bn_eval(net.get_submodule(before), net.get_submodule(name)))
        net.set_submodule(name, nn.Identity())
    composite = EpsilonPlus()
    Product.isRelevance = True
    with Gradient(model=net, composite=composite) as attributor:
        start = torch.zeros(1, 5, dtype=x.dtype)
        start[0, target] = net(x)[0, target].detach()
        result = attributor(x, start)[1]
    Product.isRelevance = False
    return result


def text(values):
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


cases = []
for index, (name, make) in enumerate(networks.items()):
    torch.manual_seed(index)
    net = make().eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    x = torch.randn(1, 3, 16, 16)
    file = io.BytesIO()
    # Without training, PyTorch's exporter folds no batch norm: the file has the network as it is written.
    torch.onnx.export(net, (x,), file, dynamo=False, input_names=["input"], opset_version=17, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)
    double = copy.deepcopy(net).double()
    logits = double(x.double()).detach()[0]
    target = int(logits.argmax())
    pairs = merged(net)
    cases.append({
        "name": name, "canonizers": f"NamedMergeBatchNorm({', '.join(f'{b} into {a[0]}' for a, b in pairs)})", "model": base64.b64encode(file.getvalue()).decode(),
        "shape": [3, 16, 16], "input": text(x), "logits": text(logits), "target": target,
        "relevance": text(relevance(double, x.double(), target, pairs).detach()), "rough": text(relevance(copy.deepcopy(net), x.clone(), target, pairs).detach()),
    })  # fmt: skip

with open(sys.argv[1], "w") as file:
    file.write("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "]\n")
