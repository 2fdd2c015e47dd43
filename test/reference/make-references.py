"""Makes the goldens of test/golden from PyTorch, zennit and captum. Needs torch, torchvision, zennit 0.5.1, captum, numpy,
safetensors. Run from the project's root after `npm run build`:

    node build/test/reference/export-networks.js > networks.json
    python test/reference/make-references.py small networks.json
    python test/reference/make-references.py seeded
    node build/test/reference/export-photos.js photos.bin
    python test/reference/make-references.py squeezenet photos.bin

Everything is computed in float64 on one thread and stored in float32. The tests need the stored files alone.
"""

import hashlib
import json
import pathlib
import platform
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

import torchvision_stub  # noqa: F401  (before zennit, which imports torchvision)

import captum
from captum.attr import LRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule, IdentityRule
from zennit import composites as zc
from zennit import rules as zr
from zennit.attribution import Gradient
from zennit.canonizers import NamedMergeBatchNorm
from zennit.layer import Sum
from zennit.types import Activation, AvgPool, Convolution, Linear

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
GOLDEN = pathlib.Path(__file__).parent.parent / "golden"


def versions():
    from importlib.metadata import version

    return {name: version(name) for name in ["torch", "zennit", "captum", "numpy"]} | {"python": platform.python_version()}


# --- networks from their definition ---------------------------------------------------------------------------------


