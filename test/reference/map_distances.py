"""Relevance maps of whole networks by PyTorch in float64, and how far its float32 is from them.

    python test/reference/map_distances.py FOLDER NETWORK [COUNT]

FOLDER is what map-distances.ts exports. Composites come from there as data (branches and terms of each rule) and are computed from the rules'
definitions, without autograd but for LRN. Writes FOLDER/NETWORK/PHOTO.COMPOSITE.f64 and references.jsonl. Needs torch and numpy.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_input

torch.set_num_threads(1)
torch.set_grad_enabled(False)
folder = Path(sys.argv[1]) / sys.argv[2]
network = json.loads((folder / "network.json").read_text())
nodes = network["nodes"]
weights = {
    name: torch.from_numpy(np.fromfile(folder / "weights" / name, "<f4")).view(shape) for name, shape in network["shapes"].items()
}


def over(r: Tensor, z: Tensor) -> Tensor:
    """r / z, 0 where z is 0."""
    return torch.where(z == 0, torch.zeros_like(z), r / torch.where(z == 0, torch.ones_like(z), z))


def stabilized(z: Tensor, by: float, sign: str = "signed") -> Tensor:
    return z + (torch.where(z < 0, -by, by) if sign == "signed" else by)


def modified(w: Tensor, how: dict) -> Tensor:
    match how["kind"]:
        case "signed":
            return how["positive"] * w.clamp(min=0) + how["negative"] * w.clamp(max=0)
        case "squared":
            return w * w
        case _:
            return torch.ones_like(w)


def geometry(node: dict) -> dict:
    return {"stride": node.get("strides", [1, 1]), "padding": node.get("pads", [0, 0])[:2], "groups": node.get("group", 1)}


def linear(node: dict, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    return F.conv2d(x, w, b, **geometry(node)) if node["op"] == "conv2d" else F.linear(x, w, b)


def adjoint(node: dict, x: Tensor, w: Tensor, s: Tensor) -> Tensor:
    return conv2d_input(x.shape, w, s, **geometry(node)) if node["op"] == "conv2d" else s @ w


def lrn(node: dict, x: Tensor) -> Tensor:
    half = node["size"] // 2
    squares = F.pad(x * x, (0, 0, 0, 0, half, half))
    total = sum(squares[:, k : k + x.shape[1]] for k in range(node["size"]))
    return x * (node["bias"] + node["alpha"] / node["size"] * total) ** -node["beta"]


def parameters(node: dict, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    return weights[node["weight"]].to(dtype), weights[node["bias"]].to(dtype) if "bias" in node else None


def forward(x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Values by name, and the winners of max pooling."""
    values, winners = {"input": x}, {}
    for node in nodes:
        inputs = [values[name] for name in node["inputs"]]
        x0 = inputs[0]
        match node["op"]:
            case "conv2d" | "dense":
                y = linear(node, x0, *parameters(node, x.dtype))
            case "relu":
                y = x0.clamp(min=0)
            case "leakyRelu":
                y = torch.where(x0 < 0, node["slope"] * x0, x0)
            case "maxPool2d":
                assert not any(node.get("pads", [0]))
                y, winners[node["name"]] = F.max_pool2d(
                    x0, node["kernelShape"], node.get("strides", [1, 1]), ceil_mode=node.get("ceilMode", False), return_indices=True
                )
            case "concat":
                y = torch.cat(inputs, 1)
            case "globalAveragePool2d":
                y = x0.mean((2, 3), keepdim=True)
            case "flatten":
                y = x0.flatten(1)
            case "lrn":
                y = lrn(node, x0)
            case "dropout" | "identity" | "softmax":
                y = x0
            case op:
                raise ValueError(op)
        values[node["name"]] = y
    return values, winners


def part_of_input(x: Tensor, part: str) -> Tensor:
    match part:
        case "input":
            return x
        case "positive":
            return x.clamp(min=0)
        case "negative":
            return x.clamp(max=0)
        case "ones":
            return torch.ones_like(x)
    preparation = network["preprocessing"]
    mean, std = (torch.tensor(preparation[key], dtype=x.dtype) for key in ("mean", "std"))
    pixel = 0.0 if part == "low" else 255.0
    return ((pixel * preparation["scale"] - mean) / std).view(1, -1, 1, 1).expand_as(x)


def through_weights(node: dict, x: Tensor, r: Tensor, rule: dict) -> Tensor:
    """A rule of a convolution or dense layer: per branch, R_i = sum of terms x_i w_ij R_j / z_j."""
    w, b = parameters(node, x.dtype)
    if rule["propagation"] == "gradient":
        return adjoint(node, x, w, r)
    result = torch.zeros_like(x)
    for branch in rule["branches"]:
        z = 0
        for k, term in enumerate(branch["terms"]):
            takes_bias = k == 0 and b is not None and branch.get("bias") is not None
            bias = modified(b, branch["bias"]) if takes_bias else None
            z = z + term["sign"] * linear(node, part_of_input(x, term["input"]), modified(w, term["weight"]), bias)
        s = branch["coefficient"] * over(r, stabilized(z, rule["stabilizer"], rule["stabilizerSign"]))
        if branch["gate"] != 0:
            y = linear(node, x, w, b)
            s = s * (y > 0 if branch["gate"] == 1 else y < 0)
        for term in branch["terms"]:
            given = adjoint(node, x, modified(w, term["weight"]), s)
            result = result + term["sign"] * part_of_input(x, term["input"]) * given
    return result


