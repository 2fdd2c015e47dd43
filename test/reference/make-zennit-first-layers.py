"""Small seeded networks with batch norms before their first convolution or dense layer, and zennit's relevance of them in float64.

  python make-zennit-first-layers.py OUT.json

OUT.json is a list of {name, model, shape, input, target, logits, relevance: {composite: values}}; the committed
test/golden/zennit-first-layers.json is made so. zennit's EpsilonGammaBox takes the bounds of what the first convolution reads from its user: here
they are those of the pixels, taken through the layers before that convolution. Batch norms behind a convolution are merged into it. Needs torch
2.13, zennit 0.5.1, onnx.
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
from torch.nn.utils.fusion import fuse_conv_bn_eval
from zennit.attribution import Gradient
from zennit.composites import EpsilonAlpha2Beta1, EpsilonAlpha2Beta1Flat, EpsilonGammaBox, EpsilonPlus, EpsilonPlusFlat

torch.set_num_threads(1)

# As ImageNet networks prepare pixels, and as the test opens these.
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def stem(stride=1, padding=1):
    return [nn.Conv2d(3, 6, 3, stride, padding), nn.BatchNorm2d(6), nn.ReLU()]


def rest():
    return [nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)]


networks = {
    "no batch norm first": lambda: nn.Sequential(*stem(), *rest()),
    "batch norm first": lambda: nn.Sequential(nn.BatchNorm2d(3), *stem(), *rest()),
    "two batch norms first": lambda: nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3), *stem(2, 0), *rest()),
    "batch norm and ReLU first": lambda: nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), *stem(), *rest()),
    "batch norm and max pooling first": lambda: nn.Sequential(nn.BatchNorm2d(3), nn.MaxPool2d(3, 1, 1), *stem(), *rest()),
    "ReLU6 and batch norm first": lambda: nn.Sequential(nn.ReLU6(), nn.BatchNorm2d(3), *stem(), *rest()),
    "batch norm before a dense layer": lambda: nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 5)),
    "batch norm of a vector": lambda: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(192), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 5)),
}


def merged(net):
    """The network with the batch norms right behind convolutions merged, and how many layers stand before its first convolution."""
    net = copy.deepcopy(net)
    for index, module in enumerate(net):
        if isinstance(module, nn.BatchNorm2d) and index > 0 and isinstance(net[index - 1], nn.Conv2d):
            net[index - 1] = fuse_conv_bn_eval(net[index - 1], module)
            net[index] = nn.Identity()
    return net, next((index for index, module in enumerate(net) if isinstance(module, nn.Conv2d)), 0)


def box(net, first, low, high):
    """Bounds of what the first convolution reads, [1,C,1,1]: every layer before it is monotone in each channel by itself."""
    images = [net[:first](bound.reshape(1, 3, 1, 1).expand(1, 3, 8, 8)).detach()[:, :, :1, :1] for bound in (low, high)]
    return torch.minimum(*images), torch.maximum(*images)


def text(values):
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


cases = []
for index, (name, make) in enumerate(networks.items()):
    torch.manual_seed(100 + index)
    net = make().eval()
    for module in net.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
            module.weight.data[1] *= -1  # what was the least value becomes the largest
            if module.num_features == 3 and name == "batch norm first":
                module.weight.data[2] = 0  # a channel of one value
    low, high = (0 - MEAN) / STD, (1 - MEAN) / STD
    x = low.reshape(1, 3, 1, 1) + torch.rand(1, 3, 8, 8) * (high - low).reshape(1, 3, 1, 1)
    file = io.BytesIO()
    # Without training, PyTorch's exporter folds no batch norm: the file has the network as it is written.
    torch.onnx.export(net, (x,), file, dynamo=False, input_names=["input"], opset_version=17, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)
    double, first = merged(net.double())
    bounds = box(double, first, low.double(), high.double())
    logits = double(x.double()).detach()
    target = int(logits.argmax())
    start = torch.zeros_like(logits)
    start[0, target] = logits[0, target]
    composites = {
        "epsilonPlus": EpsilonPlus(), "epsilonPlusFlat": EpsilonPlusFlat(), "epsilonAlpha2Beta1": EpsilonAlpha2Beta1(),
        "epsilonAlpha2Beta1Flat": EpsilonAlpha2Beta1Flat(), "epsilonGammaBox": EpsilonGammaBox(low=bounds[0], high=bounds[1]),
    }  # fmt: skip
    relevance = {}
    for key, composite in composites.items():
        with Gradient(model=copy.deepcopy(double), composite=composite) as attributor:
            relevance[key] = text(attributor(x.double(), start)[1].detach())
    cases.append({
        "name": name, "model": base64.b64encode(file.getvalue()).decode(), "shape": [3, 8, 8], "input": text(x), "target": target,
        "logits": text(logits[0]), "relevance": relevance,
    })  # fmt: skip

with open(sys.argv[1], "w") as file:
    file.write("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "]\n")
