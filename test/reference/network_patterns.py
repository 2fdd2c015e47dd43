"""Small networks as people write them downstream of PyTorch, by name: what exporters make of each pattern differs from release to release.

`patterns[NAME]()` gives a Pattern: a module with seeded weights, an example input, and what is special about its export.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations


@dataclass
class Pattern:
    module: nn.Module
    x: torch.Tensor
    output: str | None = None  # which output counts, where there are several
    input_shape: list | None = None  # [C,H,W], where the file leaves sizes open
    as_engine: Callable = lambda x: x  # the example as the engine takes it, without the batch
    scores: nn.Module | None = None  # what gives the logits, where the module ends in something else
    pick: int | None = None  # which of several outputs the logits are
    export: dict = field(default_factory=dict)
    after: Callable | None = None  # what happens to the exported file
    tolerance: float = 1e-5
    reason: str = ""  # of another tolerance
    is_integer: bool = False
    dtype: torch.dtype | None = None


patterns: dict[str, Callable[[], Pattern]] = {}


def pattern(make):
    patterns[make.__name__] = make
    return make


class Fn(nn.Module):
    """A function as a layer."""

    def __init__(self, fn, **children):
        super().__init__()
        self.fn = fn
        for name, child in children.items():
            setattr(self, name, child)

    def forward(self, x):
        return self.fn(self, x)


def image(channels=3, side=32):
    return torch.randn(1, channels, side, side)


def block(i, o, act=None, stride=1, k=3):
    return nn.Sequential(nn.Conv2d(i, o, k, stride, k // 2, bias=False), nn.BatchNorm2d(o), act or nn.ReLU())


def head(c, n=10):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, n))


def net(*middle, width=16, tail=None, first=None):
    """A stem, what is tried, a block, and a head of ten classes."""
    return nn.Sequential(first or block(3, width), *middle, block(width, 2 * width, stride=2), tail or head(2 * width))


def add(name, *middle, make=None):
    def build():
        torch.manual_seed(0)
        return Pattern(make() if make else net(*[m() for m in middle]), image())

    patterns[name] = build


def custom(name, **more):
    """A network written out as a function of nothing; the input is an image unless told."""

    def register(make):
        def build():
            torch.manual_seed(0)
            made = make()
            module, x, scores = (*made, None, None)[:3] if isinstance(made, tuple) else (made, image(), None)
            return Pattern(module, image() if x is None else x, scores=scores, **more)

        patterns[name] = build
        return make

    return register


# --- activations ------------------------------------------------------------------------------------------------------

activations = {
    "elu": nn.ELU, "selu": nn.SELU, "celu": lambda: nn.CELU(0.7), "gelu": nn.GELU, "gelu_tanh": lambda: nn.GELU("tanh"), "silu": nn.SiLU,
    "mish": nn.Mish, "hardswish": nn.Hardswish, "hardsigmoid": nn.Hardsigmoid, "softplus": nn.Softplus, "softplus_beta": lambda: nn.Softplus(2.0, 5.0),
    "softsign": nn.Softsign, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "leaky_relu": lambda: nn.LeakyReLU(0.1), "relu6": nn.ReLU6,
    "hardtanh": lambda: nn.Hardtanh(-2, 2), "prelu": lambda: nn.PReLU(16, 0.2), "prelu_single": nn.PReLU, "rrelu": nn.RReLU,
    "threshold": lambda: nn.Threshold(0.1, 0.0), "threshold_value": lambda: nn.Threshold(0.1, -0.5), "logsigmoid": nn.LogSigmoid, "tanhshrink": nn.Tanhshrink,
    "hardshrink": nn.Hardshrink, "softshrink": nn.Softshrink, "quick_gelu": lambda: Fn(lambda s, x: x * torch.sigmoid(1.702 * x)),
    "squared_relu": lambda: Fn(lambda s, x: F.relu(x) ** 2), "relu_by_mask": lambda: Fn(lambda s, x: x * (x > 0)),
    "relu_by_where": lambda: Fn(lambda s, x: torch.where(x > 0, x, torch.zeros_like(x))), "relu_by_clamp": lambda: Fn(lambda s, x: x.clamp(min=0)),
    "relu_by_maximum": lambda: Fn(lambda s, x: torch.maximum(x, torch.zeros(1))), "swish_beta": lambda: Fn(lambda s, x: x * torch.sigmoid(s.b * x), b=nn.Parameter(torch.tensor(1.3))),
    "signed_sqrt": lambda: Fn(lambda s, x: torch.sign(x) * torch.sqrt(x.abs() + 1e-5)), "star_relu": lambda: Fn(lambda s, x: 0.9 * F.relu(x) ** 2 - 0.4),
    "hard_mish": lambda: Fn(lambda s, x: x / 2 * (x + 2).clamp(0, 2)), "sine": lambda: Fn(lambda s, x: torch.sin(x)),
    "frelu": lambda: Fn(lambda s, x: torch.max(x, s.f(x)), f=nn.Sequential(nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False), nn.BatchNorm2d(16))),
    "crelu": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([F.relu(x), F.relu(-x)], 1)), nn.Conv2d(32, 16, 1)),
    "glu": lambda: nn.Sequential(nn.Conv2d(16, 32, 1), nn.GLU(1)), "simple_gate": lambda: nn.Sequential(nn.Conv2d(16, 32, 1), Fn(lambda s, x: x.chunk(2, 1)[0] * x.chunk(2, 1)[1])),
    "maxout": lambda: nn.Sequential(nn.Conv2d(16, 32, 1), Fn(lambda s, x: x.view(x.size(0), 16, 2, x.size(2), x.size(3)).max(2)[0])),
    "maxout_amax": lambda: nn.Sequential(nn.Conv2d(16, 32, 1), Fn(lambda s, x: torch.amax(x.unflatten(1, (2, 16)), 1))),
    "acon": lambda: Fn(lambda s, x: (s.p - s.q) * x * torch.sigmoid(s.b * (s.p - s.q) * x) + s.q * x, p=nn.Parameter(torch.randn(1, 16, 1, 1)), q=nn.Parameter(torch.randn(1, 16, 1, 1)), b=nn.Parameter(torch.rand(1, 16, 1, 1))),
}
for name, make in activations.items():
    add(f"act_{name}", make)

# --- gates ------------------------------------------------------------------------------------------------------------


class SqueezeExcite(nn.Module):
    def __init__(self, c, gate, dense=False):
        super().__init__()
        layer = (lambda i, o: nn.Linear(i, o)) if dense else (lambda i, o: nn.Conv2d(i, o, 1))
        self.dense, self.gate = dense, gate
        self.down, self.up = layer(c, c // 4), layer(c // 4, c)

    def forward(self, x):
        y = x.mean((2, 3)) if self.dense else F.adaptive_avg_pool2d(x, 1)
        y = self.gate(self.up(F.relu(self.down(y))))
        return x * (y[:, :, None, None] if self.dense else y)


class Cbam(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(c, c // 4), nn.ReLU(), nn.Linear(c // 4, c))
        self.conv = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x):
        b, c, _, _ = x.shape
        gate = torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))).view(b, c, 1, 1)
        x = x * gate
        maps = torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]], 1)
        return x * torch.sigmoid(self.conv(maps))


class CoordinateAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.both, self.h, self.w = nn.Sequential(nn.Conv2d(c, 8, 1), nn.BatchNorm2d(8), nn.Hardswish()), nn.Conv2d(8, c, 1), nn.Conv2d(8, c, 1)

    def forward(self, x):
        n, c, h, w = x.shape
        rows, columns = x.mean(3, keepdim=True), x.mean(2, keepdim=True).permute(0, 1, 3, 2)
        rows, columns = self.both(torch.cat([rows, columns], 2)).split([h, w], 2)
        return x * self.h(rows).sigmoid() * self.w(columns.permute(0, 1, 3, 2)).sigmoid()


def highway():
    return Fn(lambda s, x: (lambda t: t * F.relu(s.h(x)) + (1 - t) * x)(torch.sigmoid(s.t(x))), h=nn.Conv2d(16, 16, 3, 1, 1), t=nn.Conv2d(16, 16, 3, 1, 1))


gates = {
    "se": lambda: SqueezeExcite(16, torch.sigmoid), "se_dense": lambda: SqueezeExcite(16, torch.sigmoid, True), "se_hard": lambda: SqueezeExcite(16, F.hardsigmoid),
    "se_tanh": lambda: SqueezeExcite(16, lambda y: 1 + torch.tanh(y)), "cbam": lambda: Cbam(16), "coordinate_attention": lambda: CoordinateAttention(16),
    "eca": lambda: Fn(lambda s, x: x * torch.sigmoid(s.c(x.mean((2, 3)).unsqueeze(1))).transpose(1, 2).unsqueeze(-1), c=nn.Conv1d(1, 1, 3, padding=1)),
    "spatial_se": lambda: Fn(lambda s, x: x * torch.sigmoid(s.c(x)), c=nn.Conv2d(16, 1, 1)),
    "highway": highway, "gated_conv": lambda: Fn(lambda s, x: torch.tanh(s.a(x)) * torch.sigmoid(s.b(x)), a=nn.Conv2d(16, 16, 3, 1, 1), b=nn.Conv2d(16, 16, 3, 1, 1)),
    "simam": lambda: Fn(lambda s, x: x * torch.sigmoid((x - x.mean((2, 3), keepdim=True)).pow(2) / (4 * ((x - x.mean((2, 3), keepdim=True)).pow(2).sum((2, 3), keepdim=True) / 255 + 1e-4)) + 0.5)),
    "global_response_norm": lambda: Fn(lambda s, x: (lambda g: s.g * (x * (g / (g.mean(1, keepdim=True) + 1e-6))) + s.b + x)(torch.norm(x, p=2, dim=(2, 3), keepdim=True)), g=nn.Parameter(torch.rand(1, 16, 1, 1)), b=nn.Parameter(torch.rand(1, 16, 1, 1))),
    "select_kernel": lambda: Fn(lambda s, x: (lambda u: (u * torch.softmax(s.f(u.sum(1).mean((2, 3))).view(-1, 2, 16), 1)[..., None, None]).sum(1))(torch.stack([s.a(x), s.b(x)], 1)), a=block(16, 16), b=block(16, 16, k=5), f=nn.Linear(16, 32)),
    "layer_scale": lambda: Fn(lambda s, x: x + s.g * s.c(x), g=nn.Parameter(torch.rand(16, 1, 1)), c=nn.Conv2d(16, 16, 3, 1, 1)),
    "rezero": lambda: Fn(lambda s, x: x + s.g * s.c(x), g=nn.Parameter(torch.tensor(0.3)), c=nn.Conv2d(16, 16, 3, 1, 1)),
    "dynamic_conv_gate": lambda: Fn(lambda s, x: (lambda g: g[:, 0:1, None, None] * s.a(x) + g[:, 1:2, None, None] * s.b(x))(torch.softmax(s.g(x.mean((2, 3))), 1)), a=nn.Conv2d(16, 16, 3, 1, 1), b=nn.Conv2d(16, 16, 3, 1, 1), g=nn.Linear(16, 2)),
    "global_context": lambda: Fn(lambda s, x: x + s.t((x.flatten(2) * torch.softmax(s.m(x).flatten(2), 2)).sum(2)[..., None, None]), m=nn.Conv2d(16, 1, 1), t=nn.Sequential(nn.Conv2d(16, 4, 1), nn.ReLU(), nn.Conv2d(4, 16, 1))),
}
for name, make in gates.items():
    add(f"gate_{name}", make)

# --- normalisation ----------------------------------------------------------------------------------------------------


class LayerNorm2d(nn.Module):
    """As ConvNeXt's code writes it out."""

    def __init__(self, c):
        super().__init__()
        self.w, self.b = nn.Parameter(torch.rand(c)), nn.Parameter(torch.rand(c))

    def forward(self, x):
        u = x.mean(1, keepdim=True)
        s = (x - u).pow(2).mean(1, keepdim=True)
        return self.w[:, None, None] * ((x - u) / torch.sqrt(s + 1e-6)) + self.b[:, None, None]


