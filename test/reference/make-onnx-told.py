"""Small ONNX files whose numbers are computed otherwise than by their producer, or whose output had to be chosen, with PyTorch-like logits.

  python make-onnx-told.py OUT.json

OUT.json is a list of {name, model, input, logits, shape, notes}, input and logits by onnxruntime (of the scores, where the file ends in
something else). The committed test/golden/onnx-told.json is made so. Needs onnx 1.23 and onnxruntime 1.32.
"""

import base64
import json
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

FLOAT, HALF, DOUBLE, BYTES = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.UINT8
rng = np.random.default_rng(3)
W, B, D = rng.standard_normal((4, 3, 3, 3)) * 0.3, rng.standard_normal(4), rng.standard_normal((5, 4))
X = rng.uniform(0, 1, (1, 3, 8, 8))
cases = []


class Net:
    """conv, ReLU, mean, dense; `scores` names the logits."""

    def __init__(self, dtype=np.float32, first=None, x=X, kind=FLOAT):
        self.nodes, self.constants, self.dtype, self.kind, self.x = [], [], dtype, kind, x
        value = "x" if first is None else first(self)
        y = self.node("Relu", [self.node("Conv", [value, self.const(W, dtype), self.const(B, dtype)], pads=[1, 1, 1, 1])])
        self.features = self.node("ReduceMean", [y, self.const([2, 3], np.int64)], keepdims=0)
        self.scores = self.node("Gemm", [self.features, self.const(D, dtype)], transB=1)

    def const(self, values, dtype=np.float32):
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def node(self, op, inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}"] + [f"v{len(self.nodes)}_{k}" for k in range(1, outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, f"n{len(self.nodes)}", **attributes))
        return names[0]

    def file(self, outputs):
        made = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs]
        graph = helper.make_graph(self.nodes, "g", [helper.make_tensor_value_info("x", self.kind, list(self.x.shape))], made, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9).SerializeToString()

    def add(self, name, outputs, notes, shape=(3, 8, 8)):
        kind = {np.float32: FLOAT, np.float16: HALF, np.float64: DOUBLE}[self.dtype]
        model = self.file([(self.scores, kind, [1, 5])])
        # onnxruntime has no convolution in double precision.
        session = ReferenceEvaluator(onnx.load_from_string(model)) if kind == DOUBLE else ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        x = self.x.astype({FLOAT: np.float32, HALF: np.float16, DOUBLE: np.float64, BYTES: np.uint8}[self.kind])
        logits = session.run(None, {"x": x})[0]
        text = lambda a: base64.b64encode(np.ascontiguousarray(a, np.float32).tobytes()).decode()
        cases.append({"name": name, "model": base64.b64encode(self.file(outputs)).decode(), "shape": list(self.x.shape[1:]), "input": text(x),
                      "inputShape": list(shape), "logits": text(logits), "tolerance": 5e-3 if self.dtype is np.float16 else 1e-5, "notes": notes})


def precision(kind):
    return f"onnxruntime computes this network, or parts of it, in {kind}; here it is computed in float32, so that the last digits differ."


def decision(op):
    return lambda name: f'its last node "{name}" ({op}) makes decisions of scores: the scores before it are explained.'


net = Net()
net.add("ArgMax at the end", [(net.node("ArgMax", [net.scores], axis=1, keepdims=0), TensorProto.INT64, [1])], [decision("ArgMax")("n4")])
net = Net()
top = net.node("TopK", [net.node("Softmax", [net.scores], axis=1), net.const([2], np.int64)], outputs=2)
net.add("TopK of probabilities", [(top, FLOAT, [1, 2]), (f"{top}_1", TensorProto.INT64, [1, 2])][:1], [decision("TopK")("n5")])
net = Net()
labels = net.node("Cast", [net.node("Greater", [net.node("Sigmoid", [net.scores]), net.const(0.5)])], to=FLOAT)
net.add("labels above one half", [(labels, FLOAT, [1, 5])], [decision("Greater")("n5")])
net = Net()
net.add("the logarithm of a softmax in two nodes", [(net.node("Log", [net.node("Softmax", [net.scores], axis=1)]), FLOAT, [1, 5])],
        ['its last node "n5" (Log) makes other numbers of scores: the scores before it are explained.'])
net = Net()
net.add("LogSoftmax", [(net.node("LogSoftmax", [net.scores], axis=1), FLOAT, [1, 5])], [])
net = Net()
net.add("feature maps beside the scores", [(net.scores, FLOAT, [1, 5]), ("v1", FLOAT, [1, 4, 8, 8])],
        ['output "v3" is explained, the only one that is a vector; "v1" is left out.'])
net = Net(np.float16, kind=HALF)
net.add("half precision", [(net.scores, HALF, [1, 5])], [precision("float16")])
net = Net(np.float64, kind=DOUBLE)
net.add("double precision", [(net.scores, DOUBLE, [1, 5])], [precision("float64")])
net = Net(first=lambda n: n.node("DequantizeLinear", [n.node("QuantizeLinear", ["x", n.const(1 / 255), n.const(0, np.uint8)]), n.const(1 / 255), n.const(0, np.uint8)]),
          x=rng.integers(0, 256, X.shape) / 255)
net.add("quantised", [(net.scores, FLOAT, [1, 5])],
        ["it is quantised: here it is computed in float32 with the numbers that its integers stand for, so that logits differ by a few hundredths of the largest from those of integers."])
net = Net(first=lambda n: n.node("Transpose", [n.node("Div", [n.node("Cast", ["x"], to=FLOAT), n.const(255.0)])], perm=[0, 3, 1, 2]),
          x=rng.integers(0, 256, (1, 8, 8, 3)), kind=BYTES)
net.add("bytes, channels last", [(net.scores, FLOAT, [1, 5])], [])

with open(sys.argv[1], "w") as file:
    file.write("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "]\n")
