"""Whole classifiers as people publish and train them on small images (CIFAR, MNIST, faces, signals), and what their repositories add to
PyTorch's own layers. Each is written from its paper or its best-known repository, narrow, so that a file stays small.
"""

import math

import torch
import torch.nn.functional as F
from network_patterns import Fn, Pattern, Residual, block, head, image, net, patterns
from torch import nn
from torch.nn.utils import parametrizations


def custom(name, **more):
    """A classifier written out as a function of nothing; the input is a CIFAR photo unless told."""

    def register(make):
        def build():
            torch.manual_seed(0)
            made = make()
            module, x, scores = (*made, None, None)[:3] if isinstance(made, tuple) else (made, None, None)
            return Pattern(module, image() if x is None else x, scores=scores, **more)

        patterns[name] = build
        return make

    return register


# --- residual networks ------------------------------------------------------------------------------------------------


class BasicA(nn.Module):
    """ResNet-20 to 1202 of the CIFAR section: shortcuts without weights, every other pixel and channels of zeros (He 2016, option A)."""

    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.grow = (o - i) // 2 if stride != 1 or i != o else None

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        short = x if self.grow is None else F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow, self.grow), "constant", 0)
        return F.relu(out + short)


class CifarResNet(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        stage = lambda i, o, s: nn.Sequential(*[BasicA(i if k == 0 else o, o, s if k == 0 else 1) for k in range(n)])
        self.layer1, self.layer2, self.layer3 = stage(16, 16, 1), stage(16, 32, 2), stage(32, 64, 2)
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        out = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        out = F.avg_pool2d(out, out.size()[3])
        return self.linear(out.view(out.size(0), -1))


custom("cifar_resnet20")(lambda: CifarResNet(3))
custom("cifar_resnet56")(lambda: CifarResNet(9))


class ConcatShortcut(nn.Module):
    """Option A written with a mean and concatenated zeros (ResNeXt, Shake-Shake, AugMix)."""

    def __init__(self, i, o):
        super().__init__()
        self.body = nn.Sequential(block(i, o, stride=2), nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        short = F.avg_pool2d(x, 1, 2)
        return F.relu(self.body(x) + torch.cat((short, short.mul(0)), 1))


custom("cifar_resnext_concat")(lambda: nn.Sequential(block(3, 16), ConcatShortcut(16, 32), ConcatShortcut(32, 64), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10)))


class ShakeShortcut(nn.Module):
    """Shake-Shake: two shifted samplings of the image, side by side."""

    def __init__(self, i, o):
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(), block(i, o, stride=2), nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o))
        self.a, self.b, self.bn = nn.Conv2d(i, o // 2, 1, bias=False), nn.Conv2d(i, o // 2, 1, bias=False), nn.BatchNorm2d(o)

    def forward(self, x):
        h = F.relu(x)
        one = self.a(F.avg_pool2d(h, 1, 2))
        two = self.b(F.avg_pool2d(F.pad(h, (-1, 1, -1, 1)), 1, 2))
        return self.body(x) + self.bn(torch.cat((one, two), 1))


custom("cifar_shake_shake")(lambda: nn.Sequential(block(3, 16), ShakeShortcut(16, 32), nn.ReLU(), nn.AvgPool2d(16), nn.Flatten(), nn.Linear(32, 10)))


class WideBlock(nn.Module):
    """Wide ResNet, with the switch for equal widths of the usual repository."""

    def __init__(self, i, o, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(i), nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(o), nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.equal = i == o
        self.short = None if self.equal else nn.Conv2d(i, o, 1, stride, bias=False)

    def forward(self, x):
        out = None
        if self.equal:
            out = F.relu(self.bn1(x))
        else:
            x = F.relu(self.bn1(x))
        out = F.dropout(F.relu(self.bn2(self.conv1(out if self.equal else x))), 0.3, self.training)
        return (x if self.equal else self.short(x)) + self.conv2(out)


@custom("cifar_wide_resnet")
def _():
    stages = [WideBlock(16, 32, 1), WideBlock(32, 32, 1), WideBlock(32, 64, 2), WideBlock(64, 64, 1), WideBlock(64, 128, 2)]
    return Fn(lambda s, x: s.fc(F.avg_pool2d(F.relu(s.bn(s.b(x))), 8).view(-1, 128)), b=nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), *stages), bn=nn.BatchNorm2d(128), fc=nn.Linear(128, 10))


class PyramidBlock(nn.Module):
    """PyramidNet: batch norms first and last, zeros appended to the shortcut's channels."""

    def __init__(self, i, o, stride):
        super().__init__()
        self.body = nn.Sequential(nn.BatchNorm2d(i), nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(), nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o))
        self.pool = nn.AvgPool2d(2, 2, ceil_mode=True) if stride == 2 else nn.Identity()

    def forward(self, x):
        out, short = self.body(x), self.pool(x)
        zeros = torch.zeros(out.size(0), out.size(1) - short.size(1), out.size(2), out.size(3))
        return out + torch.cat((short, zeros), 1)


custom("cifar_pyramidnet")(lambda: nn.Sequential(block(3, 16, nn.Identity()), PyramidBlock(16, 20, 1), PyramidBlock(20, 26, 2), PyramidBlock(26, 32, 2), nn.BatchNorm2d(32), nn.ReLU(), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(32, 10)))


class PreActSe(nn.Module):
    """Pre-activation block with a squeeze and excitation by 1 x 1 convolutions (SENet-18 for CIFAR)."""

    def __init__(self, i, o, stride=1):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(i), nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(o), nn.Conv2d(o, o, 3, 1, 1, bias=False)
        if stride != 1 or i != o:
            self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False))
        self.fc1, self.fc2 = nn.Conv2d(o, o // 16, 1), nn.Conv2d(o // 16, o, 1)

    def forward(self, x):
        out = F.relu(self.bn1(x))
        shortcut = self.shortcut(out) if hasattr(self, "shortcut") else x
        out = self.conv2(F.relu(self.bn2(self.conv1(out))))
        w = torch.sigmoid(self.fc2(F.relu(self.fc1(F.avg_pool2d(out, int(out.size(2)))))))
        return out * w + shortcut


custom("cifar_senet18")(lambda: nn.Sequential(block(3, 32), PreActSe(32, 32), PreActSe(32, 64, 2), PreActSe(64, 64), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(64 * 16, 10)))


class Fixup(nn.Module):
    """Fixup: scalar biases and a scalar scale in the place of batch norms."""

    def __init__(self, c):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(c, c, 3, 1, 1, bias=False), nn.Conv2d(c, c, 3, 1, 1, bias=False)
        self.b1, self.b2, self.b3, self.b4 = (nn.Parameter(torch.randn(1) * 0.1) for _ in range(4))
        self.scale = nn.Parameter(torch.ones(1) * 0.7)

    def forward(self, x):
        out = F.relu(self.c1(x + self.b1) + self.b2)
        return F.relu(self.c2(out + self.b3) * self.scale + self.b4 + x)


custom("cifar_fixup")(lambda: nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1), nn.ReLU(), Fixup(16), Fixup(16), Fn(lambda s, x: s.fc(x.mean((-2, -1)) + s.b), fc=nn.Linear(16, 10), b=nn.Parameter(torch.zeros(1) + 0.05))))


