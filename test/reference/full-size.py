"""Full-size networks by the formats' real producers, for test/weights-loader/full-size.test.ts, which runs this script.

    python test/reference/full-size.py FOLDER formats alexnet|vgg16
    python test/reference/full-size.py FOLDER exported alexnet|vgg16|squeezenet1_1|resnet18|googlenet
    python test/reference/full-size.py FOLDER lrn bvlc_alexnet

formats: one set of seeded weights as PyTorch zip, legacy and tar, safetensors, ONNX, and Caffe V1 and V2.
exported: the network through both of PyTorch's ONNX exporters, with zennit's EpsilonPlus relevance.
lrn: an ONNX file with LRN and groups, written by onnx.helper.
FOLDER gets these files, input.bin (float32), the reference values (*.f64, from float64, and *.f32, from float32) and manifest.json.
Needs torch 2.13, torchvision, zennit 0.5.1, safetensors, onnx, onnxscript, protobuf; VGG-16 takes 4 GB of memory and of disk.
"""

import copy
import hashlib
import json
import pathlib
import sys
from importlib.metadata import version

import numpy as np
import torch

from torchvision_stub import torchvision

import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from zennit.attribution import Gradient
from zennit.composites import EpsilonPlus
from zennit.rules import Pass
from zennit.torchvision import ResNetCanonizer

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "fixtures"))
from initialised import initialise  # noqa: E402
from producers import caffe_classes, caffe_enums, save_tar  # noqa: E402

torch.set_num_threads(1)
torch.set_grad_enabled(False)
folder, part, model = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
folder.mkdir(parents=True, exist_ok=True)
manifest = {"versions": {name: version(name) for name in ("torch", "torchvision", "zennit", "onnx", "safetensors", "protobuf")}}


class BvlcAlexNet(torch.nn.Sequential):
    def __init__(self):
        nn = torch.nn
        super().__init__(
            nn.Conv2d(3, 96, 11, 4), nn.ReLU(), nn.LocalResponseNorm(5, 1e-4, 0.75, 1), nn.MaxPool2d(3, 2),
            nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), nn.LocalResponseNorm(5, 1e-4, 0.75, 1), nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(), nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten(),
            nn.Linear(9216, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000),
        )  # fmt: skip


def seeded():
    """The network with weights of a variance that keeps activations from fading (He et al. 2015), and an input."""
    torch.manual_seed(4)
    size = 227 if model == "bvlc_alexnet" else 224
    if model == "bvlc_alexnet":
        net = BvlcAlexNet()
    else:
        extra = {"aux_logits": False, "init_weights": False} if model == "googlenet" else {}
        net = getattr(torchvision.models, model)(weights=None, **extra)
    initialise(net, momentum=1.0)  # one batch sets the statistics that eval mode uses
    if any(isinstance(module, torch.nn.BatchNorm2d) for module in net.modules()):
        net.train()(torch.randn(4, 3, size, size))
    return net.eval(), torch.randn(1, 3, size, size)


def write(name, values, dtype):
    (folder / name).write_bytes(values.detach().numpy().astype(dtype).tobytes())


def references(net, x):
    write("input.bin", x, "<f4")
    manifest["inputShape"] = list(x.shape[1:])
    write("logits.f32", net(x), "<f4")
    logits = copy.deepcopy(net).double()(x.double())
    write("logits.f64", logits, "<f8")
    manifest["target"] = int(logits.argmax())


def finish(files):
    manifest["files"] = files
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


# --- one set of weights in all formats --------------------------------------------------------------------------------


def caffe(net, name, old):
    """The layers of a torchvision AlexNet or VGG-16 as a Caffe network; tensors keep PyTorch's names."""
    message = caffe_classes()("NetParameter")(name=name)
    message.input.append("data")
    message.input_dim.extend([1, 3, 224, 224])
    top = "data"
    for module_name, module in net.named_modules():
        kind = {"Conv2d": "Convolution", "Linear": "InnerProduct", "ReLU": "ReLU", "MaxPool2d": "Pooling", "Dropout": "Dropout"}.get(type(module).__name__)
        if kind is None:
            continue
        layer = message.layers.add() if old else message.layer.add()
        layer.name = module_name
        layer.type = caffe_enums["LayerType"][{"InnerProduct": "INNER_PRODUCT"}.get(kind, kind.upper())] if old else kind
        layer.bottom.append(top)
        top = top if kind in ("ReLU", "Dropout") else module_name
        layer.top.append(top)
        if kind == "Convolution":
            p = layer.convolution_param
            p.num_output = module.out_channels
            p.kernel_size.append(module.kernel_size[0])
            p.stride.append(module.stride[0])
            p.pad.append(module.padding[0])
        elif kind == "InnerProduct":
            layer.inner_product_param.num_output = module.out_features
        elif kind == "Pooling":
            layer.pooling_param.kernel_size = module.kernel_size
            layer.pooling_param.stride = module.stride
        if kind in ("Convolution", "InnerProduct"):
            for tensor in (module.weight, module.bias):
                blob = layer.blobs.add()
                if old:
                    blob.num, blob.channels, blob.height, blob.width = [1] * (4 - tensor.dim()) + list(tensor.shape)
                else:
                    blob.shape.dim.extend(tensor.shape)
                # Field 5, packed floats: protobuf parses the bytes without a Python number for each.
                data = tensor.detach().numpy().astype("<f4").tobytes()
                length, size = len(data), b""
                while length > 127:
                    size += bytes([length & 127 | 128])
                    length >>= 7
                blob.MergeFromString(b"\x2a" + size + bytes([length]) + data)
    return message.SerializeToString()


