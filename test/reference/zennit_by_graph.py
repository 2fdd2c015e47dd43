"""zennit's EpsilonPlus for a whole classifier, canonized by its traced graph (torch.fx) where zennit has no canonizer for it by name.

As zennit's canonizers do by hand: sums of feature maps become zennit.layer.Sum (ResNetCanonizer), a batch norm right behind a convolution or
dense layer that nothing else reads is merged into it (NamedMergeBatchNorm), activations and means that are written as functions become
modules, so that their rules (Pass, Norm) apply. What has no such form - products of feature maps, other norms - is not explained.
"""

import copy

import torch
import torch.nn.functional as F
import zennit.types
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from torch.fx.passes.shape_prop import ShapeProp, TensorMetadata
from zennit.composites import EpsilonPlus
from zennit.layer import Sum


class NotCanonized(Exception):
    """Why zennit cannot be asked."""


class Total(nn.Module):
    """zennit's sum of two values, the second maybe repeated over places."""

    def __init__(self):
        super().__init__()
        self.sum = Sum()

    def forward(self, a, b):
        return self.sum(torch.stack(torch.broadcast_tensors(a, b), dim=-1))


class Mean(nn.Module):
    def __init__(self, keep):
        super().__init__()
        self.pool, self.keep = nn.AdaptiveAvgPool2d(1), keep

    def forward(self, x):
        y = self.pool(x)
        return y if self.keep else y.flatten(1)


FUNCTIONS = {
    F.relu: nn.ReLU, torch.relu: nn.ReLU, "relu": nn.ReLU, "relu_": nn.ReLU, F.relu6: nn.ReLU6, F.silu: nn.SiLU, F.hardswish: nn.Hardswish, F.gelu: nn.GELU,
    F.leaky_relu: nn.LeakyReLU, F.elu: nn.ELU, F.celu: nn.CELU, F.selu: nn.SELU, F.mish: nn.Mish, torch.sigmoid: nn.Sigmoid, F.softplus: nn.Softplus, F.hardtanh: nn.Hardtanh,
}  # fmt: skip
HARMLESS = {
    torch.flatten, torch.cat, F.dropout, torch._assert, getattr, torch.reshape, torch.squeeze, torch.transpose, torch.permute, F.pad, torch.chunk, torch.split, F.max_pool2d, F.adaptive_max_pool2d,
    "flatten", "view", "reshape", "size", "contiguous", "permute", "transpose", "chunk", "split", "squeeze", "unsqueeze", "clone", "dim", "expand", "expand_as",
}  # fmt: skip
MODULES = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d, nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d,
           nn.Flatten, nn.Dropout, nn.Dropout2d, nn.Identity, nn.ReLU, nn.ReLU6, nn.ChannelShuffle, nn.ZeroPad2d, Total, Mean)  # fmt: skip


class Tracer(fx.Tracer):
    def is_leaf_module(self, module, name):
        return isinstance(module, MODULES) and type(module).forward in {kind.forward for kind in MODULES} or super().is_leaf_module(module, name)


def is_sum(node):
    names = {"add", "add_", "iadd"}
    target = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return node.op in ("call_function", "call_method") and target in names and len(node.args) == 2 and all(isinstance(arg, fx.Node) and arg.op != "get_attr" for arg in node.args)