class WithinChannelLrn(torch.nn.Module):
    """Caffe's LRN within a channel: the mean of squares over size x size, pads counted."""

    def __init__(self, size, alpha, beta, k):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x):
        mean = F.avg_pool2d(x * x, self.size, 1, self.size // 2, count_include_pad=True)
        return x * (self.k + self.alpha * mean) ** -self.beta


LRN = (torch.nn.LocalResponseNorm, WithinChannelLrn)


class ExactMergeBatchNorm(NamedMergeBatchNorm):
    """zennit's canonizer leaves eps in the batch norm it has merged, which then still divides by sqrt(1 + eps)."""

    @staticmethod
    def merge_batch_norm(modules, batch_norm):
        NamedMergeBatchNorm.merge_batch_norm(modules, batch_norm)
        batch_norm.eps = 0.0


class Net(torch.nn.Module):
    """A NetworkDefinition as a PyTorch module: the same graph, one module per layer, in the definition's order."""

    def __init__(self, definition, parameters):
        super().__init__()
        self.nodes = definition["nodes"]
        last = self.nodes[-1]
        # PyTorch pads both sides alike. Where a definition does not, zeros are joined on before the convolution, and rules
        # that look at weights alone would hand relevance to them.
        self.has_uneven_pads = any(node["op"] == "conv2d" and "pads" in node and node["pads"][:2] != node["pads"][2:] for node in self.nodes)
        self.logits = last["inputs"][0] if last["op"] == "softmax" else definition["output"]
        self.layers = torch.nn.ModuleDict()
        x = torch.zeros([1] + definition["inputShape"])
        values = {"input": x}
        for node in self.nodes:
            channels = values[node["inputs"][0]].shape[1]
            module = self.make(node, channels, parameters, values[node["inputs"][0]])
            if module is not None:
                self.layers[node["name"].replace(".", "_")] = module
            values[node["name"]] = self.apply_node(node, values)

    @staticmethod
    def make(node, channels, parameters, x):
        op = node["op"]
        get = lambda key: torch.tensor(parameters[node[key]])  # noqa: E731
        pads = node.get("pads", [0, 0, 0, 0])
        strides = node.get("strides", [1, 1])
        symmetric = pads[:2] == pads[2:]
        if op == "conv2d":
            module = torch.nn.Conv2d(
                channels,
                node["outChannels"],
                node["kernelShape"],
                strides,
                pads[:2] if symmetric else 0,
                node.get("dilations", [1, 1]),
                node.get("group", 1),
                bias="bias" in node,
            )
            module.weight.data = get("weight").reshape(module.weight.shape)
            if "bias" in node:
                module.bias.data = get("bias")
            return module
        if op == "dense":
            module = torch.nn.Linear(x[0].numel(), node["outFeatures"], bias="bias" in node)
            module.weight.data = get("weight").reshape(module.weight.shape)
            if "bias" in node:
                module.bias.data = get("bias")
            return module
        if op == "batchNorm":
            module = torch.nn.BatchNorm2d(channels, eps=node["epsilon"])
            module.weight.data, module.bias.data = get("scale"), get("bias")
            module.running_mean.data, module.running_var.data = get("mean"), get("variance")
            return module.eval()
        if op == "maxPool2d":
            return torch.nn.MaxPool2d(node["kernelShape"], strides, pads[:2], ceil_mode=node.get("ceilMode", False))
        if op == "averagePool2d":
            return torch.nn.AvgPool2d(
                node["kernelShape"],
                strides,
                pads[:2],
                ceil_mode=node.get("ceilMode", False),
                count_include_pad=node.get("countIncludePad", False),
            )
        if op == "globalAveragePool2d":
            return torch.nn.AdaptiveAvgPool2d(1)
        if op == "lrn" and node.get("region") == "withinChannel":
            return WithinChannelLrn(node["size"], node["alpha"], node["beta"], node["bias"])
        if op == "lrn":
            return torch.nn.LocalResponseNorm(node["size"], node["alpha"], node["beta"], node["bias"])
        if op == "relu":
            return torch.nn.ReLU()
        if op == "add":
            return Sum(-1)
        if op in ("concat", "flatten", "reshape", "dropout", "identity", "softmax"):
            return None
        raise ValueError(op)

    def apply_node(self, node, values):
        op = node["op"]
        x = values[node["inputs"][0]]
        if op == "concat":
            return torch.cat([values[name] for name in node["inputs"]], 1)
        if op == "add":
            x = torch.stack([values[name] for name in node["inputs"]], -1)
        if op in ("flatten", "reshape") or (op == "dense" and x.ndim > 2):
            x = x.flatten(1)
        if op in ("flatten", "reshape", "dropout", "identity", "softmax"):
            return x
        pads = node.get("pads", [0, 0, 0, 0])
        if op == "conv2d" and pads[:2] != pads[2:]:
            x = F.pad(x, (pads[1], pads[3], pads[0], pads[2]))
        return self.layers[node["name"].replace(".", "_")](x)

    def forward(self, x):
        values = {"input": x}
        for node in self.nodes:
            values[node["name"]] = self.apply_node(node, values)
        return values[self.logits]

    def canonizers(self):
        names = [
            ([f"layers.{node['inputs'][0].replace('.', '_')}"], f"layers.{node['name'].replace('.', '_')}")
            for node in self.nodes
            if node["op"] == "batchNorm"
        ]
        return [ExactMergeBatchNorm(names)] if names else []


def zennit_map(net, x, start, composite):
    with Gradient(model=net, composite=composite) as attributor:
        _, relevance = attributor(x, start)
    return relevance[0].detach().numpy()


def box(values, channels):
    """Bounds of the first layer's input, one per channel, repeated when there are more channels than bounds."""
    return torch.tensor([values[c % len(values)] for c in range(channels)]).reshape(1, channels, 1, 1)


# --- single layers --------------------------------------------------------------------------------------------------


def layer_rules(low, high):
    return {
        "epsilon": zr.Epsilon(1e-6),
        "epsilon, .25": zr.Epsilon(0.25),
        "lrp0": zr.Epsilon(0),
        "gamma": zr.Gamma(0.25),
        "gamma, 1": zr.Gamma(1),
        "zPlus": zr.ZPlus(),
        "alphaBeta, 2, 1": zr.AlphaBeta(2, 1),
        "alphaBeta, 1, 0": zr.AlphaBeta(1, 0),
        "zBox": zr.ZBox(low, high),
        "wSquare": zr.WSquare(),
        "flat": zr.Flat(),
    }


def toolbox_lrn(x, top, size, alpha, beta, k):
    """lrp_toolbox, caffe-master-lrp/src/caffe/layers/lrn_layer.cpp, lrn_backward_type 1, loop by loop."""
    channels = x.shape[0]
    pad = (size - 1) // 2
    a = alpha / size
    scale = np.full_like(x, k)
    for c in range(channels):
        for j in range(max(0, c - pad), min(channels, c + pad + 1)):
            scale[c] += a * x[j] ** 2
    own = x * (k + a * x**2) ** -beta * top
    others = -2 * a * beta * scale ** (-beta - 1) * x * top
    bottom = own.copy()
    for c in range(channels):
        for j in range(max(0, c - pad), min(channels, c + pad + 1)):
            if j != c:
                bottom[c] += others[j] * x[c] ** 2
    return bottom


def make_layers(exported, maps):
    for case in exported["layers"]:
        definition = case["definition"]
        name = definition["name"]
        channels = definition["inputShape"][0]
        x = torch.tensor(case["input"]).reshape([1] + definition["inputShape"])
        start = torch.tensor(case["start"]).reshape(1, -1)
        if name == "lrn":
            node = definition["nodes"][0]
            net = Net(definition, case["parameters"])
            hook = zc.LayerMapComposite([(LRN, zr.Epsilon(1e-6))])
            maps[f"{name} | zennit | epsilon"] = zennit_map(net, x, start, hook)
            maps[f"{name} | zennit | gradient"] = zennit_map(net, x, start, None)
            maps[f"{name} | lrp_toolbox | caffeToolbox"] = toolbox_lrn(
                x[0].numpy(), start.reshape(x.shape)[0].numpy(), node["size"], node["alpha"], node["beta"], node["bias"]
            )
            continue
        low, high = (box(exported[key], channels) for key in ("boxLow", "boxHigh"))
        if definition["nodes"][0]["op"] == "dense":
            low, high = low.reshape(1, channels), high.reshape(1, channels)
        for rule_name, rule in layer_rules(low, high).items():
            net = Net(definition, case["parameters"])
            maps[f"{name} | zennit | {rule_name}"] = zennit_map(
                net, x, start, zc.LayerMapComposite([(Linear, rule)])
            )


# --- whole networks -------------------------------------------------------------------------------------------------


def presets(alpha, beta):
    """iNNvestigate's presets A and B in zennit's words: epsilon .1 on dense layers, alpha-beta on convolutions."""
    return lambda **kwargs: zc.LayerMapComposite(
        kwargs.pop("layer_map", [])
        + [
            (Activation, zr.Pass()),
            (Sum, zr.Norm()),
            (AvgPool, zr.Norm()),
            (Convolution, zr.AlphaBeta(alpha, beta)),
            (torch.nn.Linear, zr.Epsilon(0.1)),
        ],
        **kwargs,
    )


def uniform(rule):
    return lambda **kwargs: zc.LayerMapComposite(
        kwargs.pop("layer_map", [])
        + [(Activation, zr.Pass()), (Sum, zr.Norm()), (AvgPool, zr.Norm()), (Linear, rule())],
        **kwargs,
    )


def network_composites(low, high):
    return {
        "epsilonPlus": (zc.EpsilonPlus, True),
        "epsilonGammaBox": (lambda **kwargs: zc.EpsilonGammaBox(low, high, **kwargs), True),
        "epsilonPlusFlat": (zc.EpsilonPlusFlat, True),
        "epsilonAlpha2Beta1": (zc.EpsilonAlpha2Beta1, True),
        "epsilonAlpha2Beta1Flat": (zc.EpsilonAlpha2Beta1Flat, True),
        "presetA": (presets(1, 0), True),
        "presetB": (presets(2, 1), True),
        "excitationBackprop": (zc.ExcitationBackprop, False),
        "epsilon, 1e-9": (uniform(lambda: zr.Epsilon(1e-9)), True),
        "gamma, 1": (uniform(lambda: zr.Gamma(1)), True),
        "wSquare": (uniform(zr.WSquare), True),
        "deconvnet": (zc.DeconvNet, False),
        "guidedBackprop": (zc.GuidedBackprop, False),
    }


def captum_map(make_net, x, target, rule):
    net = make_net()
    for module in net.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.rule = rule()
    return LRP(net).attribute(x.clone().requires_grad_(), target=target)[0].detach().numpy()


def make_networks(exported, maps, facts):
    for case in exported["networks"]:
        definition = case["definition"]
        name = definition["name"]
        make_net = lambda: Net(definition, case["parameters"])  # noqa: B023, E731
        x = torch.tensor(case["input"]).reshape([1] + definition["inputShape"])
        with torch.no_grad():
            logits = make_net()(x)
        target = int(logits.argmax())
        maps[f"{name} | torch | logits"] = logits[0].numpy()
        one_hot = F.one_hot(logits.argmax(1), logits.shape[1]).to(logits)
        low, high = (box(exported[key], definition["inputShape"][0]) for key in ("boxLow", "boxHigh"))
        has_lrn = any(node["op"] == "lrn" for node in definition["nodes"])
        for composite_name, (make, is_relevance) in network_composites(low, high).items():
            net = make_net()
            if composite_name == "wSquare" and net.has_uneven_pads:
                continue
            start = one_hot * logits if is_relevance else one_hot
            is_gradient = composite_name in ("deconvnet", "guidedBackprop")
            kwargs = {} if is_gradient else {"canonizers": net.canonizers()}
            # zennit leaves LRN its gradient; identity is what LRP reports mostly mean, so it is asked for here.
            if has_lrn and is_relevance:
                kwargs["layer_map"] = [(LRN, zr.Pass())]
            maps[f"{name} | zennit | {composite_name}"] = zennit_map(net, x, start, make(**kwargs))
            if has_lrn and composite_name == "epsilonPlus":
                maps[f"{name} | zennit | epsilonPlus, lrn gradient"] = zennit_map(
                    net, x, start, zc.EpsilonPlus(canonizers=net.canonizers())
                )
        free = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(make_net()(free)[0, target], free)
        maps[f"{name} | torch | gradient"] = gradient[0].numpy()
        maps[f"{name} | torch | gradientTimesInput"] = (gradient * x)[0].numpy()
        if name == "plain-without-bias":
            rules = {
                "epsilon": EpsilonRule,
                "gamma": GammaRule,
                "alpha1beta0": Alpha1_Beta0_Rule,
            }
            for rule_name, rule in rules.items():
                maps[f"{name} | captum | {rule_name}"] = captum_map(make_net, x, target, rule)
                with torch.no_grad():
                    positive_target = int(make_net()(x.abs()).argmax())
                maps[f"{name}, |x| | captum | {rule_name}"] = captum_map(make_net, x.abs(), positive_target, rule)
        if name == "plain":
            for rule_name, rule in {"epsilon": EpsilonRule, "gamma": GammaRule, "alpha1beta0": Alpha1_Beta0_Rule}.items():
                maps[f"{name} | captum | {rule_name}"] = captum_map(make_net, x, target, rule)
        if has_lrn:
            try:
                captum_map(make_net, x, target, EpsilonRule)
            except TypeError as error:
                facts["captum on LRN"] = str(error)


def one_neuron(facts):
    """captum's issue 1234 on a neuron of weights [1,-1], bias -1."""

    class Neuron(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)
            self.layer.weight.data = torch.tensor([[1.0, -1.0]])
            self.layer.bias.data = torch.tensor([-1.0])

        def forward(self, x):
            return self.layer(x)

    facts["captum alpha1beta0 on one neuron, W = [1,-1], b = -1"] = {
        str(x): captum_map(Neuron, torch.tensor([x]), 0, Alpha1_Beta0_Rule).tolist()
        for x in ([1.0, 1.0], [1.0, -1.0], [-2.0, 1.0])
    }

    class Same(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)
            self.layer.weight.data = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
            self.layer.bias.data = torch.zeros(2)

        def forward(self, x):
            return self.layer(x)

    facts["captum IdentityRule, W = [[1,2],[3,4]], x = [1,1], target 1"] = captum_map(
        Same, torch.ones(1, 2), 1, IdentityRule
    ).tolist()


def make_small(path):
    exported = json.load(open(path))
    maps, facts = {}, {}
    one_neuron(facts)
    make_layers(exported, maps)
    make_networks(exported, maps, facts)
    folder = GOLDEN / "references"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: np.ascontiguousarray(value, dtype=np.float32) for key, value in maps.items()}, folder / "maps.safetensors")
    inputs = {
        case["definition"]["name"]: hashlib.sha256(np.array(case["input"], np.float32).tobytes()).hexdigest()
        for case in exported["layers"] + exported["networks"]
    }
    manifest = {
        "what": "Relevance of the input, by 'network | producer | rule or composite', and logits. Networks, parameters and "
        "inputs: test/reference/networks.ts.",
        "producer": "test/reference/make-references.py small",
        "versions": versions(),
        "precision": "computed in float64, stored in float32",
        "tolerance": "relative to the map's largest |R|: 2^-23 for float64 code (the storage's rounding), what float32 "
        "arithmetic justifies for the engine",
        "sha256OfInputs": inputs,
        "facts": facts,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(len(maps), "maps;", facts)


# --- the seeded AlexNet and VGG-16 ----------------------------------------------------------------------------------


def uniform_integers(seed, count):
    """mulberry32 started at `seed`, outputs 0 .. count-1."""
    j = np.arange(1, count + 1, dtype=np.uint32)
    a = np.uint32(seed) + j * np.uint32(0x6D2B79F5)
    t = (a ^ (a >> np.uint32(15))) * (a | np.uint32(1))
    t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
    return t ^ (t >> np.uint32(14))


def bell(seed, count, scale):
    bits = uniform_integers(seed, count)
    k = sum((bits >> np.uint32(8 * byte)) & np.uint32(255) for byte in range(4)).astype(np.int64) - 510
    return (k.astype(np.float32) * np.float32(scale)).astype(np.float32)


def seeded_net(name, shared):
    spec = json.load(open(shared / "nets.json"))[name]
    modules, q = [], 0
    for layer in spec["layers"]:
        if layer["t"] in ("conv", "fc"):
            if layer["t"] == "conv":
                module = torch.nn.Conv2d(
                    layer["i"] * layer["g"], layer["o"], layer["k"], layer["s"], layer["p"], groups=layer["g"]
                )
            else:
                module = torch.nn.Linear(layer["i"], layer["o"])
            fan_in = module.weight[0].numel()
            for part, scale in (("weight", np.sqrt(2 / fan_in) / np.sqrt(21845)), ("bias", 0.05 / np.sqrt(21845))):
                seed = (spec["seed"] * 65536 + q) % 2**32 * 2654435761 % 2**32
                parameter = getattr(module, part)
                parameter.data = torch.from_numpy(bell(seed, parameter.numel(), scale)).reshape(parameter.shape).double()
                q += 1
            modules.append(module)
        elif layer["t"] == "relu":
            modules.append(torch.nn.ReLU())
        elif layer["t"] == "pool":
            modules.append(torch.nn.MaxPool2d(layer["k"], layer["s"]))
        elif layer["t"] == "lrn":
            modules.append(torch.nn.LocalResponseNorm(layer["size"], layer["alpha"], layer["beta"], layer["k"]))
        else:
            modules.append(torch.nn.Flatten())
    return torch.nn.Sequential(*modules).eval()


def sample_positions(count):
    """1,000 positions spread over the map: 7919 is prime and shares no factor with the sizes used."""
    return [k * 7919 % count for k in range(1000)]


def seeded_published(shared):
    """PyTorch's logits and samples of the maps of the published relprop code, from the arrays in ../shared/reference/seeded-nets."""
    samples, facts = {}, {}
    for name in ("alexnet", "bvlc_alexnet", "vgg16"):
        logits = np.load(shared / f"{name}_logits_f64.npy").reshape(-1)
        samples[f"{name} | torch | logits"] = logits.astype(np.float32)
        for producer, file in (("authors", "authors_f64"), ("authors-accum", "authors-accum")):
            path = shared / f"{name}_lrp_{file}.npy"
            if not path.exists():  # VGG-16's pools do not overlap: both are one
                continue
            m = np.load(path).astype(np.float64)
            key = f"{name} | {producer} | li2019"
            samples[key] = m.reshape(-1)[sample_positions(m.size)].astype(np.float32)
            facts[key] = {
                "target": int(logits.argmax()),
                "logit": float(logits.max()),
                "sum": float(m.sum()),
                "sumOfMagnitudes": float(np.abs(m).sum()),
                "largestMagnitude": float(np.abs(m).max()),
                "normPerChannel": [float(np.linalg.norm(channel)) for channel in m],
            }
    return samples, facts


def make_seeded():
    shared = pathlib.Path(__file__).parent.parent.parent.parent / "shared/reference/seeded-nets"
    folder = GOLDEN / "seeded-nets"
    folder.mkdir(parents=True, exist_ok=True)
    samples, facts = {}, {}
    published = seeded_published(shared)
    mean, std = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    low = torch.tensor([(0 - m) / s for m, s in zip(mean, std)]).reshape(1, 3, 1, 1)
    high = torch.tensor([(1 - m) / s for m, s in zip(mean, std)]).reshape(1, 3, 1, 1)
    for name in ("alexnet", "bvlc_alexnet", "vgg16"):
        net = seeded_net(name, shared)
        x = torch.from_numpy(np.load(shared / f"{name}_input.npy")).double()[None]
        box_low, box_high = (low, high)
        kwargs = {}
        if name == "bvlc_alexnet":
            pixel_mean = torch.tensor([104.0, 117.0, 123.0]).reshape(1, 3, 1, 1)
            box_low, box_high = (-pixel_mean, 255 - pixel_mean)
            kwargs = {"layer_map": [(LRN, zr.Pass())]}
        composites = {
            "epsilonPlus": zc.EpsilonPlus(**kwargs),
            "epsilonGammaBox": zc.EpsilonGammaBox(box_low, box_high, **kwargs),
            "epsilonPlusFlat": zc.EpsilonPlusFlat(**kwargs),
            "epsilonAlpha2Beta1": zc.EpsilonAlpha2Beta1(**kwargs),
            "epsilonAlpha2Beta1Flat": zc.EpsilonAlpha2Beta1Flat(**kwargs),
        }
        for composite_name, composite in composites.items():
            one_hot_logit = lambda out: out * F.one_hot(out.argmax(1), out.shape[1]).to(out)  # noqa: E731
            with Gradient(model=net, composite=composite, attr_output=one_hot_logit) as attributor:
                out, relevance = attributor(x)
            m = relevance[0].detach().numpy()
            key = f"{name} | zennit | {composite_name}"
            samples[key] = m.reshape(-1)[sample_positions(m.size)].astype(np.float32)
            facts[key] = {
                "target": int(out.argmax()),
                "logit": float(out.max()),
                "sum": float(m.sum()),
                "sumOfMagnitudes": float(np.abs(m).sum()),
                "largestMagnitude": float(np.abs(m).max()),
                "normPerChannel": [float(np.linalg.norm(channel)) for channel in m],
            }
            print(key, facts[key], flush=True)
        del net
    facts |= published[1]
    save_file(samples | published[0], folder / "samples.safetensors")
    manifest = {
        "what": "Five zennit composites on the seeded networks of test/cases/seeded-nets.ts: 1,000 of the map's values "
        "(position k * 7919 modulo the map's size, C order) and what sums up the rest. LRN is passed through (Pass). zBox: "
        "the normalised 0 and 1; for bvlc_alexnet 0 and 255 less the mean. 'authors' is the relprop code that Li et al. published, "
        "'authors-accum' the same with an accumulating max_unpool2d; LRN is passed through there too.",
        "producer": "test/reference/make-references.py seeded",
        "versions": versions(),
        "precision": "computed in float64, stored in float32",
        "maps": facts,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


# --- the SqueezeNet of the package -----------------------------------------------------------------------------------


class Fire(torch.nn.Module):
    def __init__(self, channels, squeezed, expanded):
        super().__init__()
        self.squeeze = torch.nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = torch.nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = torch.nn.Conv2d(squeezed, expanded, 3, padding=1)
        self.after, self.left, self.right = torch.nn.ReLU(), torch.nn.ReLU(), torch.nn.ReLU()

    def forward(self, x):
        x = self.after(self.squeeze(x))
        return torch.cat([self.left(self.expand1x1(x)), self.right(self.expand3x3(x))], 1)


class SqueezeNet(torch.nn.Module):
    """SqueezeNet 1.1 under torchvision's names."""

    def __init__(self):
        super().__init__()
        pool = lambda: torch.nn.MaxPool2d(3, 2, ceil_mode=True)  # noqa: E731
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(3, 64, 3, 2), torch.nn.ReLU(), pool(),
            Fire(64, 16, 64), Fire(128, 16, 64), pool(),
            Fire(128, 32, 128), Fire(256, 32, 128), pool(),
            Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
        )  # fmt: skip
        self.classifier = torch.nn.Sequential(
            torch.nn.Dropout(), torch.nn.Conv2d(512, 1000, 1), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1)
        )

    def forward(self, x):
        return self.classifier(self.features(x)).flatten(1)