class FrozenBatchNorm(nn.Module):
    def __init__(self, c):
        super().__init__()
        for name in "wbmv":
            self.register_buffer(name, torch.rand(c) + 0.5)

    def forward(self, x):
        scale = (self.w * (self.v + 1e-5).rsqrt()).reshape(1, -1, 1, 1)
        return x * scale + (self.b.reshape(1, -1, 1, 1) - self.m.reshape(1, -1, 1, 1) * scale)


class StandardisedConv(nn.Conv2d):
    def forward(self, x):
        w = self.weight
        w = w - w.mean((1, 2, 3), keepdim=True)
        w = w / (w.view(w.size(0), -1).std(1).view(-1, 1, 1, 1) + 1e-5)
        return F.conv2d(x, w, self.bias, self.stride, self.padding, self.dilation, self.groups)


class VarianceScaledConv(nn.Conv2d):
    def forward(self, x):
        v, m = torch.var_mean(self.weight, (1, 2, 3), keepdim=True, unbiased=False)
        return F.conv2d(x, (self.weight - m) * torch.rsqrt(v + 1e-10), self.bias, self.stride, self.padding)


class LocalResponseNorm(nn.Module):
    def forward(self, x):
        return F.local_response_norm(x, 5, 1e-2, 0.75, 2.0)


