"""The package's default network as ONNX, for other engines: its float16 weights as they are, cast to float32 by the graph.
Usage: python squeezenet_onnx.py DEFINITION.json WEIGHTS.safetensors OUT.onnx   (packages onnx, numpy)"""
import json
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

definition, weights, out = json.load(open(sys.argv[1])), open(sys.argv[2], "rb").read(), sys.argv[3]
length = struct.unpack("<Q", weights[:8])[0]
header, data = json.loads(weights[8 : 8 + length]), weights[8 + length :]
tensors = {}
for name, entry in header.items():
    if name != "__metadata__":
        begin, end = entry["data_offsets"]
        kind = {"F16": np.float16, "F32": np.float32}[entry["dtype"]]
        tensors[name] = np.frombuffer(data[begin:end], kind).reshape(entry["shape"])

nodes, initializers = [], []
for name, values in tensors.items():
    half = values.dtype == np.float16
    initializers.append(numpy_helper.from_array(values, f"{name}.half" if half else name))
    if half:
        nodes.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
for n in definition["nodes"]:
    op, inputs = n["op"], ["pixel_values" if each == "input" else each for each in n["inputs"]]
    made = {
        "conv2d": lambda: ("Conv", [n["weight"], n["bias"]], dict(kernel_shape=n["kernelShape"], strides=n.get("strides", [1, 1]), pads=n.get("pads", [0, 0, 0, 0]))),
        "relu": lambda: ("Relu", [], {}),
        "maxPool2d": lambda: ("MaxPool", [], dict(kernel_shape=n["kernelShape"], strides=n["strides"], ceil_mode=int(n.get("ceilMode", False)))),
        "concat": lambda: ("Concat", [], dict(axis=1)),
        "globalAveragePool2d": lambda: ("Flatten", [], {}),
        "flatten": lambda: ("Flatten", [], {}),
        "dropout": lambda: ("Identity", [], {}),
    }
    if op == "softmax":
        continue
    kind, extra, attributes = made[op]()
    if op == "globalAveragePool2d":  # one number a channel here, a picture of one pixel there
        nodes.append(helper.make_node("GlobalAveragePool", inputs, [f"{n['name']}.pooled"]))
        kind, inputs = "Flatten", [f"{n['name']}.pooled"]
    nodes.append(helper.make_node(kind, inputs + extra, [n["name"]], **attributes))
graph = helper.make_graph(
    nodes,
    definition["name"],
    [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 3, 224, 224])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1000])],
    initializers,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, out)