class ResNet9(nn.Module):
    """The networks of DAWNBench: CELU, residual pairs, max pools and logits times a constant."""

    def __init__(self):
        super().__init__()
        c = lambda i, o, *more: nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.CELU(alpha=0.075), *more)
        self.prep, self.one, self.two = c(3, 16), c(16, 32, nn.MaxPool2d(2)), c(32, 48, nn.MaxPool2d(2))
        self.r1, self.fc = nn.Sequential(c(32, 32), c(32, 32)), nn.Linear(48, 10, bias=False)

    def forward(self, x):
        x = self.one(self.prep(x))
        x = self.two(x + self.r1(x))
        return self.fc(F.max_pool2d(x, 8).flatten(1)) * 0.125


custom("cifar_resnet9")(ResNet9)


# --- dense and branching networks -------------------------------------------------------------------------------------


class DenseBottleneck(nn.Module):
    def __init__(self, i, growth, first):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(i), nn.Conv2d(i, 4 * growth, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)
        self.first = first

    def forward(self, x):
        out = self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x))))))
        return torch.cat([out, x] if self.first else [x, out], 1)


def densenet_bc(first):
    layers, c = [nn.Conv2d(3, 24, 3, padding=1, bias=False)], 24
    for stage in range(3):
        for _ in range(3):
            layers.append(DenseBottleneck(c, 12, first))
            c += 12
        if stage < 2:
            layers += [nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c // 2, 1, bias=False), nn.AvgPool2d(2)]
            c //= 2
    return nn.Sequential(*layers, nn.BatchNorm2d(c), nn.ReLU(), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(c, 10))


custom("cifar_densenet_bc")(lambda: densenet_bc(False))
custom("cifar_densenet_new_first")(lambda: densenet_bc(True))


class DualPath(nn.Module):
    """DPN for CIFAR: part of the channels added, part appended, by slices."""

    def __init__(self, i, mid, o, dense, stride):
        super().__init__()
        self.o = o
        self.body = nn.Sequential(block(i, mid, k=1), nn.Conv2d(mid, mid, 3, stride, 1, groups=8, bias=False), nn.BatchNorm2d(mid), nn.ReLU(), nn.Conv2d(mid, o + dense, 1, bias=False), nn.BatchNorm2d(o + dense))
        self.short = nn.Sequential(nn.Conv2d(i, o + dense, 1, stride, bias=False), nn.BatchNorm2d(o + dense)) if stride > 1 or i != o + dense else nn.Sequential()

    def forward(self, x):
        out, x, d = self.body(x), self.short(x), self.o
        return F.relu(torch.cat([x[:, :d, :, :] + out[:, :d, :, :], x[:, d:, :, :], out[:, d:, :, :]], 1))


custom("cifar_dpn")(lambda: nn.Sequential(block(3, 24), DualPath(24, 32, 24, 8, 1), DualPath(40, 32, 24, 8, 2), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(40 * 16, 10)))


class ShuffleBlock(nn.Module):
    """ShuffleNet with groups; the shortcut is pooled and appended."""

    def __init__(self, i, o, stride, groups):
        super().__init__()
        self.stride, self.groups = stride, groups
        mid = o // 4
        self.c1, self.b1 = nn.Conv2d(i, mid, 1, groups=1 if i == 24 else groups, bias=False), nn.BatchNorm2d(mid)
        self.c2, self.b2 = nn.Conv2d(mid, mid, 3, stride, 1, groups=mid, bias=False), nn.BatchNorm2d(mid)
        self.c3, self.b3 = nn.Conv2d(mid, o, 1, groups=groups, bias=False), nn.BatchNorm2d(o)

    def forward(self, x):
        out = F.relu(self.b1(self.c1(x)))
        n, c, h, w = out.size()
        out = out.view(n, self.groups, c // self.groups, h, w).permute(0, 2, 1, 3, 4).reshape(n, c, h, w)
        out = self.b3(self.c3(F.relu(self.b2(self.c2(out)))))
        return F.relu(torch.cat([out, F.avg_pool2d(x, 3, 2, 1)], 1)) if self.stride == 2 else F.relu(out + x)


custom("cifar_shufflenet_g2")(lambda: nn.Sequential(block(3, 24, k=1), ShuffleBlock(24, 40, 2, 2), ShuffleBlock(64, 64, 1, 2), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(64 * 16, 10)))


class SplitShuffle(nn.Module):
    """ShuffleNetV2 by slices, as the CIFAR repository writes it."""

    def __init__(self, c):
        super().__init__()
        self.half = c // 2
        h = self.half
        self.body = nn.Sequential(block(h, h, k=1), nn.Conv2d(h, h, 3, 1, 1, groups=h, bias=False), nn.BatchNorm2d(h), block(h, h, k=1))

    def forward(self, x):
        c = int(x.size(1) * 0.5)
        out = torch.cat([x[:, :c, :, :], self.body(x[:, c:, :, :])], 1)
        n, c, h, w = out.size()
        return out.view(n, 2, c // 2, h, w).permute(0, 2, 1, 3, 4).reshape(n, c, h, w)


custom("cifar_shufflenet_v2")(lambda: nn.Sequential(block(3, 24), SplitShuffle(24), SplitShuffle(24), nn.MaxPool2d(2), head(24)))


class MobileBlock(nn.Module):
    def __init__(self, i, o, expand, stride):
        super().__init__()
        m = i * expand
        self.stride = stride
        self.c1, self.b1, self.c2, self.b2 = nn.Conv2d(i, m, 1, bias=False), nn.BatchNorm2d(m), nn.Conv2d(m, m, 3, stride, 1, groups=m, bias=False), nn.BatchNorm2d(m)
        self.c3, self.b3 = nn.Conv2d(m, o, 1, bias=False), nn.BatchNorm2d(o)
        self.short = nn.Sequential(nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o)) if stride == 1 and i != o else nn.Sequential()
        self.se1, self.se2 = nn.Conv2d(m, max(1, i // 4), 1), nn.Conv2d(max(1, i // 4), m, 1)

    def forward(self, x):
        swish = lambda v: v * v.sigmoid()
        out = swish(self.b2(self.c2(swish(self.b1(self.c1(x))))))
        gate = self.se2(swish(self.se1(F.adaptive_avg_pool2d(out, (1, 1))))).sigmoid()
        out = self.b3(self.c3(out * gate))
        return out + self.short(x) if self.stride == 1 else out


custom("cifar_efficientnet")(lambda: nn.Sequential(block(3, 16, nn.SiLU()), MobileBlock(16, 24, 4, 1), MobileBlock(24, 24, 4, 1), MobileBlock(24, 32, 6, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(32, 10)))


class Tree(nn.Module):
    """DLA: roots over concatenated children, level by level."""

    def __init__(self, i, o, level, stride):
        super().__init__()
        self.level = level
        self.left, self.right = Residual(i, o, stride) if level == 1 else Tree(i, o, level - 1, stride), Residual(o, o) if level == 1 else Tree(o, o, level - 1, 1)
        self.root = block(2 * o if level == 1 else (level + 1) * o, o, k=1)
        if level > 1:
            self.previous = Residual(i, o, stride)

    def forward(self, x):
        left = self.left(x)
        right = self.right(left)
        return self.root(torch.cat([left, right] if self.level == 1 else [self.previous(x), left, right], 1))


custom("cifar_dla")(lambda: nn.Sequential(block(3, 16), Tree(16, 16, 1, 1), Tree(16, 32, 2, 2), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(32 * 16, 10)))


class ScaleBranches(nn.Module):
    """Res2Net: slices of the channels, each added to the next."""

    def __init__(self, c, scale):
        super().__init__()
        self.scale, self.w = scale, c // scale
        self.convs = nn.ModuleList([block(self.w, self.w) for _ in range(scale - 1)])

    def forward(self, x):
        parts = torch.split(x, self.w, 1)
        outs = []
        for i, conv in enumerate(self.convs):
            outs.append(conv(parts[i] if i == 0 else outs[-1] + parts[i]))
        return torch.cat([*outs, parts[-1]], 1) + x


custom("block_res2net")(lambda: net(ScaleBranches(16, 4)))


class Ghost(nn.Module):
    """GhostNet's module, cut to the wanted number of channels."""

    def __init__(self, i, o):
        super().__init__()
        self.o, m = o, math.ceil(o / 2)
        self.primary, self.cheap = block(i, m, k=1), nn.Sequential(nn.Conv2d(m, m, 3, 1, 1, groups=m, bias=False), nn.BatchNorm2d(m), nn.ReLU(inplace=True))

    def forward(self, x):
        x1 = self.primary(x)
        return torch.cat([x1, self.cheap(x1)], 1)[:, : self.o, :, :]


custom("block_ghost")(lambda: net(Ghost(16, 19), nn.Conv2d(19, 16, 1)))


class Cross(nn.Module):
    """CSPNet: half the channels go through, both halves meet again."""

    def __init__(self, c):
        super().__init__()
        self.a, self.b, self.m, self.o = block(c, c // 2, nn.LeakyReLU(0.1), k=1), block(c, c // 2, nn.LeakyReLU(0.1), k=1), nn.Sequential(block(c // 2, c // 2, nn.SiLU()), block(c // 2, c // 2, nn.SiLU())), block(c, c, nn.SiLU(), k=1)

    def forward(self, x):
        y = self.b(x)
        return self.o(torch.cat((self.a(x), y + self.m(y)), dim=1))


custom("block_cross_stage")(lambda: net(Cross(16)))


class SpatialPyramid(nn.Module):
    """SPPF: three max pools in a row, all kept (YOLOv5 to v8, whose classifiers end so)."""

    def __init__(self, c):
        super().__init__()
        self.a, self.m, self.b = block(c, c // 2, nn.SiLU(), k=1), nn.MaxPool2d(5, 1, 2), block(2 * c, c, nn.SiLU(), k=1)

    def forward(self, x):
        x = self.a(x)
        y = self.m(x)
        z = self.m(y)
        return self.b(torch.cat((x, y, z, self.m(z)), 1))


class SplitTwo(nn.Module):
    """YOLOv8's C2f: chunks, each bottleneck appended to a list."""

    def __init__(self, c):
        super().__init__()
        self.a, self.b = block(c, c, nn.SiLU(), k=1), block(2 * c, c, nn.SiLU(), k=1)
        self.m = nn.ModuleList([nn.Sequential(block(c // 2, c // 2, nn.SiLU()), block(c // 2, c // 2, nn.SiLU())) for _ in range(2)])

    def forward(self, x):
        y = list(self.a(x).chunk(2, 1))
        y.extend(y[-1] + m(y[-1]) for m in self.m)
        return self.b(torch.cat(y, 1))


@custom("yolo_classifier")
def _():
    scores = nn.Sequential(block(3, 16, nn.SiLU(), 2), block(16, 32, nn.SiLU(), 2), SplitTwo(32), SpatialPyramid(32), block(32, 64, nn.SiLU(), k=1), head(64))
    return nn.Sequential(scores, nn.Softmax(1)), None, scores


class AsymmetricFire(nn.Module):
    """ENet and ERFNet: factorised convolutions, max pooling beside a strided convolution."""

    def __init__(self, i, o):
        super().__init__()
        self.c, self.p, self.b = nn.Conv2d(i, o - i, 3, 2, 1), nn.MaxPool2d(2, 2), nn.BatchNorm2d(o, eps=1e-3)
        self.f = nn.Sequential(nn.Conv2d(o, o, (3, 1), 1, (1, 0)), nn.ReLU(), nn.Conv2d(o, o, (1, 3), 1, (0, 1)), nn.BatchNorm2d(o, eps=1e-3), nn.ReLU(), nn.Conv2d(o, o, (3, 1), 1, (2, 0), dilation=(2, 1)), nn.ReLU(), nn.Conv2d(o, o, (1, 3), 1, (0, 2), dilation=(1, 2)), nn.BatchNorm2d(o, eps=1e-3))

    def forward(self, x):
        x = F.relu(self.b(torch.cat([self.c(x), self.p(x)], 1)))
        return F.relu(self.f(x) + x)


custom("encoder_erfnet")(lambda: nn.Sequential(AsymmetricFire(3, 16), AsymmetricFire(16, 32), head(32)))


class UnetEncoder(nn.Module):
    """U-Net with attention gates, whose map is averaged into classes."""

    def __init__(self):
        super().__init__()
        self.d1, self.d2, self.d3 = nn.Sequential(block(3, 8), block(8, 8)), nn.Sequential(block(8, 16), block(16, 16)), block(16, 32)
        self.up2, self.u2 = nn.Sequential(nn.Upsample(scale_factor=2), block(32, 16)), block(32, 16)
        self.wg, self.wx, self.psi = nn.Sequential(nn.Conv2d(16, 8, 1), nn.BatchNorm2d(8)), nn.Sequential(nn.Conv2d(16, 8, 1), nn.BatchNorm2d(8)), nn.Sequential(nn.Conv2d(8, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())
        self.out = nn.Conv2d(16, 10, 1)

    def forward(self, x):
        x1 = self.d1(x)
        x2 = self.d2(F.max_pool2d(x1, 2))
        g = self.up2(self.d3(F.max_pool2d(x2, kernel_size=2, stride=2)))
        x2 = x2 * self.psi(F.relu(self.wg(g) + self.wx(x2)))
        return self.out(self.u2(torch.cat((x2, g), dim=1))).mean(dim=[2, 3])


custom("encoder_attention_unet")(UnetEncoder)


# --- attention of channels and places ---------------------------------------------------------------------------------


class Bam(nn.Module):
    """BAM: a channel gate expanded as the map, plus a dilated spatial gate."""

    def __init__(self, c):
        super().__init__()
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(c, c // 4), nn.BatchNorm1d(c // 4), nn.ReLU(), nn.Linear(c // 4, c))
        self.sp = nn.Sequential(nn.Conv2d(c, c // 4, 1), nn.BatchNorm2d(c // 4), nn.ReLU(), nn.Conv2d(c // 4, c // 4, 3, padding=4, dilation=4), nn.BatchNorm2d(c // 4), nn.ReLU(), nn.Conv2d(c // 4, 1, 1))

    def forward(self, x):
        channel = self.fc(F.avg_pool2d(x, x.size(2), stride=x.size(2))).unsqueeze(2).unsqueeze(3).expand_as(x)
        return (1 + torch.sigmoid(channel * self.sp(x).expand_as(x))) * x


custom("gate_bam")(lambda: net(Bam(16)))


class CbamAsWritten(nn.Module):
    """CBAM's own repository: sums over pool types, logits expanded, max and mean compressed."""

    def __init__(self, c):
        super().__init__()
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(c, c // 4), nn.ReLU(), nn.Linear(c // 4, c))
        self.spatial = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1, eps=1e-5, momentum=0.01))

    def forward(self, x):
        total = None
        for pool in ("avg", "max", "lp", "lse"):
            if pool == "avg":
                raw = self.mlp(F.avg_pool2d(x, (x.size(2), x.size(3)), stride=(x.size(2), x.size(3))))
            elif pool == "max":
                raw = self.mlp(F.max_pool2d(x, (x.size(2), x.size(3)), stride=(x.size(2), x.size(3))))
            elif pool == "lp":
                raw = self.mlp(F.lp_pool2d(x, 2, (x.size(2), x.size(3)), stride=(x.size(2), x.size(3))))
            else:
                flat = x.view(x.size(0), x.size(1), -1)
                s, _ = torch.max(flat, dim=2, keepdim=True)
                raw = self.mlp((s + (flat - s).exp().sum(dim=2, keepdim=True).log()).view(x.size(0), -1))
            total = raw if total is None else total + raw
        x = x * torch.sigmoid(total).unsqueeze(2).unsqueeze(3).expand_as(x)
        squeezed = torch.cat((torch.max(x, 1)[0].unsqueeze(1), torch.mean(x, 1).unsqueeze(1)), dim=1)
        return x * torch.sigmoid(self.spatial(squeezed))


custom("gate_cbam_as_written")(lambda: net(CbamAsWritten(16)))


class Triplet(nn.Module):
    """Triplet attention: the gate of three turned views of the map."""

    def __init__(self):
        super().__init__()
        self.g = nn.ModuleList([nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1)) for _ in range(3)])

    def forward(self, x):
        def gate(g, v):
            return v * torch.sigmoid(g(torch.cat((torch.max(v, 1)[0].unsqueeze(1), torch.mean(v, 1).unsqueeze(1)), dim=1)))

        a = gate(self.g[0], x.permute(0, 2, 1, 3).contiguous()).permute(0, 2, 1, 3).contiguous()
        b = gate(self.g[1], x.permute(0, 3, 2, 1).contiguous()).permute(0, 3, 2, 1).contiguous()
        return 1 / 3 * (gate(self.g[2], x) + a + b)


custom("gate_triplet")(lambda: net(Triplet()))


class SpatialGroup(nn.Module):
    """SGE: the gate of each group of channels, standardised over the image."""

    def __init__(self, groups):
        super().__init__()
        self.groups = groups
        self.weight, self.bias = nn.Parameter(torch.rand(1, groups, 1, 1)), nn.Parameter(torch.rand(1, groups, 1, 1))

    def forward(self, x):
        b, c, h, w = x.size()
        x = x.view(b * self.groups, -1, h, w)
        xn = (x * F.adaptive_avg_pool2d(x, 1)).sum(dim=1, keepdim=True)
        t = xn.view(b * self.groups, -1)
        t = t - t.mean(dim=1, keepdim=True)
        t = (t / (t.std(dim=1, keepdim=True) + 1e-5)).view(b, self.groups, h, w) * self.weight + self.bias
        return (x * torch.sigmoid(t.view(b * self.groups, 1, h, w))).view(b, c, h, w)


custom("gate_spatial_group")(lambda: net(SpatialGroup(4)))


class ShuffleAttention(nn.Module):
    """SA-Net: groups of channels folded into the batch, chunked, shuffled back."""

    def __init__(self, c, groups):
        super().__init__()
        self.groups, k = groups, c // (2 * groups)
        self.cw, self.cb, self.sw, self.sb = (nn.Parameter(torch.rand(1, k, 1, 1)) for _ in range(4))
        self.gn = nn.GroupNorm(k, k)

    def forward(self, x):
        b, c, h, w = x.shape
        x0, x1 = x.reshape(b * self.groups, -1, h, w).chunk(2, dim=1)
        n = x0 * torch.sigmoid(self.cw * F.adaptive_avg_pool2d(x0, 1) + self.cb)
        s = x1 * torch.sigmoid(self.sw * self.gn(x1) + self.sb)
        out = torch.cat([n, s], dim=1).reshape(b, -1, h, w)
        return out.reshape(b, 2, -1, h, w).permute(0, 2, 1, 3, 4).reshape(b, -1, h, w)


custom("gate_shuffle_attention")(lambda: net(ShuffleAttention(16, 4)))


class StyleGate(nn.Module):
    """SRM: mean and deviation of each channel, a weight per channel and statistic, batch norm, sigmoid."""

    def __init__(self, c):
        super().__init__()
        self.cfc, self.bn = nn.Parameter(torch.randn(c, 2)), nn.BatchNorm2d(c)

    def forward(self, x):
        n, c = x.size(0), x.size(1)
        mean = x.view(n, c, -1).mean(2).view(n, c, 1, 1)
        std = (x.view(n, c, -1).var(2) + 1e-5).sqrt().view(n, c, 1, 1)
        t = torch.cat((mean.squeeze(3), std.squeeze(3)), dim=2)
        z = torch.sum(t * self.cfc[None, :, :], dim=2)[:, :, None, None]
        return x * torch.sigmoid(self.bn(z))


custom("gate_style")(lambda: net(StyleGate(16)))


class Frequency(nn.Module):
    """FcaNet: channels weighed by fixed cosines, summed over the image."""

    def __init__(self, c, side):
        super().__init__()
        k = torch.arange(side)
        rows = torch.stack([torch.cos(math.pi * (k + 0.5) * (u % 4) / side) for u in range(c)])
        self.register_buffer("weight", rows[:, :, None] * rows.flip(0)[:, None, :])
        self.fc = nn.Sequential(nn.Linear(c, c // 4, bias=False), nn.ReLU(inplace=True), nn.Linear(c // 4, c, bias=False), nn.Sigmoid())

    def forward(self, x):
        n, c, _, _ = x.shape
        y = self.fc(torch.sum(x * self.weight, dim=[2, 3])).view(n, c, 1, 1)
        return x * y.expand_as(x)


custom("gate_frequency")(lambda: net(Frequency(16, 32)))


class StripPool(nn.Module):
    """Strip pooling: rows and columns averaged, spread again, multiplied in."""

    def __init__(self, c):
        super().__init__()
        self.h, self.w, self.o = nn.Conv2d(c, c, (3, 1), padding=(1, 0)), nn.Conv2d(c, c, (1, 3), padding=(0, 1)), nn.Conv2d(c, c, 1)

    def forward(self, x):
        _, _, h, w = x.size()
        a = F.interpolate(self.h(F.adaptive_avg_pool2d(x, (None, 1))), (h, w), mode="bilinear", align_corners=True)
        b = F.interpolate(self.w(F.adaptive_avg_pool2d(x, (1, None))), (h, w), mode="bilinear", align_corners=True)
        return x * self.o(F.relu(a + b)).sigmoid()


custom("gate_strip_pool")(lambda: net(StripPool(16)))


class LargeKernel(nn.Module):
    """VAN's large kernel attention."""

    def __init__(self, c):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(c, c, 5, padding=2, groups=c), nn.Conv2d(c, c, 7, padding=9, groups=c, dilation=3), nn.Conv2d(c, c, 1)

    def forward(self, x):
        return x.clone() * self.c(self.b(self.a(x)))


custom("gate_large_kernel")(lambda: net(LargeKernel(16)))
custom("gate_involution_free_halves")(lambda: net(Fn(lambda s, x: torch.cat([x[:, 0::2] * torch.tanh(x[:, 1::2]), x[:, 1::2]], 1))))


# --- heads ------------------------------------------------------------------------------------------------------------


class Margin(nn.Module):
    """ArcFace, CosFace: normalised features against normalised weights, times 30."""

    def __init__(self, c, n):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n, c))

    def forward(self, x):
        return 30.0 * F.linear(F.normalize(x, p=2, dim=1), F.normalize(self.weight))


custom("head_arcface_scaled")(lambda: nn.Sequential(block(3, 16), block(16, 32, nn.PReLU(32), 2), nn.BatchNorm2d(32), nn.Dropout(0.4), nn.Flatten(), nn.Linear(32 * 256, 64), nn.BatchNorm1d(64, affine=False), Margin(64, 10)))


class Gem(nn.Module):
    def __init__(self):
        super().__init__()
        self.p = nn.Parameter(torch.ones(1) * 3.0)

    def forward(self, x):
        return F.avg_pool2d(x.clamp(min=1e-6).pow(self.p), (x.size(-2), x.size(-1))).pow(1.0 / self.p)


custom("head_gem_neck")(lambda: net(tail=nn.Sequential(Gem(), nn.Flatten(), nn.Linear(32, 32), nn.BatchNorm1d(32), nn.PReLU(), nn.Dropout(0.3), nn.Linear(32, 10))))
custom("head_log_softmax_mnist")(
    lambda: (lambda scores: (nn.Sequential(scores, nn.LogSoftmax(dim=1)), image(1, 28), scores))(
        nn.Sequential(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(10, 20, 5), nn.Dropout2d(), nn.MaxPool2d(2), nn.ReLU(), Fn(lambda s, x: x.view(-1, 320)), nn.Linear(320, 50), nn.ReLU(), nn.Dropout(), nn.Linear(50, 10))
    )
)
custom("head_multi_label")(lambda: (lambda scores: (nn.Sequential(scores, nn.Sigmoid()), None, scores))(net(tail=nn.Sequential(Fn(lambda s, x: torch.cat([F.adaptive_max_pool2d(x, 1), F.adaptive_avg_pool2d(x, 1)], 1).view(x.shape[0], -1)), nn.BatchNorm1d(64), nn.Dropout(0.25), nn.Linear(64, 32, bias=False), nn.ReLU(), nn.BatchNorm1d(32), nn.Linear(32, 7, bias=False)))))
custom("head_class_activation")(lambda: net(tail=nn.Sequential(nn.Conv2d(32, 10, 1), Fn(lambda s, x: x.flatten(2).mean(-1)))))
custom("head_spatial_softmax_free")(lambda: net(tail=Fn(lambda s, x: s.fc((x * F.softmax(s.a(x).flatten(2), -1).view(x.size(0), 1, x.size(2), x.size(3))).sum((2, 3))), a=nn.Conv2d(32, 1, 1), fc=nn.Linear(32, 10))))
custom("head_noisy_or")(lambda: net(tail=Fn(lambda s, x: s.fc(torch.logsumexp(x.flatten(2) * 4.0, -1) / 4.0), fc=nn.Linear(32, 10))))
custom("head_weight_and_spectral")(lambda: nn.Sequential(parametrizations.weight_norm(nn.Conv2d(3, 16, 3, 2, 1)), nn.ReLU(), parametrizations.weight_norm(nn.Conv2d(16, 32, 3, 2, 1)), nn.ELU(), nn.Flatten(), parametrizations.spectral_norm(nn.Linear(2048, 32)), nn.ReLU(), parametrizations.weight_norm(nn.Linear(32, 10))))
custom("head_auxiliary", pick=0, output="scores", export={"output_names": ["scores", "auxiliary"]})(lambda: Fn(lambda s, x: (lambda y: (s.h(s.c(y)), s.aux(y)))(s.b(x)), b=nn.Sequential(block(3, 16), block(16, 32, stride=2)), c=block(32, 32), h=head(32), aux=nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(512, 10))))
custom("head_ensemble")(lambda: Fn(lambda s, x: torch.stack([m(x) for m in s.m]).mean(0), m=nn.ModuleList([net(), net(width=8)])))
custom("head_ensemble_sum")(lambda: Fn(lambda s, x: (s.a(x) + s.b(x)) / 2, a=net(), b=net(width=8)))
custom("head_flip_average")(lambda: Fn(lambda s, x: 0.5 * s.a(x) + 0.5 * s.a(torch.flip(x, [3])), a=net()))
custom("head_ordinal")(lambda: net(tail=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), Fn(lambda s, x: s.w(x) + s.b, w=nn.Linear(32, 1, bias=False), b=nn.Parameter(torch.arange(5, 0, -1).float() * 0.3)))))
custom("head_repeat_heads")(lambda: net(tail=Fn(lambda s, x: torch.cat([f(x.mean((2, 3))) for f in s.f], 1), f=nn.ModuleList([nn.Linear(32, 2) for _ in range(5)]))))
custom("head_kervolution_free_square")(lambda: net(tail=Fn(lambda s, x: s.fc(F.normalize(torch.sign(x.sum((2, 3))) * torch.sqrt(torch.abs(x.sum((2, 3))) + 1e-10))), fc=nn.Linear(32, 10))))
custom("head_two_linear_scaled")(lambda: net(tail=nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), Fn(lambda s, x: torch.squeeze(x)), nn.Linear(32, 10), Fn(lambda s, x: x.unsqueeze(0) * s.t.exp(), t=nn.Parameter(torch.tensor(1.2))))))


# --- re-parametrised and unusual convolutions -------------------------------------------------------------------------


class RepVgg(nn.Module):
    def __init__(self, c, gate=False):
        super().__init__()
        bn = lambda k: nn.Sequential(nn.Conv2d(c, c, k, padding=k // 2, bias=False), nn.BatchNorm2d(c))
        self.a, self.b, self.i = bn(3), bn(1), nn.BatchNorm2d(c)
        self.se = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, 4, 1), nn.ReLU(), nn.Conv2d(4, c, 1), nn.Sigmoid()) if gate else None

    def forward(self, x):
        y = self.a(x) + self.b(x) + self.i(x)
        return F.relu(y if self.se is None else y * self.se(y))


class MobileOneBlock(nn.Module):
    def __init__(self, c, branches):
        super().__init__()
        self.skip, self.scale = nn.BatchNorm2d(c), nn.Sequential(nn.Conv2d(c, c, 1, groups=c, bias=False), nn.BatchNorm2d(c))
        self.convs = nn.ModuleList([nn.Sequential(nn.Conv2d(c, c, 3, 1, 1, groups=c, bias=False), nn.BatchNorm2d(c)) for _ in range(branches)])
        self.point = nn.Sequential(nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU())

    def forward(self, x):
        out = self.scale(x) + self.skip(x)
        for conv in self.convs:
            out = out + conv(x)
        return self.point(F.relu(out))


class Acnet(nn.Module):
    """ACNet: a square convolution, a row and a column of it, added."""

    def __init__(self, c):
        super().__init__()
        self.a, self.b, self.c = (nn.Sequential(nn.Conv2d(c, c, k, padding=p, bias=False), nn.BatchNorm2d(c)) for k, p in ((3, 1), ((1, 3), (0, 1)), ((3, 1), (1, 0))))

    def forward(self, x):
        return F.relu(self.a(x) + self.b(x) + self.c(x))


class Octave(nn.Module):
    """Octave convolution: two resolutions that exchange."""

    def __init__(self, c):
        super().__init__()
        h = c // 2
        self.hh, self.hl, self.lh, self.ll = (nn.Conv2d(h, h, 3, padding=1) for _ in range(4))

    def forward(self, x):
        high, low = x.chunk(2, 1)
        low = F.avg_pool2d(low, 2, 2)
        h = self.hh(high) + F.interpolate(self.lh(low), scale_factor=2, mode="nearest")
        l = self.ll(low) + self.hl(F.avg_pool2d(high, 2))
        return torch.cat([F.relu(h), F.interpolate(F.relu(l), scale_factor=2, mode="nearest")], 1)


class CentralDifference(nn.Module):
    """CDCN (face anti-spoofing): a convolution less its kernel's sum at the centre."""

    def __init__(self, c):
        super().__init__()
        self.conv = nn.Conv2d(c, c, 3, padding=1, bias=False)

    def forward(self, x):
        out = self.conv(x)
        diff = self.conv.weight.sum(2).sum(2)[:, :, None, None]
        return F.relu(out - 0.7 * F.conv2d(input=x, weight=diff, bias=None, stride=1, padding=0))


class Mixed(nn.Module):
    """MixNet: chunks of channels, a kernel size each."""

    def __init__(self, c):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(c // 4, c // 4, k, padding=k // 2, groups=c // 4) for k in (3, 5, 7, 9)])

    def forward(self, x):
        return torch.cat([conv(p) for conv, p in zip(self.convs, torch.split(x, x.size(1) // 4, 1))], 1)


class Ternary(nn.Module):
    """XNOR-like weights: signs times the mean size; binary activations stay out."""

    def __init__(self, c):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c, c, 3, 3))

    def forward(self, x):
        alpha = self.weight.abs().mean((1, 2, 3), keepdim=True)
        return F.relu(F.conv2d(x, torch.sign(self.weight) * alpha, padding=1))


class Masked(nn.Module):
    """Pruned weights as torch.nn.utils.prune keeps them: weight_orig times a mask."""

    def __init__(self, c):
        super().__init__()
        import torch.nn.utils.prune as prune

        self.conv = prune.l1_unstructured(nn.Conv2d(c, c, 3, padding=1), "weight", 0.5)

    def forward(self, x):
        return F.relu(self.conv(x))


for _name, _make in {
    "repvgg": lambda: RepVgg(16), "repvgg_gate": lambda: RepVgg(16, True), "mobileone": lambda: MobileOneBlock(16, 3), "acnet": lambda: Acnet(16), "octave": lambda: Octave(16), "central_difference": lambda: CentralDifference(16),
    "mixed_kernels": lambda: Mixed(16), "binary_weights": lambda: Ternary(16), "pruned": lambda: Masked(16), "hard_swish_written": lambda: Fn(lambda s, x: x * F.relu6(x + 3, inplace=False) / 6), "hard_sigmoid_written": lambda: Fn(lambda s, x: x * (F.relu6(x + 3.0) / 6.0)),
    "gelu_written": lambda: Fn(lambda s, x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * torch.pow(x, 3))))), "mish_written": lambda: Fn(lambda s, x: x * torch.tanh(F.softplus(x))),
    "gelu_erf_written": lambda: Fn(lambda s, x: x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))), "elu_written": lambda: Fn(lambda s, x: torch.where(x > 0, x, torch.exp(x) - 1)), "leaky_by_max": lambda: Fn(lambda s, x: torch.max(0.1 * x, x)),
    "relu_half_sum": lambda: Fn(lambda s, x: (x + x.abs()) / 2), "prelu_written": lambda: Fn(lambda s, x: F.relu(x) - s.a * F.relu(-x), a=nn.Parameter(torch.rand(1, 16, 1, 1))), "dy_relu_free": lambda: Fn(lambda s, x: torch.max(x * s.a + s.b, x * s.c), a=nn.Parameter(torch.rand(16, 1, 1)), b=nn.Parameter(torch.rand(16, 1, 1)), c=nn.Parameter(torch.rand(16, 1, 1))),
    "dynamic_relu": lambda: Fn(lambda s, x: (lambda t: torch.max(x * (1 + t[:, :16, None, None]), x * t[:, 16:, None, None]))(2 * torch.sigmoid(s.f(x.mean((2, 3)))) - 1), f=nn.Linear(16, 32)), "filter_response_norm": lambda: Fn(lambda s, x: torch.max(s.g * x * torch.rsqrt(x.pow(2).mean((2, 3), keepdim=True) + 1e-6) + s.b, s.t), g=nn.Parameter(torch.rand(1, 16, 1, 1)), b=nn.Parameter(torch.rand(1, 16, 1, 1)), t=nn.Parameter(torch.zeros(1, 16, 1, 1) - 0.2)),
    "instance_batch": lambda: Fn(lambda s, x: torch.cat((s.i(x[:, :8].contiguous()), s.b(x[:, 8:].contiguous())), 1), i=nn.InstanceNorm2d(8, affine=True), b=nn.BatchNorm2d(8)), "switchable_norm": lambda: Fn(lambda s, x: (lambda w, m, v: (x - (w[0] * m + w[1] * m.mean(1, keepdim=True) + w[2] * s.m)) / (w[0] * v + w[1] * v.mean(1, keepdim=True) + w[2] * s.v + 1e-5).sqrt())(torch.softmax(s.w, 0), x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True)), w=nn.Parameter(torch.rand(3)), m=nn.Parameter(torch.rand(1, 16, 1, 1)), v=nn.Parameter(torch.rand(1, 16, 1, 1) + 0.5)),
    "blur_by_buffer": lambda: Fn(lambda s, x: F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), s.f.repeat(x.size(1), 1, 1, 1), stride=2, groups=x.size(1)), f=nn.Parameter(torch.tensor([[[[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]]]) / 16)),
    "space_to_depth_view": lambda: nn.Sequential(Fn(lambda s, x: x.view(1, 16, 16, 2, 16, 2).permute(0, 3, 5, 1, 2, 4).contiguous().view(1, 64, 16, 16)), nn.Conv2d(64, 16, 1)), "pixel_slices": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)), nn.Conv2d(64, 16, 1)),
    "stem_two_pools": lambda: Fn(lambda s, x: F.max_pool2d(x, 2) + F.avg_pool2d(x, 2)), "mixed_pool": lambda: Fn(lambda s, x: s.a * F.max_pool2d(x, 2) + (1 - s.a) * F.avg_pool2d(x, 2), a=nn.Parameter(torch.tensor(0.3))), "soft_pool": lambda: Fn(lambda s, x: F.avg_pool2d(x * torch.exp(x), 2) / F.avg_pool2d(torch.exp(x), 2)),
    "min_by_negated_max": lambda: Fn(lambda s, x: -F.max_pool2d(-x, 3, 2, 1)), "spatial_dropout_zoneout": lambda: nn.Sequential(nn.Dropout2d(0.2), nn.AlphaDropout(0.2), nn.FeatureAlphaDropout(0.1)), "laplace": lambda: Fn(lambda s, x: torch.cat([x, x - F.avg_pool2d(x, 3, 1, 1)], 1)[:, :16]),
    "add_coordinates_linspace": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([x, *[g.expand(x.size(0), 1, -1, -1) for g in torch.meshgrid(torch.linspace(-1, 1, x.size(2)), torch.linspace(-1, 1, x.size(3)), indexing="ij")]], 1)), nn.Conv2d(18, 16, 1)),
}.items():  # fmt: skip
    custom(f"block_{_name}")(lambda make=_make: net(make()))