norms = {
    "instance": lambda: nn.InstanceNorm2d(16), "instance_affine": lambda: nn.InstanceNorm2d(16, affine=True), "instance_tracked": lambda: nn.InstanceNorm2d(16, affine=True, track_running_stats=True),
    "group": lambda: nn.GroupNorm(4, 16), "group_plain": lambda: nn.GroupNorm(4, 16, affine=False), "layer_all": lambda: nn.LayerNorm([16, 32, 32]),
    "layer_channels_last": lambda: Fn(lambda s, x: s.n(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), n=nn.LayerNorm(16)), "layer_written": lambda: LayerNorm2d(16),
    "group_of_one": lambda: nn.GroupNorm(1, 16), "frozen_batch": lambda: FrozenBatchNorm(16), "batch_plain": lambda: nn.BatchNorm2d(16, affine=False),
    "batch_twice": lambda: nn.Sequential(nn.BatchNorm2d(16), nn.BatchNorm2d(16)), "batch_no_statistics": lambda: nn.BatchNorm2d(16, track_running_stats=False),
    "lrn": LocalResponseNorm, "rms": lambda: Fn(lambda s, x: x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-6) * s.w, w=nn.Parameter(torch.rand(16, 1, 1))),
    "l2_channels": lambda: Fn(lambda s, x: F.normalize(x, dim=1)), "standardised": lambda: StandardisedConv(16, 16, 3, padding=1), "variance_scaled": lambda: VarianceScaledConv(16, 16, 3, padding=1),
    "weight_norm": lambda: parametrizations.weight_norm(nn.Conv2d(16, 16, 3, padding=1)), "weight_norm_old": lambda: nn.utils.weight_norm(nn.Conv2d(16, 16, 3, padding=1)),
    "spectral_norm": lambda: parametrizations.spectral_norm(nn.Conv2d(16, 16, 3, padding=1)), "spectral_norm_old": lambda: nn.utils.spectral_norm(nn.Conv2d(16, 16, 3, padding=1)),
    "scale_only": lambda: Fn(lambda s, x: x * s.w.view(1, -1, 1, 1), w=nn.Parameter(torch.randn(16))), "evo_s0": lambda: Fn(lambda s, x: (lambda v: x * torch.sigmoid(s.v * x) / v)(torch.sqrt(x.view(1, 4, 4, 32, 32).var((2, 3, 4), keepdim=True) + 1e-5).expand(1, 4, 4, 32, 32).reshape(1, 16, 32, 32)), v=nn.Parameter(torch.rand(1, 16, 1, 1))),
}
for name, make in norms.items():
    add(f"norm_{name}", make)

# --- shapes -----------------------------------------------------------------------------------------------------------


def shuffle(x, groups):
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class StridedShortcut(nn.Module):
    """CIFAR's ResNet, option A: every second pixel, zero channels around."""

    def __init__(self):
        super().__init__()
        self.a, self.b = block(16, 32, stride=2), nn.Sequential(nn.Conv2d(32, 16, 3, padding=1), nn.BatchNorm2d(16))
        self.c = nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32))

    def forward(self, x):
        short = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 8, 8), "constant", 0)
        return self.b(F.relu(self.c(self.a(x)) + short))


def pads(mode, value=0.0):
    return lambda: Fn(lambda s, x: F.pad(x, (1, 2, 2, 1), mode, value) if mode == "constant" else F.pad(x, (1, 2, 2, 1), mode))


def padded_conv(mode):
    return lambda: nn.Conv2d(16, 16, 3, padding=1, padding_mode=mode)


def blur():
    kernel = torch.tensor([1.0, 2.0, 1.0])
    kernel = (kernel[:, None] * kernel[None, :] / 16)[None, None].repeat(16, 1, 1, 1)
    module = Fn(lambda s, x: F.conv2d(F.pad(x, (1, 1, 1, 1), "reflect"), s.k, stride=2, groups=16))
    module.register_buffer("k", kernel)
    return module