def make_squeezenet(photos_path):
    """Maps of the largest logit for the photos that export-photos.js wrote: gradient times input, zennit's EpsilonPlus."""
    from safetensors.torch import load_file

    net = SqueezeNet().eval()
    weights = load_file(GOLDEN.parent.parent / "models/squeezenet1_1-caffe.safetensors")
    net.load_state_dict({name: value.double() for name, value in weights.items()})
    names = ["cat.jpg", "coffee.jpg"]
    photos = np.fromfile(photos_path, dtype=np.float32).reshape(len(names), 3, 224, 224)
    samples, facts = {}, {}
    for name, photo in zip(names, photos):
        x = torch.from_numpy(photo).double()[None].requires_grad_()
        logits = net(x)
        (gradient,) = torch.autograd.grad(logits.max(), x)
        one_hot = F.one_hot(logits.argmax(1), 1000).to(logits)
        maps = {
            "li2019": (gradient * x)[0].detach().numpy(),
            "epsilonPlus": zennit_map(net, x.detach().clone(), (one_hot * logits).detach(), zc.EpsilonPlus()),
        }
        samples[f"{name} | logits"] = logits[0].detach().numpy().astype(np.float32)
        facts[name] = {
            "sha256OfTensor": hashlib.sha256(np.ascontiguousarray(photo).tobytes()).hexdigest(),
            "target": int(logits.argmax()),
            "sums": {composite: float(m.sum()) for composite, m in maps.items()},
        }
        for composite, m in maps.items():
            samples[f"{name} | {composite}"] = m.reshape(-1)[sample_positions(m.size)].astype(np.float32)
        print(name, facts[name])
    folder = GOLDEN / "squeezenet"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(samples, folder / "samples.safetensors")
    manifest = {
        "what": "Of the SqueezeNet 1.1 in models/ on the photos of examples/: PyTorch's logits; for the largest, PyTorch's gradient "
        "times input (li2019) and zennit's EpsilonPlus, 1,000 values each (position k * 7919 modulo the map's size, C order).",
        "producer": "test/reference/make-references.py squeezenet",
        "versions": versions(),
        "precision": "computed in float64, stored in float32",
        "photos": facts,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["small"] and len(sys.argv) == 3:
        make_small(sys.argv[2])
    elif sys.argv[1:] == ["seeded"]:
        make_seeded()
    elif sys.argv[1:2] == ["squeezenet"] and len(sys.argv) == 3:
        make_squeezenet(sys.argv[2])
    else:
        sys.exit(__doc__)
