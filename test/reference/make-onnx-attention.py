"""Small ONNX files with attention between a convolution and a mean, as exporters write it: softmax(q k) v, its transpose, in heads.

  python make-onnx-attention.py OUT.json

OUT.json is a list of {name, model}; onnxruntime runs each. The committed test/golden/onnx-attention.json is made so. Needs onnx 1.23 and
onnxruntime 1.32.
"""

import base64
import json
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(5)
X = rng.uniform(0, 1, (1, 3, 4, 4)).astype(np.float32)
# What stands between the features f [1,4,16], their transpose t [1,16,4] and the product p.
WAYS = {
    "plain": [("MatMul", ["t", "f"], "s", {}), ("Softmax", ["s"], "a", {"axis": -1}), ("MatMul", ["a", "t"], "p", {})],
    "transposed": [
        ("MatMul", ["t", "f"], "s", {}),
        ("Softmax", ["s"], "a", {"axis": -1}),
        ("Transpose", ["a"], "b", {"perm": [0, 2, 1]}),
        ("MatMul", ["f", "b"], "p", {}),
    ],
    "in heads": [
        ("MatMul", ["t", "f"], "s", {}),
        ("Softmax", ["s"], "a", {"axis": -1}),
        ("Reshape", ["a", "heads"], "h", {}),
        ("Reshape", ["t", "rows"], "r", {}),
        ("MatMul", ["h", "r"], "p", {}),
    ],
}
constants = {
    "w": rng.standard_normal((4, 3, 1, 1)).astype(np.float32),
    "flat": np.array([1, 4, 16]),
    "heads": np.array([1, 1, 16, 16]),
    "rows": np.array([1, 1, 16, 4]),
}

cases = []
for name, way in WAYS.items():
    nodes = [("Conv", ["x", "w"], "c", {}), ("Reshape", ["c", "flat"], "f", {}), ("Transpose", ["f"], "t", {"perm": [0, 2, 1]}), *way]
    nodes.append(("GlobalAveragePool" if name == "in heads" else "ReduceMean", ["p"], "y", {} if name == "in heads" else {"axes": [1], "keepdims": 0}))
    graph = helper.make_graph(
        [helper.make_node(op, inputs, [output], f"{op} {output}", **attributes) for op, inputs, output, attributes in nodes],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(values, key) for key, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": X})
    cases.append({"name": name, "model": base64.b64encode(model).decode()})

with open(sys.argv[1], "w") as file:
    json.dump(cases, file, indent=1)
    file.write("\n")