def make_formats():
    net, x = seeded()
    references(net, x)
    state = net.state_dict()
    manifest["tensors"] = {
        name: {"shape": list(t.shape), "sha256": hashlib.sha256(t.numpy().tobytes()).hexdigest()} for name, t in state.items()
    }
    torch.save(state, folder / "zip.pth")
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    save_tar(state, folder / "tar.pth")
    save_file(state, folder / "model.safetensors")
    torch.onnx.export(net, (x,), folder / "model.onnx", dynamo=False, input_names=["input"])
    for old in (True, False):
        (folder / f"v{1 if old else 2}.caffemodel").write_bytes(caffe(net, model, old))
    finish(["zip.pth", "legacy.pth", "tar.pth", "model.safetensors", "model.onnx", "v1.caffemodel", "v2.caffemodel"])


# --- networks through PyTorch's exporters -----------------------------------------------------------------------------


def without_batch_norm(net):
    """Batch norm merged into the convolution before it. zennit's canonizer leaves eps in what it has merged."""
    net = copy.deepcopy(net)
    for parent in list(net.modules()):
        before = None
        for name, child in list(parent.named_children()):
            if isinstance(child, torch.nn.BatchNorm2d):
                merged = torch.nn.utils.fusion.fuse_conv_bn_eval(before, child)
                before.weight, before.bias = merged.weight, merged.bias
                setattr(parent, name, torch.nn.Identity())
            before = child
    return net


def relevance(net, x):
    """EpsilonPlus by zennit; LRN passes relevance on, which zennit would give its gradient."""
    net = without_batch_norm(net)
    layer_map = [(torch.nn.LocalResponseNorm, Pass())]
    composite = EpsilonPlus(layer_map=layer_map, canonizers=[ResNetCanonizer()])
    with torch.enable_grad(), Gradient(model=net, composite=composite) as attributor:
        start = torch.zeros(1, 1000, dtype=x.dtype)
        start[0, manifest["target"]] = net(x)[0, manifest["target"]].detach()
        return attributor(x, start)[1]


def make_relevance(net, x):
    write("relevance.f32", relevance(net, x), "<f4")
    write("relevance.f64", relevance(copy.deepcopy(net).double(), x.double()), "<f8")


def make_exported():
    net, x = seeded()
    references(net, x)
    make_relevance(net, x)
    for name, dynamo in {"torchscript.onnx": False, "dynamo.onnx": True}.items():
        torch.onnx.export(net, (x,), folder / name, dynamo=dynamo, input_names=["input"])
    finish(["torchscript.onnx", "dynamo.onnx"])


def make_lrn():
    net, x = seeded()
    references(net, x)
    make_relevance(net, x)
    nodes, constants, value = [], [], "input"
    for i, module in enumerate(net):
        inputs, kind = [value], type(module).__name__
        value = f"{kind}{i}"
        for parameter, tensor in module.named_parameters():
            constants.append(numpy_helper.from_array(tensor.detach().numpy(), f"{i}.{parameter}"))
            inputs.append(f"{i}.{parameter}")
        if kind == "Conv2d":
            k, s, p = module.kernel_size, module.stride, module.padding
            attributes = {"kernel_shape": k, "strides": s, "pads": p + p, "group": module.groups}
            nodes.append(helper.make_node("Conv", inputs, [value], **attributes))
        elif kind == "MaxPool2d":
            nodes.append(helper.make_node("MaxPool", inputs, [value], kernel_shape=[module.kernel_size] * 2, strides=[module.stride] * 2))
        elif kind == "LocalResponseNorm":
            nodes.append(helper.make_node("LRN", inputs, [value], size=module.size, alpha=module.alpha, beta=module.beta, bias=module.k))
        elif kind == "Linear":
            nodes.append(helper.make_node("Gemm", inputs, [value], transB=1))
        else:
            nodes.append(helper.make_node({"ReLU": "Relu", "Flatten": "Flatten"}[kind], inputs, [value]))
    graph = helper.make_graph(
        nodes, model,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, 1000])],
        constants,
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "helper.onnx")
    finish(["helper.onnx"])


{"formats": make_formats, "exported": make_exported, "lrn": make_lrn}[part]()