shapes = {
    "channel_shuffle": lambda: Fn(lambda s, x: shuffle(x, 4)), "channel_shuffle_op": lambda: nn.ChannelShuffle(4), "strided_shortcut": StridedShortcut,
    "channel_split": lambda: Fn(lambda s, x: torch.cat([x[:, :8], s.c(x[:, 8:])], 1), c=block(8, 8)), "chunk": lambda: Fn(lambda s, x: torch.cat(x.chunk(4, 1)[::-1], 1)),
    "focus": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)), nn.Conv2d(64, 16, 1)),
    "pixel_unshuffle": lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(64, 16, 1)), "pixel_shuffle": lambda: nn.Sequential(nn.PixelShuffle(2), nn.Conv2d(4, 16, 1)),
    "channels_last": lambda: Fn(lambda s, x: (x.permute(0, 2, 3, 1) * s.g + s.b).permute(0, 3, 1, 2), g=nn.Parameter(torch.rand(16)), b=nn.Parameter(torch.rand(16))),
    "channels_last_dense": lambda: Fn(lambda s, x: s.f(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), f=nn.Linear(16, 16)), "flip": lambda: Fn(lambda s, x: torch.flip(x, (3,))),
    "roll": lambda: Fn(lambda s, x: torch.roll(x, (2, 3), (2, 3))), "reflect": pads("reflect"), "replicate": pads("replicate"), "circular": pads("circular"), "pad_one": pads("constant", 1.0),
    "pad_zero": pads("constant"), "reflect_conv": padded_conv("reflect"), "circular_conv": padded_conv("circular"), "replicate_conv": padded_conv("replicate"),
    "same_even": lambda: nn.Conv2d(16, 16, 4, padding="same"), "same_dilated": lambda: nn.Conv2d(16, 16, 3, padding="same", dilation=3), "crop": lambda: Fn(lambda s, x: x[:, :, 2:-2, 3:-3]),
    "blur_pool": blur, "coordinates": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([x, torch.linspace(-1, 1, 32).view(1, 1, 32, 1).expand(x.size(0), 1, 32, 32), torch.linspace(-1, 1, 32).view(1, 1, 1, 32).expand(x.size(0), 1, 32, 32)], 1)), nn.Conv2d(18, 16, 3, padding=1)),
    "shift": lambda: Fn(lambda s, x: torch.cat([F.pad(x[:, :8], (1, 0))[..., :-1], F.pad(x[:, 8:], (0, 1))[..., 1:]], 1)), "split_sizes": lambda: Fn(lambda s, x: torch.cat(x.split([2, 6, 8], 1), 1)),
    "unbind": lambda: Fn(lambda s, x: torch.stack(x.view(1, 2, 8, 32, 32).unbind(1), 2).flatten(1, 2)), "index_select": lambda: Fn(lambda s, x: torch.index_select(x, 1, torch.arange(15, -1, -1))),
    "bilinear": lambda: nn.Upsample(scale_factor=2, mode="bilinear"), "bilinear_corners": lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), "bicubic": lambda: nn.Upsample(scale_factor=2, mode="bicubic"),
    "nearest": lambda: nn.Upsample(scale_factor=2), "nearest_size": lambda: nn.Upsample(size=(45, 45)), "bilinear_size": lambda: Fn(lambda s, x: F.interpolate(x, size=(20, 27), mode="bilinear")), "area": lambda: Fn(lambda s, x: F.interpolate(x, size=(16, 16), mode="area")),
    "transposed_conv": lambda: nn.ConvTranspose2d(16, 16, 4, 2, 1), "transposed_conv_groups": lambda: nn.ConvTranspose2d(16, 16, 3, 2, 1, output_padding=1, groups=4), "unfold": lambda: nn.Sequential(nn.Unfold(3, padding=1), Fn(lambda s, x: x.view(x.size(0), 144, 32, 32)), nn.Conv2d(144, 16, 1)),
    "depthwise_separable": lambda: nn.Sequential(nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.Conv2d(16, 16, 1)), "depth_multiplier": lambda: nn.Sequential(nn.Conv2d(16, 32, 3, padding=1, groups=16), nn.Conv2d(32, 16, 1)),
    "grouped": lambda: nn.Conv2d(16, 16, 3, padding=1, groups=4), "aspp": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([s.a(x), s.b(x), s.c(x), F.interpolate(s.d(x.mean((2, 3), keepdim=True)), size=x.shape[2:], mode="bilinear")], 1), a=nn.Conv2d(16, 4, 1), b=nn.Conv2d(16, 4, 3, padding=2, dilation=2), c=nn.Conv2d(16, 4, 3, padding=4, dilation=4), d=nn.Conv2d(16, 4, 1))),
    "subtract": lambda: Fn(lambda s, x: s.a(x) - s.b(x), a=nn.Conv2d(16, 16, 1), b=nn.Conv2d(16, 16, 3, padding=1)), "maximum": lambda: Fn(lambda s, x: torch.max(s.a(x), s.b(x)), a=nn.Conv2d(16, 16, 1), b=nn.Conv2d(16, 16, 3, padding=1)),
    "minimum": lambda: Fn(lambda s, x: torch.minimum(s.a(x), s.b(x)), a=nn.Conv2d(16, 16, 1), b=nn.Conv2d(16, 16, 3, padding=1)), "repvgg": lambda: Fn(lambda s, x: F.relu(s.a(x) + s.b(x) + s.c(x)), a=nn.Sequential(nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)), b=nn.Sequential(nn.Conv2d(16, 16, 1, bias=False), nn.BatchNorm2d(16)), c=nn.BatchNorm2d(16)),
    "preactivation": lambda: Fn(lambda s, x: x + s.a(F.relu(s.n(x))), n=nn.BatchNorm2d(16), a=nn.Conv2d(16, 16, 3, padding=1)), "norm_after_relu": lambda: nn.BatchNorm2d(16), "norm_before_conv": lambda: nn.Sequential(nn.BatchNorm2d(16), nn.Conv2d(16, 16, 3, padding=1)),
    "dense_block": lambda: Fn(lambda s, x: torch.cat([x[:, :8], s.a(x), s.b(torch.cat([x, s.a(x)], 1))], 1), a=nn.Sequential(nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 4, 3, padding=1)), b=nn.Sequential(nn.BatchNorm2d(20), nn.ReLU(), nn.Conv2d(20, 4, 3, padding=1))),
    "transpose_image": lambda: Fn(lambda s, x: x.transpose(2, 3)), "einsum_channels": lambda: Fn(lambda s, x: torch.einsum("nchw,cd->ndhw", x, s.w), w=nn.Parameter(torch.randn(16, 16) / 4)), "einsum_pool": lambda: Fn(lambda s, x: x * torch.sigmoid(torch.einsum("nchw,c->nhw", x, s.w)).unsqueeze(1), w=nn.Parameter(torch.randn(16))),
    "squeeze_scale": lambda: Fn(lambda s, x: x.flatten(2).mul(s.w).view_as(x), w=nn.Parameter(torch.rand(1, 16, 1))), "position_bias": lambda: Fn(lambda s, x: x + s.p, p=nn.Parameter(torch.randn(1, 16, 32, 32))), "token_mixing": lambda: Fn(lambda s, x: x + s.f(x.flatten(2)).view_as(x), f=nn.Linear(1024, 1024)),
    "dilated_pool": lambda: nn.MaxPool2d(3, 1, 1, dilation=1), "ceil_pool": lambda: nn.MaxPool2d(3, 2, ceil_mode=True), "ceil_mean": lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True), "mean_without_pads": lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), "lp_pool": lambda: nn.LPPool2d(2, 2),
    "max_minus_mean": lambda: Fn(lambda s, x: F.max_pool2d(x, 2) - F.avg_pool2d(x, 2)), "min_pool": lambda: Fn(lambda s, x: -F.max_pool2d(-x, 2)), "stochastic_depth": lambda: Fn(lambda s, x: x + F.dropout2d(s.c(x), 0.2, s.training), c=nn.Conv2d(16, 16, 3, padding=1)), "checkerboard": lambda: Fn(lambda s, x: s.c(x)[:, :, 1::2, :], c=nn.Conv2d(16, 16, (1, 7), padding=(0, 3))),
    "grid_sample": lambda: Fn(lambda s, x: F.grid_sample(x, F.affine_grid(s.t, (1, 16, 32, 32), False), align_corners=False), t=nn.Parameter(torch.tensor([[[0.9, 0.1, 0.0], [-0.1, 0.9, 0.0]]]))), "where_mask": lambda: Fn(lambda s, x: torch.where(s.m > 0.5, x, torch.zeros(1)), m=nn.Parameter(torch.rand(1, 1, 32, 32))), "masked_input": lambda: Fn(lambda s, x: x * s.m, m=nn.Parameter((torch.rand(32, 32) > 0.3).float())),
    "asymmetric": lambda: nn.Sequential(nn.Conv2d(16, 16, (1, 5), padding=(0, 2)), nn.Conv2d(16, 16, (5, 1), padding=(2, 0))), "haar": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([(x[:, :, ::2] + x[:, :, 1::2]) / 2, (x[:, :, ::2] - x[:, :, 1::2]) / 2], 1)), nn.Conv2d(32, 16, 1)), "fourier": lambda: Fn(lambda s, x: torch.fft.fft2(x).real / 32),
}
for name, make in shapes.items():
    add(f"shape_{name}", make)

