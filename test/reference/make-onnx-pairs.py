"""The same network written in two ways, seeded: both must have the same logits and the same relevance.

  python make-onnx-pairs.py OUT.json

The committed test/golden/onnx-pairs.json is made so. Needs onnx 1.23.
"""

import base64
import json
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

pairs = []


def build(steps):
    """A convolution, the steps, ReLU, global mean, dense layer; weights are the same whatever the steps."""
    rng = np.random.default_rng(7)
    constants, nodes = [], []

    def const(values, dtype=np.float32):
        constants.append(numpy_helper.from_array(np.asarray(values, dtype), f"c{len(constants)}"))
        return constants[-1].name

    def node(op, inputs, **attributes):
        nodes.append(helper.make_node(op, inputs, [f"v{len(nodes)}"], f"n{len(nodes)}", **attributes))
        return nodes[-1].output[0]

    w, b = rng.standard_normal((4, 3, 3, 3)), rng.standard_normal(4)
    v, d = rng.standard_normal((4, 4, 3, 3)), rng.standard_normal((3, 4))
    vectors = {"s": rng.uniform(-2, 2, 4), "t": rng.standard_normal(4), "m": rng.standard_normal(4), "u": rng.uniform(0.5, 2, 4)}
    y = steps(node, const, "x", w, b, v, vectors)
    y = node("GlobalAveragePool", [node("Relu", [y])])
    y = node("Gemm", [node("Flatten", [y]), const(d)], transB=1)
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
                              [helper.make_tensor_value_info(y, TensorProto.FLOAT, [1, 3])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return base64.b64encode(model.SerializeToString()).decode()


def pair(name, one, other):
    pairs.append({"name": name, "one": build(one), "other": build(other)})


def conv(n, c, x, w, b=None, **more):
    return n("Conv", [x, c(w)] + ([] if b is None else [c(b)]), **{"pads": [1, 1, 1, 1], **more})


def column(v):
    return v.reshape(-1, 1, 1)


def batch_norm(n, c, x, k):
    return n("BatchNormalization", [x, c(k["s"]), c(k["t"]), c(k["m"]), c(k["u"])], epsilon=1e-3)


def affine(n, c, x, k):
    s = k["s"] / np.sqrt(k["u"] + 1e-3)
    return n("Add", [n("Mul", [x, c(column(s))]), c(column(k["t"] - k["m"] * s))])


def twice(n, c, y):
    return n("Div", [n("Mul", [y, n("Clip", [n("Add", [y, c(3.0)]), c(0.0), c(6.0)])]), c(6.0)])


def written_gelu(n, c, y):
    return n("Mul", [n("Mul", [y, c(0.5)]), n("Add", [n("Erf", [n("Div", [y, c(np.sqrt(2))])]), c(1.0)])])


def gate(n, c, y, mean):
    return n("Mul", [y, n("Sigmoid", [mean(y)])])


pair("batch norm; Mul and Add", lambda n, c, x, w, b, v, k: batch_norm(n, c, conv(n, c, x, w, b), k),
     lambda n, c, x, w, b, v, k: affine(n, c, conv(n, c, x, w, b), k))
pair("batch norm behind ReLU; Mul and Add behind ReLU",
     lambda n, c, x, w, b, v, k: batch_norm(n, c, n("Relu", [conv(n, c, x, w, b)]), k),
     lambda n, c, x, w, b, v, k: affine(n, c, n("Relu", [conv(n, c, x, w, b)]), k))
pair("a bias; Add behind", lambda n, c, x, w, b, v, k: conv(n, c, x, w, b),
     lambda n, c, x, w, b, v, k: n("Add", [conv(n, c, x, w), c(column(b))]))
pair("a bias; Add behind an alias", lambda n, c, x, w, b, v, k: conv(n, c, x, w, b),
     lambda n, c, x, w, b, v, k: n("Add", [n("Identity", [n("Reshape", [conv(n, c, x, w), c([1, 4, 8, 8], np.int64)])]), c(column(b))]))
pair("pads; Pad before", lambda n, c, x, w, b, v, k: conv(n, c, x, w, b),
     lambda n, c, x, w, b, v, k: conv(n, c, n("Pad", [x, c([0, 0, 1, 1, 0, 0, 1, 1], np.int64)]), w, b, pads=[0, 0, 0, 0]))
pair("a crop; pads that a crop takes away", lambda n, c, x, w, b, v, k: conv(n, c, conv(n, c, x, w, b), v),
     lambda n, c, x, w, b, v, k: conv(n, c, n("Slice", [n("Pad", [conv(n, c, x, w, b), c([0, 0, 2, 2, 0, 0, 2, 2], np.int64)]), c([2, 2], np.int64), c([-2, -2], np.int64), c([2, 3], np.int64)]), v))
pair("nothing; transposed there and back", lambda n, c, x, w, b, v, k: n("Relu", [conv(n, c, x, w, b)]),
     lambda n, c, x, w, b, v, k: n("Transpose", [n("Relu", [n("Transpose", [conv(n, c, x, w, b)], perm=[0, 2, 3, 1])])], perm=[0, 3, 1, 2]))
pair("channels first; scale and bias with channels last", lambda n, c, x, w, b, v, k: affine(n, c, conv(n, c, x, w, b), k),
     lambda n, c, x, w, b, v, k: n("Transpose", [n("Add", [n("Mul", [n("Transpose", [conv(n, c, x, w, b)], perm=[0, 2, 3, 1]),
                                                              c(k["s"] / np.sqrt(k["u"] + 1e-3))]),
                                                  c(k["t"] - k["m"] * k["s"] / np.sqrt(k["u"] + 1e-3))])], perm=[0, 3, 1, 2]))
pair("HardSwish; written out", lambda n, c, x, w, b, v, k: n("HardSwish", [conv(n, c, x, w, b)]),
     lambda n, c, x, w, b, v, k: twice(n, c, conv(n, c, x, w, b)))
pair("GELU; written out", lambda n, c, x, w, b, v, k: n("Gelu", [conv(n, c, x, w, b)]),
     lambda n, c, x, w, b, v, k: written_gelu(n, c, conv(n, c, x, w, b)))
pair("a convolution of one pixel; MatMul with channels last",
     lambda n, c, x, w, b, v, k: conv(n, c, conv(n, c, x, w, b), v[:, :, :1, :1], pads=[0, 0, 0, 0]),
     lambda n, c, x, w, b, v, k: n("Transpose", [n("MatMul", [n("Transpose", [conv(n, c, x, w, b)], perm=[0, 2, 3, 1]), c(v[:, :, 0, 0].T)])], perm=[0, 3, 1, 2]))
pair("weights; weights worked out in the graph", lambda n, c, x, w, b, v, k: conv(n, c, x, w, b),
     lambda n, c, x, w, b, v, k: n("Conv", [x, n("Transpose", [n("Reshape", [c(w.transpose(3, 2, 1, 0)), c([3, 3, 3, 4], np.int64)])], perm=[3, 2, 1, 0]), c(b)], pads=[1, 1, 1, 1]))
pair("a gate with keepdims; a gate reshaped",
     lambda n, c, x, w, b, v, k: gate(n, c, conv(n, c, x, w, b), lambda y: n("GlobalAveragePool", [y])),
     lambda n, c, x, w, b, v, k: gate(n, c, conv(n, c, x, w, b), lambda y: n("Reshape", [n("ReduceMean", [y, c([2, 3], np.int64)], keepdims=0), c([1, 4, 1, 1], np.int64)])))

pair("ReLU; times where it is above 0", lambda n, c, x, w, b, v, k: n("Relu", [conv(n, c, x, w, b)]),
     lambda n, c, x, w, b, v, k: (lambda y: n("Mul", [y, n("Cast", [n("Greater", [y, c(0.0)])], to=1)]))(conv(n, c, x, w, b)))
pair("ReLU; 0 where it is not above 0", lambda n, c, x, w, b, v, k: n("Relu", [conv(n, c, x, w, b)]),
     lambda n, c, x, w, b, v, k: (lambda y: n("Where", [n("LessOrEqual", [y, c(0.0)]), c(0.0), y]))(conv(n, c, x, w, b)))
pair("Gather of channels; as PyTorch indexes", lambda n, c, x, w, b, v, k: conv(n, c, n("Gather", [x, c([2, 1, 0], np.int64)], axis=1), w, b),
     lambda n, c, x, w, b, v, k: conv(n, c, n("Transpose", [n("GatherND", [n("Transpose", [x], perm=[1, 0, 2, 3]), c([[2], [1], [0]], np.int64)])], perm=[1, 0, 2, 3]), w, b))
pair("a convolution of one pixel; Einsum",
     lambda n, c, x, w, b, v, k: conv(n, c, conv(n, c, x, w, b), v[:, :, :1, :1], pads=[0, 0, 0, 0]),
     lambda n, c, x, w, b, v, k: n("Einsum", [conv(n, c, x, w, b), c(v[:, :, 0, 0])], equation="nchw,mc->nmhw"))


def halves(n, c, x, w, b, v):
    return n("Relu", [conv(n, c, x, w, b)]), n("Relu", [conv(n, c, x, w[::-1], b)])


def stacked(n, c, values, reduce):
    rows = [n("Unsqueeze", [y, c([0], np.int64)]) for y in values]
    return n(reduce, [n("Concat", rows, axis=0), c([0], np.int64)], keepdims=0)


def grouped(n, c, y, gate):
    """Two groups of channels as a batch of two."""
    parts = n("Reshape", [y, c([2, 2, 8, 8], np.int64)])
    return n("Reshape", [gate(parts), c([1, 4, 8, 8], np.int64)])


def places(n, c, y, slopes):
    flat = n("Reshape", [y, c([1, 256, 1, 1], np.int64)])
    return n("Reshape", [n("PRelu", [flat, c(slopes.reshape(256, 1, 1))]), c([1, 4, 8, 8], np.int64)])


LIMITS, SLOPES = np.array([0.3, -0.2, 0.1, 0.5]), np.random.default_rng(8).uniform(0.1, 0.9, (4, 8, 8))
pair("a sum; stacked before the batch and added up", lambda n, c, x, w, b, v, k: n("Add", halves(n, c, x, w, b, v)),
     lambda n, c, x, w, b, v, k: stacked(n, c, halves(n, c, x, w, b, v), "ReduceSum"))
pair("the larger; stacked before the batch and its largest", lambda n, c, x, w, b, v, k: n("Max", halves(n, c, x, w, b, v)),
     lambda n, c, x, w, b, v, k: stacked(n, c, halves(n, c, x, w, b, v), "ReduceMax"))
pair("gates; those of groups that are a batch", lambda n, c, x, w, b, v, k: gate(n, c, conv(n, c, x, w, b), lambda y: n("GlobalAveragePool", [y])),
     lambda n, c, x, w, b, v, k: grouped(n, c, conv(n, c, x, w, b), lambda y: gate(n, c, y, lambda z: n("GlobalAveragePool", [z]))))
pair("instance norm; that of groups that are a batch",
     lambda n, c, x, w, b, v, k: n("InstanceNormalization", [conv(n, c, x, w, b), c(np.tile(k["s"][:2], 2)), c(np.tile(k["t"][:2], 2))]),
     lambda n, c, x, w, b, v, k: grouped(n, c, conv(n, c, x, w, b), lambda y: n("InstanceNormalization", [y, c(k["s"][:2]), c(k["t"][:2])])))
pair("ReLU between two offsets; Max with limits", lambda n, c, x, w, b, v, k: n("Add", [n("Relu", [n("Sub", [conv(n, c, x, w, b), c(column(LIMITS))])]), c(column(LIMITS))]),
     lambda n, c, x, w, b, v, k: n("Max", [conv(n, c, x, w, b), c(column(LIMITS))]))
pair("weights; weights mixed by a softmax", lambda n, c, x, w, b, v, k: conv(n, c, x, w / (1 + np.exp(0.5)) + w[::-1] / (1 + np.exp(-0.5)), b),
     lambda n, c, x, w, b, v, k: n("Conv", [x, n("ReduceSum", [n("Mul", [c(np.stack([w, w[::-1]])), n("Softmax", [c(np.array([0.0, 0.5]).reshape(2, 1, 1, 1, 1))], axis=0)]), c([0], np.int64)], keepdims=0), c(b)], pads=[1, 1, 1, 1]))
pair("PReLU of a vector; of each place", lambda n, c, x, w, b, v, k: places(n, c, conv(n, c, x, w, b), SLOPES),
     lambda n, c, x, w, b, v, k: n("PRelu", [conv(n, c, x, w, b), c(SLOPES)]))


with open(sys.argv[1], "w") as file:
    file.write("[" + ",\n".join(json.dumps(p, separators=(",", ":")) for p in pairs) + "]\n")
