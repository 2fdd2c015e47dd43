"""PyTorch peers: python torch_peers.py FOLDER THREADS SAMPLES MEASURES. Prints one line of JSON per measurement.
forward; li2019: the paper's composite in plain PyTorch, the forward pass included; zennit: EpsilonPlus and EpsilonGammaBox, forward
included; captum: LRP with epsilon rules, forward included. zennit and captum are left out where they are not installed.
MEASURES: all, or headline for those without EpsilonGammaBox and captum."""

import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

folder, threads, samples = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
headline = sys.argv[4] == "headline"
torch.set_num_threads(threads)
net = json.load(open(os.path.join(folder, "net.json")))
weights = np.memmap(os.path.join(folder, "weights.bin"), dtype="<f4", mode="r")
x = torch.from_numpy(np.fromfile(os.path.join(folder, "input.bin"), dtype="<f4").reshape(1, *net["inputShape"]))


def parameter(p):
    return torch.nn.Parameter(torch.from_numpy(np.array(weights[p["offset"] : p["offset"] + p["length"]])).reshape(p["shape"]), requires_grad=False)


def module(layer):
    op = layer["op"]
    if op == "conv2d":
        w = parameter(layer["weight"])
        m = torch.nn.Conv2d(w.shape[1] * layer["group"], w.shape[0], w.shape[2], layer["stride"], layer["pad"], groups=layer["group"])
    elif op == "dense":
        w = parameter(layer["weight"])
        m = torch.nn.Linear(w.shape[1], w.shape[0])
    elif op == "relu":
        return torch.nn.ReLU()
    elif op == "maxPool2d":
        return torch.nn.MaxPool2d(layer["kernel"], layer["stride"])
    elif op == "lrn":
        return torch.nn.LocalResponseNorm(layer["size"], layer["alpha"], layer["beta"], layer["k"])
    elif op == "flatten":
        return torch.nn.Flatten()
    m.weight, m.bias = w, parameter(layer["bias"])
    return m


started = time.perf_counter()
model = torch.nn.Sequential(*[module(each) for each in net["layers"]]).eval()
load_ms = 1e3 * (time.perf_counter() - started)


def li2019():
    """Li et al. 2019 in plain PyTorch: dense z+ without bias, convolutions LRP-0, winner-takes-all pooling."""
    with torch.no_grad():
        inputs, indices, a = [], {}, x
        for i, m in enumerate(model):
            inputs.append(a)
            if isinstance(m, torch.nn.MaxPool2d):
                a, indices[i] = F.max_pool2d(a, m.kernel_size, m.stride, return_indices=True)
            else:
                a = m(a)
        outputs = inputs[1:] + [a]
        logits = a
        r = torch.zeros_like(a)
        r[0, a.argmax()] = a.max()
        for i in reversed(range(len(model))):
            m, a = model[i], inputs[i]
            if isinstance(m, torch.nn.Linear):
                w = m.weight.clamp(min=0)
                r = a * ((r / (a @ w.T + 1e-9)) @ w)
            elif isinstance(m, torch.nn.Conv2d):
                s = r / (outputs[i] + 1e-9)
                r = a * torch.nn.grad.conv2d_input(a.shape, m.weight, s, m.stride, m.padding, m.dilation, m.groups)
            elif isinstance(m, torch.nn.MaxPool2d):
                flat = torch.zeros(a.shape).flatten(2)
                r = flat.scatter_add_(2, indices[i].flatten(2), r.flatten(2)).view_as(a)
            elif isinstance(m, torch.nn.Flatten):
                r = r.view_as(a)
        return logits, r


def zennit(composite):
    with composite.context(model) as modified:
        a = x.clone().requires_grad_(True)
        logits = modified(a)
        start = torch.zeros_like(logits)
        start[0, logits.argmax()] = logits.max().detach()
        (r,) = torch.autograd.grad(logits, a, grad_outputs=start)
    return logits, r


def box():
    """What the input can be, channel by channel: the preparation of black and of white."""
    low, high = ((torch.tensor(net[key])[None, :, None, None].expand_as(x)).contiguous() for key in ("low", "high"))
    return {"low": low, "high": high}


class Unflattened(torch.nn.Module):
    """captum knows no Flatten layer, only the function."""

    def __init__(self):
        super().__init__()
        at = next(i for i, m in enumerate(model) if isinstance(m, torch.nn.Flatten))
        self.features, self.head = model[:at], model[at + 1 :]

    def forward(self, a):
        return self.head(self.features(a).flatten(1))


def captum():
    wrapped = Unflattened()
    lrp = LRP(wrapped)
    for m in model:
        if hasattr(m, "weight"):
            m.rule = EpsilonRule()
    a = x.clone().requires_grad_(True)
    logits = wrapped(a)
    return logits, lrp.attribute(a, target=int(logits.argmax()))


def measure(peer, version, run):
    run()
    wall, cpu = [], []
    for _ in range(samples):
        c, t = time.process_time(), time.perf_counter()
        logits, r = run()
        wall.append(1e3 * (time.perf_counter() - t))
        cpu.append(1e3 * (time.process_time() - c))
    print(json.dumps({
        "peer": peer, "version": version, "threads": threads, "loadMs": load_ms, "wall": wall, "cpu": cpu,
        "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "logits": logits.detach().flatten().tolist(),
        "relevance": None if r is None else r.detach().flatten().tolist(),
    }), flush=True)


has_lrn = any(each["op"] == "lrn" for each in net["layers"])
with torch.no_grad():
    measure("PyTorch", torch.__version__, lambda: (model(x), None))
measure("li2019 in PyTorch", torch.__version__, li2019)
try:
    from importlib.metadata import version

    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/reference"))
    import torchvision_stub  # noqa: F401

    from zennit.composites import EpsilonGammaBox, EpsilonPlus
except ImportError as error:
    print(f"zennit left out: {error}", file=sys.stderr)
else:
    measure("zennit EpsilonPlus", version("zennit"), lambda: zennit(EpsilonPlus()))
    if not headline and not has_lrn:
        measure("zennit EpsilonGammaBox", version("zennit"), lambda: zennit(EpsilonGammaBox(**box())))
try:
    from captum.attr import LRP
    from captum.attr._utils.lrp_rules import EpsilonRule
except ImportError as error:
    print(f"captum left out: {error}", file=sys.stderr)
else:
    # captum refuses layers without a rule, and has none for LRN.
    if not headline and not has_lrn:
        measure("captum epsilon", version("captum"), captum)