# --- ends -------------------------------------------------------------------------------------------------------------


class GeM(nn.Module):
    def __init__(self, p=3.0):
        super().__init__()
        self.p = nn.Parameter(torch.ones(1) * p)

    def forward(self, x):
        return F.avg_pool2d(x.clamp(min=1e-6).pow(self.p), (x.size(-2), x.size(-1))).pow(1.0 / self.p)


class ArcFace(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(10, 32))

    def forward(self, x):
        return 30.0 * F.linear(F.normalize(x), F.normalize(self.w))


def flat(*layers):
    return lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *[layer() for layer in layers])


ends = {
    "gem": lambda: nn.Sequential(GeM(), nn.Flatten(), nn.Linear(32, 10)), "l2_features": flat(lambda: Fn(lambda s, x: F.normalize(x)), lambda: nn.Linear(32, 10)), "arcface": flat(ArcFace),
    "batch_norm_neck": flat(lambda: nn.BatchNorm1d(32), lambda: nn.Linear(32, 10, bias=False)), "dropout_mlp": flat(lambda: nn.Linear(32, 64), nn.ReLU, lambda: nn.Dropout(0.5), lambda: nn.Linear(64, 10)),
    "concat_pool": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([F.adaptive_max_pool2d(x, 1), F.adaptive_avg_pool2d(x, 1)], 1)), nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 10)),
    "mean_twice": lambda: nn.Sequential(Fn(lambda s, x: x.mean(3).mean(2)), nn.Linear(32, 10)), "sum_pool": lambda: nn.Sequential(Fn(lambda s, x: x.sum(dim=(-2, -1))), nn.Linear(32, 10)), "std_pool": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([x.mean((2, 3)), x.std((2, 3))], 1)), nn.Linear(64, 10)),
    "var_pool": lambda: nn.Sequential(Fn(lambda s, x: x.var((2, 3), unbiased=False)), nn.Linear(32, 10)), "logsumexp_pool": lambda: nn.Sequential(Fn(lambda s, x: torch.logsumexp(x, (2, 3))), nn.Linear(32, 10)), "topk_pool": lambda: nn.Sequential(Fn(lambda s, x: x.flatten(2).topk(4, 2)[0].mean(2)), nn.Linear(32, 10)),
    "conv_head": lambda: nn.Sequential(nn.Conv2d(32, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()), "conv_head_max": lambda: nn.Sequential(nn.Conv2d(32, 10, 1), nn.AdaptiveMaxPool2d(1), nn.Flatten()), "squeeze": lambda: nn.Sequential(nn.Conv2d(32, 10, 1), nn.AdaptiveAvgPool2d(1), Fn(lambda s, x: x.squeeze(-1).squeeze(-1))),
    "flatten": lambda: nn.Sequential(nn.Flatten(), nn.Linear(32 * 256, 10)), "view": lambda: nn.Sequential(Fn(lambda s, x: x.view(x.size(0), -1)), nn.Linear(32 * 256, 10)), "pyramid": lambda: nn.Sequential(Fn(lambda s, x: torch.cat([F.adaptive_max_pool2d(x, k).flatten(1) for k in (1, 2, 4)], 1)), nn.Linear(32 * 21, 10)),
    "adaptive_7": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(32 * 49, 10)), "adaptive_growing": lambda: nn.Sequential(nn.MaxPool2d(8), nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(32 * 49, 10)), "adaptive_max_3": lambda: nn.Sequential(nn.AdaptiveMaxPool2d(3), nn.Flatten(), nn.Linear(32 * 9, 10)), "adaptive_odd": lambda: nn.Sequential(nn.AdaptiveAvgPool2d((5, 3)), nn.Flatten(), nn.Linear(32 * 15, 10)),
    "attention_pool": lambda: nn.Sequential(Fn(lambda s, x: (x.flatten(2) * torch.softmax(s.a(x).flatten(2), 2)).sum(2), a=nn.Conv2d(32, 1, 1)), nn.Linear(32, 10)), "temperature": lambda: Fn(lambda s, x: s.h(x) / s.t, h=head(32), t=nn.Parameter(torch.tensor(1.7))), "prototypes": flat(lambda: Fn(lambda s, x: -((x[:, None] - s.p) ** 2).sum(-1), p=nn.Parameter(torch.randn(10, 32)))),
    "cosine": flat(lambda: Fn(lambda s, x: s.g * F.cosine_similarity(x[:, None], s.p[None], dim=-1), g=nn.Parameter(torch.tensor(10.0)), p=nn.Parameter(torch.randn(10, 32)))), "cdist": flat(lambda: Fn(lambda s, x: -torch.cdist(x, s.p), p=nn.Parameter(torch.randn(10, 32)))), "bilinear_pool": lambda: nn.Sequential(Fn(lambda s, x: torch.bmm(x.flatten(2), x.flatten(2).transpose(1, 2)).flatten(1) / 256), nn.Linear(1024, 10)),
    "mixture": flat(lambda: Fn(lambda s, x: torch.cat([s.a(x), s.b(x)], 1), a=nn.Linear(32, 4), b=nn.Linear(32, 6))), "netvlad_free": flat(lambda: nn.LayerNorm(32), lambda: nn.Linear(32, 10)), "weight_norm_dense": flat(lambda: parametrizations.weight_norm(nn.Linear(32, 10))),
}
for name, make in ends.items():
    add(f"end_{name}", make=lambda make=make: net(tail=make()))

