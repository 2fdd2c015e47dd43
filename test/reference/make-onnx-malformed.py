"""ONNX files whose lists do not have one number for each axis: onnxruntime refuses them, and so must srmap.

  python make-onnx-malformed.py OUT.json

OUT.json is a list of {name, model}. The committed test/golden/onnx-malformed.json is made so. Needs onnx 1.23 and onnxruntime 1.32.
"""

import base64
import json
import sys

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

rng = np.random.RandomState(0)
KERNEL, TURNED = rng.randn(2, 3, 3, 3).astype("f"), rng.randn(3, 2, 3, 3).astype("f")


def whole(*values):
    return np.array(values, dtype="int64")


def model(op, constants, **attributes):
    nodes = [helper.make_node(op, ["x", *constants], ["t"], name="odd", **attributes), helper.make_node("Flatten", ["t"], ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 6, 6])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [x], [y], [numpy_helper.from_array(v, k) for k, v in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


cases = {
    "a slice with two starts for one axis": model("Slice", {"s": whole(1, 1), "e": whole(4, 4), "a": whole(2)}),
    "a convolution with two pads for two axes": model("Conv", {"w": KERNEL}, pads=[1, 1]),
    "a convolution with one stride for two axes": model("Conv", {"w": KERNEL}, strides=[2]),
    "a pool with two pads for two axes": model("MaxPool", {}, kernel_shape=[3, 3], pads=[1, 1]),
    "a transposed convolution with one output pad": model("ConvTranspose", {"w": TURNED}, strides=[2, 2], output_padding=[1]),
}
for name, bytes_ in cases.items():
    try:
        ort.InferenceSession(bytes_)
    except Exception:
        continue
    raise SystemExit(f"onnxruntime takes {name}")
with open(sys.argv[1], "w") as out:
    json.dump([{"name": name, "model": base64.b64encode(bytes_).decode()} for name, bytes_ in cases.items()], out)
    out.write("\n")
