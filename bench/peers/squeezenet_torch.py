"""The package's SqueezeNet 1.1 in PyTorch, from models/squeezenet1_1-caffe.safetensors (torchvision's names, no padding in the first layer)."""

import torch
from safetensors.torch import load_file


def convolution(weights, name, stride=1, pad=0):
    w, b = weights[f"{name}.weight"].float(), weights[f"{name}.bias"].float()
    m = torch.nn.Conv2d(w.shape[1], w.shape[0], w.shape[2], stride, pad)
    m.weight, m.bias = torch.nn.Parameter(w, requires_grad=False), torch.nn.Parameter(b, requires_grad=False)
    return m


class Fire(torch.nn.Module):
    def __init__(self, weights, index):
        super().__init__()
        name = f"features.{index}"
        self.squeeze = torch.nn.Sequential(convolution(weights, f"{name}.squeeze"), torch.nn.ReLU())
        self.one = torch.nn.Sequential(convolution(weights, f"{name}.expand1x1"), torch.nn.ReLU())
        self.three = torch.nn.Sequential(convolution(weights, f"{name}.expand3x3", pad=1), torch.nn.ReLU())

    def forward(self, x):
        x = self.squeeze(x)
        return torch.cat([self.one(x), self.three(x)], 1)


def pool():
    return torch.nn.MaxPool2d(3, 2, ceil_mode=True)


def squeezenet(path):
    weights = load_file(path)
    return torch.nn.Sequential(
        convolution(weights, "features.0", stride=2), torch.nn.ReLU(), pool(), Fire(weights, 3), Fire(weights, 4), pool(), Fire(weights, 6), Fire(weights, 7), pool(),
        Fire(weights, 9), Fire(weights, 10), Fire(weights, 11), Fire(weights, 12), convolution(weights, "classifier.1"), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
    ).eval()  # fmt: skip