softened = {
    "softmax": (lambda y: F.softmax(y, 1)), "log_softmax": (lambda y: F.log_softmax(y, 1)), "sigmoid": torch.sigmoid, "log_sigmoid": F.logsigmoid,
    "softmax_clamped": (lambda y: F.softmax(y, 1).clamp(1e-6, 1)), "argmax": (lambda y: y.argmax(1)), "topk": (lambda y: F.softmax(y, 1).topk(3)[1]), "softmax_temperature": (lambda y: F.softmax(y / 2, 1)), "log_of_softmax": (lambda y: torch.log(F.softmax(y, -1))), "threshold_labels": (lambda y: (torch.sigmoid(y) > 0.5).float()),
}


def softened_net(name, end):
    def make():
        torch.manual_seed(0)
        body = net()
        scores = nn.Sequential(body, Fn(lambda s, x: x / 2)) if name == "softmax_temperature" else body
        return Pattern(Fn(lambda s, x: end(s.body(x)), body=body), image(), scores=scores)

    return make


for name, end in softened.items():
    patterns[f"out_{name}"] = softened_net(name, end)


@custom("out_several", output="first", pick=0, export={"output_names": ["first", "second"]})
def _():
    return Fn(lambda s, x: (lambda f: (s.a(f), s.b(f)))(s.body(x)), body=net(tail=nn.Identity()), a=head(32), b=head(32, 5))


@custom("out_named", output="colour", pick=1, export={"output_names": ["shape", "colour"]})
def _():
    return Fn(lambda s, x: (lambda f: (s.a(f), s.b(f)))(s.body(x)), body=net(tail=nn.Identity()), a=head(32), b=head(32, 5))


@custom("out_features_too", pick=0)
def _():
    return Fn(lambda s, x: (lambda f: (s.a(f), f))(s.body(x)), body=net(tail=nn.Identity()), a=head(32))


@custom("out_dictionary", pick=0)
def _():
    return Fn(lambda s, x: {"logits": s.body(x)}, body=net())


@custom("out_sigmoid_single")
def _():
    body = net(tail=head(32, 1))
    return Fn(lambda s, x: torch.sigmoid(s.body(x)).squeeze(1), body=body), None, body


# --- inputs -----------------------------------------------------------------------------------------------------------


@custom("in_bytes", is_integer=True)
def _():
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    return Fn(lambda s, x: s.body((x.to(s.body[0][0].weight.dtype) / 255 - s.m) / s.s), body=net(), m=nn.Parameter(mean), s=nn.Parameter(std)), torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)


@custom("in_bytes_channels_last", is_integer=True, as_engine=lambda x: x.permute(0, 3, 1, 2))
def _():
    return Fn(lambda s, x: s.body(x.permute(0, 3, 1, 2).to(s.body[0][0].weight.dtype) / 127.5 - 1), body=net()), torch.randint(0, 256, (1, 32, 32, 3), dtype=torch.uint8)


@custom("in_normalised_inside")
def _():
    return Fn(lambda s, x: s.body((x - s.m) / s.s), body=net(), m=nn.Parameter(torch.rand(3, 1, 1)), s=nn.Parameter(torch.rand(3, 1, 1) + 0.2))


@custom("in_bgr")
def _():
    return Fn(lambda s, x: s.body(x[:, [2, 1, 0]] * 255 - s.m), body=net(), m=nn.Parameter(torch.rand(1, 3, 1, 1) * 100))


@custom("in_bgr_flip")
def _():
    return Fn(lambda s, x: s.body(x.flip(1)), body=net())


@custom("in_channels_last", as_engine=lambda x: x.permute(0, 3, 1, 2))
def _():
    return Fn(lambda s, x: s.body(x.permute(0, 3, 1, 2)), body=net()), torch.randn(1, 32, 32, 3)


@custom("in_channels_last_dense_tail", as_engine=lambda x: x.permute(0, 3, 1, 2))
def _():
    body = nn.Sequential(block(3, 16), block(16, 8, stride=2))
    return Fn(lambda s, x: s.f(s.body(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).flatten(1)), body=body, f=nn.Linear(2048, 10)), torch.randn(1, 32, 32, 3)


@custom("in_grey")
def _():
    return net(first=block(1, 16)), image(1)


@custom("in_grey_repeated")
def _():
    return Fn(lambda s, x: s.body(x.repeat(1, 3, 1, 1)), body=net()), image(1)


@custom("in_grey_expanded")
def _():
    return Fn(lambda s, x: s.body(x.expand(-1, 3, -1, -1)), body=net()), image(1)