def through_activation(x: Tensor, r: Tensor, slope: float, how: str) -> Tensor:
    below = x < 0 if slope else x <= 0
    derivative = torch.where(below, torch.full_like(x, slope), torch.ones_like(x))
    match how:
        case "pass":
            return r
        case "gradient":
            return r * derivative
        case "deconvnet":
            return r.clamp(min=0)
        case _:
            return r.clamp(min=0) * derivative


def through_pool(node: dict, x: Tensor, r: Tensor, winner: Tensor, how: str) -> Tensor:
    if how == "overwrite":
        return F.max_unpool2d(r, winner, node["kernelShape"], node.get("strides"), output_size=x.shape)
    return torch.zeros_like(x).flatten(2).scatter_add_(2, winner.flatten(2), r.flatten(2)).view_as(x)


def through_average(x: Tensor, y: Tensor, r: Tensor, composite: dict) -> Tensor:
    count = x.shape[2] * x.shape[3]
    if composite["sum"] == "gradient":
        return (r / count).expand_as(x)
    return x / count * over(r, stabilized(y, composite["normStabilizer"]))


def through_lrn(node: dict, x: Tensor, r: Tensor, how: str) -> Tensor:
    if how == "identity":
        return r
    with torch.enable_grad():
        v = x.detach().clone().requires_grad_()
        return torch.autograd.grad(lrn(node, v), v, r)[0]


weighted = [node["name"] for node in nodes if node["op"] in ("conv2d", "dense")]
logits_name = nodes[-1]["inputs"][0] if nodes[-1]["op"] == "softmax" else network["output"]


def rule_of(node: dict, composite: dict) -> dict:
    for each in composite["assignments"]:
        match = each["match"]
        ops = match.get("op")
        if ops and node["op"] not in ([ops] if isinstance(ops, str) else ops):
            continue
        if match.get("position") == "first" and node["name"] != weighted[0]:
            continue
        if match.get("position") == "last" and node["name"] != weighted[-1]:
            continue
        return each["rule"]
    raise ValueError(f"no rule for {node['name']}")


def backward(node: dict, values: dict, winners: dict, r: Tensor, composite: dict) -> list[Tensor]:
    inputs = [values[name] for name in node["inputs"]]
    x = inputs[0]
    match node["op"]:
        case "conv2d" | "dense":
            return [through_weights(node, x, r, rule_of(node, composite))]
        case "relu" | "leakyRelu":
            return [through_activation(x, r, node.get("slope", 0), composite["activation"])]
        case "maxPool2d":
            return [through_pool(node, x, r, winners[node["name"]], composite["maxPool"])]
        case "concat":
            return list(torch.split(r, [each.shape[1] for each in inputs], 1))
        case "globalAveragePool2d":
            return [through_average(x, values[node["name"]], r, composite)]
        case "flatten":
            return [r.view_as(x)]
        case "lrn":
            return [through_lrn(node, x, r, composite["lrn"])]
        case _:
            return [r]


def relevance(values: dict, winners: dict, composite: dict, target: int) -> Tensor:
    start = torch.zeros_like(values[logits_name])
    start.view(-1)[target] = values[logits_name].view(-1)[target] if composite["start"] == "score" else 1
    found = {logits_name: start}
    for node in reversed(nodes):
        r = found.pop(node["name"], None)
        if r is None:
            continue
        for name, part in zip(node["inputs"], backward(node, values, winners, r, composite)):
            found[name] = found[name] + part if name in found else part
    return found["input"] * values["input"] if composite["timesInput"] else found["input"]


def distance(a: Tensor, b: Tensor) -> float:
    """Relative L2; 0 between two empty maps (deconvnet's often are)."""
    return float((a.double() - b).norm() / b.norm().clamp(min=1e-300))


count = int(sys.argv[3]) if len(sys.argv) > 3 else len(list(folder.glob("*.f32")))
with open(folder / "references.jsonl", "w") as out:
    for photo in range(count):
        x = torch.from_numpy(np.fromfile(folder / f"{photo}.f32", "<f4")).view(1, *network["inputShape"])
        double, single = forward(x.double()), forward(x)
        target = int(double[0][logits_name].view(-1).argmax())
        distances = {}
        for name, composite in network["composites"].items():
            truth = relevance(*double, composite, target)
            truth.numpy().astype("<f8").tofile(folder / f"{photo}.{name}.f64")
            distances[name] = distance(relevance(*single, composite, target), truth)
        print(json.dumps({"photo": photo, "target": target, "distances": distances}), file=out, flush=True)