def canonized(module, x):
    """The module with zennit's layers in the place of functions, batch norms merged."""
    try:
        graph = Tracer().trace(module)
    except Exception as error:
        raise NotCanonized(f"torch.fx cannot trace it: {type(error).__name__}") from error
    model = fx.GraphModule(module, graph)
    ShapeProp(model).propagate(x)
    made = 0

    def replace(node, layer, args):
        nonlocal made
        name = f"canonical_{made}"
        made += 1
        model.add_submodule(name, layer)
        with graph.inserting_after(node):
            new = graph.call_module(name, args)
        new.meta = dict(node.meta)
        node.replace_all_uses_with(new)
        graph.erase_node(node)

    for node in list(graph.nodes):
        if node.op in ("placeholder", "output", "get_attr"):
            continue
        if is_sum(node):
            replace(node, Total(), tuple(node.args))
        elif getattr(node.target, "__name__", "") == "add" and 0 in node.args and len(node.all_input_nodes) == 1:
            node.replace_all_uses_with(node.all_input_nodes[0])  # Python's sum begins with 0
            graph.erase_node(node)
        elif node.op in ("call_function", "call_method") and node.target in FUNCTIONS:
            extra = node.args[1:] if FUNCTIONS[node.target] is nn.LeakyReLU else ()
            replace(node, FUNCTIONS[node.target](*extra), (node.args[0],))
        elif node.target in ("mean", torch.mean):
            axes = tuple(a % 4 for a in (node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", ())) if isinstance(a, int)) if not isinstance(node.args[1] if len(node.args) > 1 else node.kwargs.get("dim"), int) else ()
            if sorted(axes) != [2, 3]:
                raise NotCanonized("a mean along other axes")
            replace(node, Mean(bool(node.kwargs.get("keepdim", node.args[2] if len(node.args) > 2 else False))), (node.args[0],))
        elif node.target is F.batch_norm:
            # timm's norms with an activation inside call the function.
            given = dict(zip(("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"), node.args)) | dict(node.kwargs)
            known = dict(model.named_parameters()) | dict(model.named_buffers())
            mean, variance, weight, bias = (known.get(getattr(given.get(key), "target", None)) for key in ("running_mean", "running_var", "weight", "bias"))
            layer = nn.BatchNorm2d(mean.numel(), eps=given.get("eps", 1e-5), affine=weight is not None, dtype=mean.dtype).eval().requires_grad_(False)
            layer.running_mean.copy_(mean)
            layer.running_var.copy_(variance)
            if weight is not None:
                layer.weight.copy_(weight)
                layer.bias.copy_(bias)
            replace(node, layer, (node.args[0],))
        elif node.target in (F.avg_pool2d,):
            replace(node, nn.AvgPool2d(*node.args[1:], **node.kwargs), (node.args[0],))
        elif node.target in (F.adaptive_avg_pool2d,):
            replace(node, nn.AdaptiveAvgPool2d(*node.args[1:], **node.kwargs), (node.args[0],))
        elif node.op == "call_module":
            layer = model.get_submodule(node.target)
            if not isinstance(layer, MODULES) and not isinstance(layer, zennit.types.Activation):
                raise NotCanonized(f"a layer {type(layer).__name__}")
            if hasattr(layer, "parametrizations") or hasattr(layer, "weight_orig") or hasattr(layer, "weight_g"):
                raise NotCanonized("weights that are worked out")
            if isinstance(layer, nn.Linear) and len(node.args[0].meta["tensor_meta"].shape) != 2:
                raise NotCanonized("a dense layer at every place, which is a convolution here")
        elif node.target not in HARMLESS and getattr(node.target, "__name__", "") not in ("getitem", "floordiv", "eq", "mul", "mod") or any(
            getattr(node.target, "__name__", node.target) == "mul" and isinstance(arg, fx.Node) and isinstance(arg.meta.get("tensor_meta"), TensorMetadata) for arg in node.args
        ):
            raise NotCanonized(f"a function {getattr(node.target, '__name__', node.target)}")
    for node in list(graph.nodes):
        if node.target is torch._assert:
            graph.erase_node(node)  # it reads a shape, which would count as a second reader
    graph.eliminate_dead_code()
    graph.lint()
    model.recompile()
    for node in list(graph.nodes):
        if node.op != "call_module" or not isinstance(model.get_submodule(node.target), (nn.BatchNorm1d, nn.BatchNorm2d)):
            continue
        before = node.args[0]
        if before.op == "call_module" and isinstance(model.get_submodule(before.target), (nn.Conv1d, nn.Conv2d, nn.Linear)) and len(before.users) == 1:
            # As NamedMergeBatchNorm, which leaves the batch norm's epsilon behind: a factor of 0.999995 that near-cancelling sums make 6e-3.
            linear, norm = model.get_submodule(before.target), model.get_submodule(node.target)
            fuse = fuse_linear_bn_eval if isinstance(linear, nn.Linear) else fuse_conv_bn_eval
            model.set_submodule(before.target, fuse(linear, norm))
            model.set_submodule(node.target, nn.Identity())
    return model


def relevance(module, x, target, dtype):
    """zennit's relevance of the largest logit, started with that logit."""
    module, x = copy.deepcopy(module).to(dtype), x.to(dtype)
    for child in module.modules():
        if hasattr(child, "inplace"):
            child.inplace = False
    model = canonized(module, x)
    with EpsilonPlus().context(model) as modified:
        point = x.clone().requires_grad_()
        y = modified(point)
        start = torch.zeros_like(y)
        start.flatten()[target] = y.detach().flatten()[target]
        (result,) = torch.autograd.grad(y, point, start)
    return result