@custom("in_six_channels")
def _():
    return net(first=block(6, 16)), image(6)


@custom("in_luma")
def _():
    return Fn(lambda s, x: s.body((x * s.w).sum(1, keepdim=True)), body=net(first=block(1, 16)), w=nn.Parameter(torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)))


@custom("in_resized")
def _():
    return Fn(lambda s, x: s.body(F.interpolate(x, size=(32, 32), mode="bilinear", align_corners=False)), body=net()), image(3, 48)


@custom("in_open_batch", export={"dynamic": {0: "batch"}})
def _():
    return Fn(lambda s, x: s.f(s.body(x).view(x.size(0), -1)), body=net(tail=nn.AdaptiveAvgPool2d(1)), f=nn.Linear(32, 10))


@custom("in_open_sizes", export={"dynamic": {0: "batch", 2: "height", 3: "width"}}, input_shape=[3, 32, 32])
def _():
    return net()


@custom("in_signal")
def _():
    layers = [nn.Conv1d(1, 16, 7, 2, 3), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 32, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 5)]
    return nn.Sequential(*layers), torch.randn(1, 1, 256)


@custom("in_signal_twelve_leads")
def _():
    residual = Fn(lambda s, x: F.relu(x + s.c(x)), c=nn.Sequential(nn.Conv1d(32, 32, 9, padding=4), nn.BatchNorm1d(32), nn.ReLU(), nn.Conv1d(32, 32, 9, padding=4), nn.BatchNorm1d(32)))
    return nn.Sequential(nn.Conv1d(12, 32, 15, 2, 7), nn.ReLU(), residual, nn.AvgPool1d(4), nn.Flatten(), nn.Linear(32 * 64, 5)), torch.randn(1, 12, 512)


@custom("in_signal_causal")
def _():
    chomp = lambda d: nn.Sequential(nn.Conv1d(16, 16, 3, padding=2 * d, dilation=d), Fn(lambda s, x: x[:, :, : -2 * d].contiguous()), nn.ReLU())
    return nn.Sequential(nn.Conv1d(4, 16, 1), chomp(1), chomp(2), chomp(4), Fn(lambda s, x: x[:, :, -1]), nn.Linear(16, 5)), torch.randn(1, 4, 64)


@custom("in_signal_raw")
def _():
    return Fn(lambda s, x: s.body(x.unsqueeze(1)), body=nn.Sequential(nn.Conv1d(1, 16, 80, 4), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(4), nn.Conv1d(16, 32, 3), nn.ReLU(), Fn(lambda s, x: x.mean(-1)), nn.Linear(32, 5))), torch.randn(1, 800)


@custom("in_signal_last", as_engine=lambda x: x)
def _():
    return Fn(lambda s, x: s.body(x.transpose(1, 2)), body=nn.Sequential(nn.Conv1d(6, 16, 5), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(16, 5))), torch.randn(1, 64, 6)


@custom("in_vector")
def _():
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3)), torch.randn(1, 20)


@custom("in_vector_normalised")
def _():
    return nn.Sequential(nn.BatchNorm1d(20), nn.Linear(20, 64), nn.BatchNorm1d(64), nn.SiLU(), nn.Dropout(), nn.Linear(64, 3)), torch.randn(1, 20)


@custom("in_vector_residual")
def _():
    return nn.Sequential(nn.Linear(20, 64), Fn(lambda s, x: x + s.b(s.a(x).relu()), a=nn.Linear(64, 64), b=nn.Linear(64, 64)), nn.LayerNorm(64), nn.Linear(64, 3)), torch.randn(1, 20)


@custom("in_mnist_flat")
def _():
    scores = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return nn.Sequential(scores, nn.LogSoftmax(1)), image(1, 28), scores


@custom("in_sequence")
def _():
    return Fn(lambda s, x: s.f(s.r(x)[0][:, -1]), r=nn.LSTM(8, 16, batch_first=True), f=nn.Linear(16, 5)), torch.randn(1, 20, 8)


@custom("in_volume")
def _():
    return nn.Sequential(nn.Conv3d(1, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 5)), torch.randn(1, 1, 8, 16, 16)


# --- whole networks ---------------------------------------------------------------------------------------------------


class Residual(nn.Module):
    def __init__(self, i, o, stride=1):
        super().__init__()
        self.c1, self.b1, self.c2, self.b2 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.s = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o)) if stride > 1 or i != o else nn.Sequential()

    def forward(self, x):
        return F.relu(self.b2(self.c2(F.relu(self.b1(self.c1(x))))) + self.s(x))


@custom("net_cifar_resnet")
def _():
    return nn.Sequential(block(3, 16), Residual(16, 16), Residual(16, 32, 2), Residual(32, 64, 2), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10))


@custom("net_wide_preactivation")
def _():
    pre = lambda i, o, s: Fn(lambda m, x: (lambda y: m.c2(F.relu(m.b2(m.c1(y)))) + m.s(y))(F.relu(m.b1(x))), b1=nn.BatchNorm2d(i), c1=nn.Conv2d(i, o, 3, s, 1, bias=False), b2=nn.BatchNorm2d(o), c2=nn.Conv2d(o, o, 3, 1, 1, bias=False), s=nn.Conv2d(i, o, 1, s, bias=False))
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), pre(16, 32, 1), pre(32, 64, 2), nn.BatchNorm2d(64), nn.ReLU(), nn.AvgPool2d(16), nn.Flatten(), nn.Linear(64, 10))


@custom("net_vgg_cifar")
def _():
    return nn.Sequential(block(3, 32), nn.MaxPool2d(2), block(32, 64), nn.MaxPool2d(2), block(64, 64), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1024, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 10))


@custom("net_lenet_tanh")
def _():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 10)), image(1, 28)


@custom("net_all_convolutional")
def _():
    return nn.Sequential(nn.Conv2d(3, 24, 3, padding=1), nn.ReLU(), nn.Conv2d(24, 24, 3, 2, 1), nn.ReLU(), nn.Conv2d(24, 48, 3, padding=1), nn.ReLU(), nn.Conv2d(48, 10, 1), nn.ReLU(), nn.AvgPool2d(16), nn.Flatten())


