"""Small ONNX files of old operator sets, whose operators are spelt or defined otherwise than today, with what onnxruntime computes for them.

  python make-onnx-old.py OUT.json

OUT.json is a list of {name, model, shape, input, output}, the last two base64 of float32; output is null where the file must be refused.
The committed test/golden/onnx-old.json is made so. Needs onnx 1.23 and onnxruntime 1.32.
"""

import base64
import json
import sys

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ort.set_default_logger_severity(4)
rng = np.random.default_rng(11)
SHAPE = [1, 3, 7, 9]
cases = []


def text(array):
    return base64.b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def const(self, values, dtype=np.float32):
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def normal(self, *shape):
        return self.const(rng.standard_normal(shape) * 0.4)

    def node(self, op, *inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, f"n{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def conv(self):
        return self.node("Conv", "x", self.normal(4, 3, 3, 3), self.normal(4), pads=[1, 1, 1, 1])


def case(name, opset, build, refused=False):
    graph = Graph()
    y = graph.node("Flatten", build(graph, graph.conv()))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)]
    # Up to version 3 of the format what is constant is an input, too.
    inputs += [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in graph.constants]
    made = helper.make_graph(graph.nodes, "g", inputs, [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=3).SerializeToString()
    x = rng.standard_normal(SHAPE).astype(np.float32)
    output = None if refused else text(ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0])
    cases.append({"name": name, "model": base64.b64encode(model).decode(), "shape": SHAPE, "input": text(x), "output": output})


# Opset 10's Resize has no attribute for how places are counted: asymmetric, and down by the ceiling.
for mode in ("nearest", "linear"):
    for scales in ([2, 2], [1.5, 3], [0.6, 0.8], [2.5, 0.4]):
        case(f"Resize of opset 10, {mode}, {scales}", 10, lambda g, y: g.node("Resize", y, g.const([1, 1, *scales]), mode=mode))
    case(f"Upsample of opset 7, {mode}", 7, lambda g, y: g.node("Upsample", y, mode=mode, scales=[1.0, 1.0, 2.5, 1.25]))
    case(f"Upsample of opset 9, {mode}", 9, lambda g, y: g.node("Upsample", y, g.const([1, 1, 1.5, 2]), mode=mode))
case("Pad of opset 2", 8, lambda g, y: g.node("Pad", y, pads=[0, 0, 1, 2, 0, 0, 0, 1], value=0.5))
case("Clip of opset 6", 10, lambda g, y: g.node("Clip", y, min=-0.2, max=0.4))
case("Slice of opset 1", 9, lambda g, y: g.node("Slice", y, axes=[2, 3], starts=[1, -5], ends=[100, -1]))
case("Split of opset 2", 9, lambda g, y: g.node("Mul", *g.node("Split", y, axis=1, split=[2, 2], outputs=2)))
case("ReduceMean of opset 1", 7, lambda g, y: g.node("ReduceMean", y, axes=[2, 3]))
case("PRelu of opset 7", 7, lambda g, y: g.node("PRelu", y, g.normal(4, 1, 1)))
case("an average pool with ceil_mode of opset 10", 10, lambda g, y: g.node("AveragePool", y, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1))
statistics = lambda g: [g.normal(4), g.normal(4), g.normal(4), g.const(rng.uniform(0.5, 1.5, 4))]
case("BatchNormalization of opset 7", 7, lambda g, y: g.node("BatchNormalization", y, *statistics(g)))
# Further outputs are the new statistics: training mode.
case("BatchNormalization in training mode", 9, lambda g, y: g.node("BatchNormalization", y, *statistics(g), outputs=5)[0], refused=True)

with open(sys.argv[1], "w") as file:
    json.dump(cases, file, indent=0)
    file.write("\n")