# --- signals, spectra, other inputs -----------------------------------------------------------------------------------


@custom("signal_resnet")
def _():
    c = lambda i, o, k: nn.Sequential(nn.Conv1d(i, o, k, padding=k // 2), nn.BatchNorm1d(o))
    one = Fn(lambda s, x: F.relu(s.b(F.relu(s.a(x))) + s.s(x)), a=c(1, 16, 7), b=c(16, 16, 5), s=c(1, 16, 1))
    return nn.Sequential(one, Fn(lambda s, x: F.relu(s.b(F.relu(s.a(x))) + x), a=c(16, 16, 5), b=c(16, 16, 3)), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 5)), torch.randn(1, 1, 128)


@custom("signal_inception_time")
def _():
    part = lambda i: Fn(lambda s, x: F.relu(s.n(torch.cat([*[c(s.z(x)) for c in s.c], s.p(F.max_pool1d(x, 3, 1, 1))], 1))), z=nn.Conv1d(i, 8, 1, bias=False), c=nn.ModuleList([nn.Conv1d(8, 8, k, padding="same", bias=False) for k in (39, 19, 9)]), p=nn.Conv1d(i, 8, 1, bias=False), n=nn.BatchNorm1d(32))
    return nn.Sequential(part(2), part(32), nn.AdaptiveAvgPool1d(1), nn.Flatten(1), nn.Linear(32, 4)), torch.randn(1, 2, 100)


@custom("signal_eegnet")
def _():
    return nn.Sequential(nn.Conv2d(1, 8, (1, 32), padding=(0, 16), bias=False), nn.BatchNorm2d(8), nn.Conv2d(8, 16, (8, 1), groups=8, bias=False), nn.BatchNorm2d(16), nn.ELU(), nn.AvgPool2d((1, 4)), nn.Dropout(0.25), nn.Conv2d(16, 16, (1, 16), padding=(0, 8), groups=16, bias=False), nn.Conv2d(16, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ELU(), nn.AvgPool2d((1, 8)), nn.Flatten(), nn.Linear(64, 4)), torch.randn(1, 1, 8, 128)


@custom("signal_shallow_convnet")
def _():
    return nn.Sequential(nn.Conv2d(1, 16, (1, 13)), nn.Conv2d(16, 16, (8, 1), bias=False), nn.BatchNorm2d(16), Fn(lambda s, x: x * x), nn.AvgPool2d((1, 35), (1, 7)), Fn(lambda s, x: torch.log(torch.clamp(x, min=1e-6))), nn.Dropout(), nn.Flatten(), nn.Linear(16 * 12, 4)), torch.randn(1, 1, 8, 128)


@custom("signal_temporal_convnet")
def _():
    tcn = lambda i, o, d: Fn(lambda s, x: F.relu(F.relu(s.c(x)[:, :, : -2 * d].contiguous()) + s.s(x)), c=parametrizations.weight_norm(nn.Conv1d(i, o, 3, padding=2 * d, dilation=d)), s=nn.Conv1d(i, o, 1))
    return Fn(lambda s, x: s.f(s.b(x)[:, :, -1]), b=nn.Sequential(tcn(1, 8, 1), tcn(8, 8, 2), tcn(8, 8, 4)), f=nn.Linear(8, 10)), torch.randn(1, 1, 96)


@custom("signal_sinc_raw")
def _():
    return nn.Sequential(nn.Conv1d(1, 16, 80, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(4), nn.Conv1d(16, 32, 3), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(4), Fn(lambda s, x: s.f(F.avg_pool1d(x, x.shape[-1]).permute(0, 2, 1)).squeeze(1), f=nn.Linear(32, 5))), torch.randn(1, 1, 2000)


@custom("signal_spectrogram")
def _():
    return nn.Sequential(nn.BatchNorm2d(1), block(1, 16), nn.MaxPool2d(2), block(16, 32), Fn(lambda s, x: (lambda y: s.f(y.max(2)[0] + y.mean(2)))(x.mean(dim=3)), f=nn.Linear(32, 5))), image(1, 32)


@custom("signal_bn_over_mels")
def _():
    return Fn(lambda s, x: s.h(s.b(s.n(x.transpose(1, 3)).transpose(1, 3))), n=nn.BatchNorm2d(32), b=block(1, 16), h=head(16)), torch.randn(1, 1, 40, 32)


@custom("tabular_resnet")
def _():
    return nn.Sequential(nn.Linear(12, 32), Fn(lambda s, x: x + s.b(x), b=nn.Sequential(nn.BatchNorm1d(32), nn.Linear(32, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 32))), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3)), torch.randn(1, 12)


@custom("input_divided_by_255")
def _():
    return Fn(lambda s, x: s.n((x / 255.0 - s.m) / s.d), n=net(), m=nn.Parameter(torch.tensor([0.485, 0.456, 0.406])[None, :, None, None]), d=nn.Parameter(torch.tensor([0.229, 0.224, 0.225])[None, :, None, None])), torch.rand(1, 3, 32, 32) * 255


@custom("input_split_bands")
def _():
    return Fn(lambda s, x: s.h(torch.cat([s.a(x[:, [3, 2, 1]]), s.b(x[:, 4:])], 1)), a=block(3, 8), b=block(2, 8), h=head(16)), image(6)


@custom("input_four_d_batch_view")
def _():
    return Fn(lambda s, x: s.n(x.view(-1, 1, 28, 28)), n=nn.Sequential(block(1, 8), nn.MaxPool2d(2), head(8))), torch.randn(1, 784)


@custom("input_resize_and_crop")
def _():
    return Fn(lambda s, x: s.n(F.interpolate(x, size=(48, 48), mode="bilinear", align_corners=False, antialias=False)[:, :, 8:40, 8:40]), n=net()), image(3, 40)