@custom("net_unet")
def _():
    up = lambda i, o: nn.ConvTranspose2d(i, o, 2, 2)
    return Fn(lambda s, x: (lambda a: (lambda b: s.h(s.e(torch.cat([s.u(s.d(F.max_pool2d(b, 2))), b], 1))))(s.c(F.max_pool2d(a, 2))))(s.a(x)), a=block(3, 16), c=block(16, 32), d=block(32, 64), u=up(64, 32), e=block(64, 32), h=head(32))


@custom("net_autoencoder")
def _():
    return nn.Sequential(block(3, 16, stride=2), block(16, 32, stride=2), nn.ConvTranspose2d(32, 16, 3, 2, 1, 1), nn.ReLU(), nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(16, 8, 3, padding=1), nn.ReLU(), head(8))


@custom("net_fpn")
def _():
    up = lambda x, y: F.interpolate(x, size=y.shape[-2:], mode="nearest") + y
    return Fn(lambda s, x: (lambda a: (lambda b: (lambda c: s.h(up(up(s.lc(c), s.lb(b)), s.la(a))))(s.c(b)))(s.b(a)))(s.a(x)), a=block(3, 16), b=block(16, 32, stride=2), c=block(32, 64, stride=2), la=nn.Conv2d(16, 16, 1), lb=nn.Conv2d(32, 16, 1), lc=nn.Conv2d(64, 16, 1), h=head(16))


@custom("net_hourglass")
def _():
    return Fn(lambda s, x: (lambda a: s.h(a + F.interpolate(s.b(F.max_pool2d(a, 2)), scale_factor=2.0, mode="bilinear", align_corners=False)))(s.a(x)), a=block(3, 16), b=block(16, 16), h=head(16))


@custom("net_inception")
def _():
    return nn.Sequential(block(3, 16), Fn(lambda s, x: torch.cat([s.a(x), s.b(x), s.c(x), s.d(F.max_pool2d(x, 3, 1, 1))], 1), a=block(16, 8, k=1), b=nn.Sequential(block(16, 8, k=1), block(8, 8)), c=nn.Sequential(block(16, 4, k=1), block(4, 8, k=5)), d=block(16, 8, k=1)), head(32))


@custom("net_mobile_inverted")
def _():
    inverted = lambda c: Fn(lambda s, x: x + s.c(x), c=nn.Sequential(block(c, 6 * c, nn.ReLU6(), k=1), nn.Conv2d(6 * c, 6 * c, 3, padding=1, groups=6 * c, bias=False), nn.BatchNorm2d(6 * c), nn.ReLU6(), nn.Conv2d(6 * c, c, 1, bias=False), nn.BatchNorm2d(c)))
    return nn.Sequential(block(3, 16, nn.ReLU6(), 2), inverted(16), inverted(16), head(16))


@custom("net_convmixer")
def _():
    mix = lambda: nn.Sequential(Fn(lambda s, x: x + s.c(x), c=nn.Sequential(nn.Conv2d(32, 32, 5, padding="same", groups=32), nn.GELU(), nn.BatchNorm2d(32))), nn.Conv2d(32, 32, 1), nn.GELU(), nn.BatchNorm2d(32))
    return nn.Sequential(nn.Conv2d(3, 32, 4, 4), nn.GELU(), nn.BatchNorm2d(32), mix(), mix(), head(32))


@custom("net_siamese_difference")
def _():
    return Fn(lambda s, x: s.f(torch.abs(s.b(x[:, :3]) - s.b(x[:, 3:])).mean((2, 3))), b=nn.Sequential(block(3, 16), block(16, 32, stride=2)), f=nn.Linear(32, 2)), image(6)


@custom("net_conditional", export={"script": True})
def _():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.extra, self.flag = net(tail=nn.Identity()), nn.Conv2d(32, 32, 1), True
            self.h = head(32)

        def forward(self, x):
            x = self.body(x)
            if x.size(1) == 32:
                x = self.extra(x)
            return self.h(x)

    return Conditional()


@custom("net_half", dtype=torch.float16, tolerance=5e-3, reason="float64 of the weights before they were rounded to float16")
def _():
    return net()


@custom("net_double", dtype=torch.float64)
def _():
    return net()


@custom("net_brain_float", dtype=torch.bfloat16, tolerance=3e-2, reason="float64 of the weights before they were rounded to bfloat16")
def _():
    return net()


def quantised(path, x):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.left = [x, x * 0.7, -x]

        def get_next(self):
            return {"input": self.left.pop().numpy()} if self.left else None

    quantize_static(str(path), str(path), Reader(), quant_format=QuantFormat.QDQ, per_channel=True)


@custom("net_qdq", after=quantised, tolerance=0.1, reason="PyTorch before quantisation")
def _():
    return net()


@custom("net_dynamic_quantised", after=lambda path, x: __import__("onnxruntime.quantization", fromlist=["q"]).quantize_dynamic(str(path), str(path)), tolerance=0.1, reason="PyTorch before quantisation")
def _():
    return net()


@custom("net_attention")
def _():
    return nn.Sequential(nn.Conv2d(3, 32, 4, 4), Fn(lambda s, x: s.a(x.flatten(2).transpose(1, 2)), a=nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)), Fn(lambda s, x: s.f(x.mean(1)), f=nn.Linear(32, 10)))


@custom("net_nonlocal")
def _():
    return net(Fn(lambda s, x: x + s.w(torch.bmm(torch.softmax(torch.bmm(s.q(x).flatten(2).transpose(1, 2), s.k(x).flatten(2)), -1), s.v(x).flatten(2).transpose(1, 2)).transpose(1, 2).reshape(1, 8, 32, 32)), q=nn.Conv2d(16, 8, 1), k=nn.Conv2d(16, 8, 1), v=nn.Conv2d(16, 8, 1), w=nn.Conv2d(8, 16, 1)))


@custom("net_recurrent_rows")
def _():
    return Fn(lambda s, x: s.f(s.r(s.c(x).permute(0, 3, 1, 2).flatten(2))[0][:, -1]), c=block(3, 8, stride=2), r=nn.GRU(128, 32, batch_first=True), f=nn.Linear(32, 10))
