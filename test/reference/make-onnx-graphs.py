"""Seeded random ONNX graphs over every supported operator, with what onnxruntime computes for them.

  python make-onnx-graphs.py FIRST COUNT OUT.json

OUT.json is a list of {seed, ops, model, shape, input, output}, the last two base64 of float32;
`node build/test/reference/compare-onnx-graphs.js OUT.json` runs them here.
The committed test/golden/onnx-graphs.json is `0 150`. Needs onnx 1.23 and onnxruntime 1.32.
"""

import base64
import json
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
ort.set_default_logger_severity(4)


class Graph:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants, self.ops = [], [], []
        channels = int(self.rng.integers(1, 5))
        self.input = [1, channels, int(self.rng.integers(5, 9)), int(self.rng.integers(5, 9))]
        self.values = [("x", self.input)]  # name, shape

    def pick(self, items):
        return items[int(self.rng.integers(len(items)))]

    def chance(self, p):
        return self.rng.random() < p

    def const(self, array, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def ints(self, values):
        return self.const(values, np.int64)

    def normal(self, *shape):
        return self.const(self.rng.standard_normal(shape) * 0.7)

    def node(self, op, inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, f"n{len(self.nodes)}", **attributes))
        self.ops.append(op)
        return names if outputs > 1 else names[0]

    def put(self, name, shape):
        if 0 < int(np.prod(shape)) <= 6000 and all(n > 0 for n in shape):
            self.values.append((name, list(int(n) for n in shape)))
        return name, shape

    def image(self):
        images = [value for value in self.values if len(value[1]) == 4]
        return self.pick(images[-4:])

    def any(self):
        return self.pick(self.values[-5:])

    # One step each.
    def conv(self):
        x, (_, c, h, w) = self.image()
        group = self.pick([g for g in (1, 1, 1, 2, c) if c % g == 0])
        m = group * int(self.rng.integers(1, 4))
        kh, kw = (int(min(n, self.pick([1, 2, 3]))) for n in (h, w))
        s = [int(self.rng.integers(1, 3)) for _ in "hw"]
        extra = {}
        if self.chance(0.15):
            extra["auto_pad"] = self.pick(["SAME_UPPER", "SAME_LOWER", "VALID"])
        else:
            extra["pads"] = [int(self.rng.integers(0, 2)) for _ in range(4)]
            if self.chance(0.25):
                extra["dilations"] = [int(self.rng.integers(1, 3)) for _ in "hw"]
        inputs = [x, self.normal(m, c // group, kh, kw)] + ([self.normal(m)] if self.chance(0.6) else [])
        y = self.node("Conv", inputs, kernel_shape=[kh, kw], strides=s, group=group, **extra)
        self.infer(y)

    def conv_transpose(self):
        x, (_, c, h, w) = self.image()
        group = self.pick([g for g in (1, 1, 2) if c % g == 0])
        m = int(self.rng.integers(1, 3))
        kh, kw = (int(self.pick([1, 2, 3])) for _ in "hw")
        s = [int(self.rng.integers(1, 3)) for _ in "hw"]
        pads = [int(self.rng.integers(0, 2)) if k > 1 else 0 for k in (kh, kw, kh, kw)]
        out = [int(self.rng.integers(0, n)) for n in s]
        inputs = [x, self.normal(c, m, kh, kw)] + ([self.normal(m * group)] if self.chance(0.5) else [])
        self.infer(self.node("ConvTranspose", inputs, strides=s, pads=pads, group=group, output_padding=out))

    def pool(self):
        x, (_, c, h, w) = self.image()
        op = self.pick(["MaxPool", "AveragePool", "AveragePool", "LpPool"])
        k = [int(min(n, self.pick([1, 2, 3]))) for n in (h, w)]
        s = [int(self.rng.integers(1, 3)) for _ in "hw"]
        pads = [int(self.rng.integers(0, 2)) if k[i % 2] > 1 else 0 for i in range(4)]
        extra = {"pads": pads}
        if op == "AveragePool":
            extra["count_include_pad"] = int(self.rng.integers(0, 2))
        if op != "LpPool":
            extra["ceil_mode"] = int(self.chance(0.4))
        if op == "MaxPool" and self.chance(0.25):
            extra["dilations"] = [int(self.rng.integers(1, 3)) for _ in "hw"]
        elif self.chance(0.15):
            del extra["pads"]
            extra.pop("ceil_mode", None)
            extra["auto_pad"] = self.pick(["SAME_UPPER", "SAME_LOWER", "VALID"])
        self.infer(self.node(op, [x], kernel_shape=k, strides=s, **extra))

    def global_pool(self):
        x, (_, c, h, w) = self.image()
        self.infer(self.node(self.pick(["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]), [x]))

    def function(self):
        x, shape = self.any()
        op = self.pick(["Relu", "Relu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Gelu", "Elu", "Celu", "Selu", "Mish",
                        "Softplus", "Softsign", "LeakyRelu", "ThresholdedRelu", "Abs", "Neg", "Erf", "Clip", "PRelu", "Exp", "Sqrt", "Pow",
                        "Log", "Reciprocal", "Sign"])
        inputs, extra = [x], {}
        if op == "Gelu" and self.chance(0.5):
            extra["approximate"] = "tanh"
        if op in ("Elu", "Celu", "LeakyRelu", "ThresholdedRelu", "HardSigmoid"):
            extra["alpha"] = float(self.rng.uniform(0.1, 1.5))
        if op == "Clip":
            inputs += [self.const(-float(self.rng.uniform(0, 1))), self.const(float(self.rng.uniform(0.2, 2)))]
        if op == "PRelu":
            inputs += [self.normal(*([shape[1]] + [1] * (len(shape) - 2)))]
        if op == "Sqrt":
            inputs = [self.node("Abs", [x])]
        if op in ("Log", "Reciprocal"):
            inputs = [self.node("Add", [self.node("Abs", [x]), self.const(0.4)])]
        if op == "Exp":
            inputs = [self.node("Tanh", [x])]
        if op == "Pow":
            inputs += [self.const(float(self.pick([2, 3])))]
        self.put(self.node(op, inputs, **extra), shape)

    def written_out(self):
        x, shape = self.any()
        kind = self.pick(["silu", "mish", "gelu", "geluTanh", "hardswish", "square", "gate"])
        if kind == "silu":
            y = self.node("Mul", [x, self.node("Sigmoid", [x])])
        elif kind == "mish":
            y = self.node("Mul", [x, self.node("Tanh", [self.node("Softplus", [x])])])
        elif kind == "gelu":
            e = self.node("Erf", [self.node("Div", [x, self.const(np.sqrt(2))])])
            y = self.node("Mul", [self.node("Mul", [x, self.node("Add", [e, self.const(1)])]), self.const(0.5)])
        elif kind == "geluTanh":
            cube = self.node("Mul", [self.node("Pow", [x, self.const(3)]), self.const(0.044715)])
            t = self.node("Tanh", [self.node("Mul", [self.node("Add", [x, cube]), self.const(np.sqrt(2 / np.pi))])])
            y = self.node("Mul", [self.node("Mul", [x, self.const(0.5)]), self.node("Add", [t, self.const(1)])])
        elif kind == "hardswish":
            c = self.node("Clip", [self.node("Add", [x, self.const(3)]), self.const(0), self.const(6)])
            y = self.node("Div", [self.node("Mul", [x, c]), self.const(6)])
        elif kind == "square":
            y = self.node("Mul", [x, x])
        else:
            x, shape = self.image()
            g = self.node("ReduceMean", [x, self.ints([2, 3])], keepdims=1)
            y = self.node("Mul", [x, self.node("Sigmoid", [g])])
        self.put(y, shape)

    def arithmetic(self):
        x, shape = self.any()
        op = self.pick(["Add", "Sub", "Mul", "Div"])
        dims = [n if self.chance(0.5) else 1 for n in shape[1:]]
        if self.chance(0.4) and len(shape) > 1:
            dims = [shape[1]] + [1] * (len(shape) - 2)
        if self.chance(0.2):
            dims = []
        values = self.rng.uniform(0.4, 2, dims) * self.rng.choice([-1, 1], dims)
        pair = [x, self.const(values)]
        if op != "Div" and self.chance(0.3):
            pair.reverse()
        self.put(self.node(op, pair), shape)

    def both(self):
        x, shape = self.any()
        others = [v for v in self.values if len(v[1]) == len(shape)
                  and all(a == b or a == 1 or b == 1 for a, b in zip(v[1], shape))]
        y, other = self.pick(others)
        op = self.pick(["Add", "Add", "Sub", "Mul", "Max", "Min", "Sum", "Div"])
        if op == "Div":
            y = self.node("Add", [self.node("Abs", [y]), self.const(0.5)])
        self.infer(self.node(op, [x, y]))

    def norm(self):
        x, shape = self.any()
        c = shape[1]
        kind = self.pick(["BatchNormalization", "BatchNormalization", "InstanceNormalization", "LayerNormalization", "LpNorm"])
        if kind == "BatchNormalization":
            variance = self.const(self.rng.uniform(0.3, 2, c))
            y = self.node(kind, [x, self.normal(c), self.normal(c), self.normal(c), variance])
        elif kind == "InstanceNormalization":
            x, shape = self.image()
            y = self.node(kind, [x, self.normal(shape[1]), self.normal(shape[1])], epsilon=0.01)
        elif kind == "LayerNormalization":
            axis = int(self.rng.integers(1, len(shape)))
            y = self.node(kind, [x, self.normal(*shape[axis:]), self.normal(*shape[axis:])], axis=axis - (len(shape) if self.chance(0.5) else 0), epsilon=0.01)
        else:
            length = self.node("ReduceL2", [x, self.ints([1])], keepdims=1)
            y = self.node("Div", [x, self.node("Clip", [length, self.const(0.1)])])
        self.put(y, shape)

    def lrn(self):
        x, shape = self.image()
        self.put(self.node("LRN", [x], size=self.pick([1, 3, 5]), alpha=0.5, beta=0.75, bias=1.5), shape)

    def alias(self):
        x, shape = self.any()
        op = self.pick(["Identity", "Dropout", "Reshape", "Cast"])
        extra = {"to": TensorProto.FLOAT} if op == "Cast" else {}
        self.put(self.node(op, [x] + ([self.ints(shape)] if op == "Reshape" else []), **extra), shape)

    def pad(self):
        x, shape = self.any()
        mode = self.pick(["constant", "constant", "constant", "reflect", "edge", "wrap"])
        rank = len(shape)
        lists = [[0] + [int(self.rng.integers(0, min(2, n))) if k < 2 or self.chance(0.7) else 0 for k, n in enumerate(shape[1:])] for _ in "be"]
        if self.chance(0.7) and rank == 4:
            for pads in lists:
                pads[1] = 0
        inputs = [x, self.ints(lists[0] + lists[1])]
        if mode == "constant" and self.chance(0.3):
            inputs.append(self.const(0.75))
        y = self.node("Pad", inputs, mode=mode)
        self.put(y, [n + a + b for n, a, b in zip(shape, *lists)])

    def slice(self):
        x, shape = self.any()
        axis = int(self.rng.integers(1, len(shape)))
        n = shape[axis]
        if n < 2:
            return
        step = int(self.pick([1, 1, 2, -1]))
        if step > 0:
            a, b = int(self.rng.integers(0, n - 1)), int(self.pick([n, n - 1, 2**31]))
        else:
            a, b = n - 1, -(2**31)
        if b <= a and step > 0:
            b = n
        self.infer(self.node("Slice", [x, self.ints([a]), self.ints([b]), self.ints([axis - (len(shape) if self.chance(0.3) else 0)]), self.ints([step])]))

    def split(self):
        x, shape = self.any()
        axis = int(self.rng.integers(1, len(shape)))
        n = shape[axis]
        if n < 2:
            return
        first = int(self.rng.integers(1, n))
        for y in self.node("Split", [x, self.ints([first, n - first])], outputs=2, axis=axis):
            self.infer(y)

    def gather(self):
        x, shape = self.any()
        axis = int(self.rng.integers(1, len(shape)))
        index = self.rng.integers(0, shape[axis], int(self.rng.integers(1, 5)))
        self.infer(self.node("Gather", [x, self.ints(index)], axis=axis))

    def concat(self):
        x, shape = self.any()
        axis = int(self.rng.integers(1, len(shape)))
        others = [v for v in self.values if len(v[1]) == len(shape) and all(a == b or k == axis for k, (a, b) in enumerate(zip(v[1], shape)))]
        self.infer(self.node("Concat", [x] + [self.pick(others)[0] for _ in range(int(self.rng.integers(1, 3)))], axis=axis))

    def transpose(self):
        x, shape = self.any()
        order = [0] + [int(k) + 1 for k in self.rng.permutation(len(shape) - 1)]
        y = self.node("Transpose", [x], perm=order)
        moved = [shape[k] for k in order]
        self.put(y, moved)
        if self.chance(0.5):  # something in between, and back
            z = self.node("Relu", [y])
            self.put(self.node("Transpose", [z], perm=[order.index(k) for k in range(len(order))]), shape)

    def shuffle(self):
        x, (_, c, h, w) = self.image()
        g = self.pick([g for g in (1, 2, 3) if c % g == 0])
        a = self.node("Reshape", [x, self.ints([1, g, c // g, h, w])])
        b = self.node("Transpose", [a], perm=[0, 2, 1, 3, 4])
        self.put(self.node("Reshape", [b, self.ints([0, -1, h, w])]), [1, c, h, w])

    def reshape(self):
        x, shape = self.any()
        total = int(np.prod(shape))
        divisors = [d for d in range(1, total + 1) if total % d == 0][:40]
        a = int(self.pick(divisors))
        b = int(self.pick([d for d in divisors if (total // a) % d == 0]))
        target = self.pick([[1, a, total // a], [1, a, b, total // a // b], [1, total], [1, a, b, total // a // b]])
        self.put(self.node("Reshape", [x, self.ints(target)]), target)

    def squeeze(self):
        x, shape = self.any()
        axis = int(self.rng.integers(1, len(shape) + 1))
        y = self.node("Unsqueeze", [x, self.ints([axis])])
        self.put(y, shape[:axis] + [1] + shape[axis:])
        if self.chance(0.5):
            self.put(self.node("Squeeze", [y, self.ints([axis])]), shape)

    def reduce(self):
        x, shape = self.any()
        axes = sorted(int(k) for k in self.rng.choice(np.arange(1, len(shape)), int(self.rng.integers(1, len(shape))), replace=False))
        keep = int(self.chance(0.6))
        if not keep and len(axes) == len(shape) - 1:
            keep = 1
        self.infer(self.node(self.pick(["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"]), [x, self.ints(axes)], keepdims=keep))

    def matmul(self):
        x, shape = self.any()
        m = int(self.rng.integers(1, 5))
        self.put(self.node("MatMul", [x, self.normal(shape[-1], m)]), shape[:-1] + [m])

    def resize(self):
        x, (_, c, h, w) = self.image()
        mode = self.pick(["nearest", "linear", "linear", "cubic"])
        coordinates = self.pick(["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"])
        extra = {"nearest_mode": self.pick(["floor", "round_prefer_floor", "ceil", "round_prefer_ceil"])} if mode == "nearest" else {}
        if self.chance(0.5):
            scales = [self.pick([0.5, 1, 2, 1.5]), self.pick([1, 2, 1.25])]
            # onnxruntime copies where the size stays; ONNX itself interpolates by the scale.
            if any(int(n * s) == n and s != 1 for n, s in zip((h, w), scales)):
                return
            inputs = [x, "", self.const([1, 1, *scales])]
        else:
            inputs = [x, "", "", self.ints([1, c, int(self.rng.integers(1, 12)), int(self.rng.integers(1, 12))])]
        self.infer(self.node("Resize", inputs, mode=mode, coordinate_transformation_mode=coordinates, **extra))

    def blocks(self):
        x, (_, c, h, w) = self.image()
        if c % 4 == 0 and self.chance(0.7):
            self.infer(self.node("DepthToSpace", [x], blocksize=2, mode=self.pick(["DCR", "CRD"])))
        elif h % 2 == 0 and w % 2 == 0:
            self.infer(self.node("SpaceToDepth", [x], blocksize=2))

    def expand(self):
        x, shape = self.any()
        target = [n if n > 1 else int(self.rng.integers(1, 4)) for n in shape[1:]]
        self.put(self.node("Expand", [x, self.ints([1] + target)]), [1] + target)

    def compare(self):
        x, shape = self.any()
        op = self.pick(["Greater", "GreaterOrEqual", "Less", "LessOrEqual"])
        limit = self.const(self.pick([0.0, 0.0, 0.3, -0.2]))
        mask = self.node(op, [x, limit] if self.chance(0.7) else [limit, x])
        if self.chance(0.3):
            other = self.node(self.pick(["Greater", "Less"]), [x, self.const(0.6)])
            mask = self.node(self.pick(["And", "Or"]), [mask, other])
        if self.chance(0.2):
            mask = self.node("Not", [mask])
        kind = self.pick(["product", "where", "where", "constant", "mask"])
        if kind == "product":
            y = self.node("Mul", [x, self.node("Cast", [mask], to=TensorProto.FLOAT)])
        elif kind == "where":
            y = self.node("Where", [mask, x, self.const(self.pick([0.0, 0.5]))])
        elif kind == "constant":
            fixed = self.const(self.rng.random(shape[1:]) > 0.5, bool)
            y = self.node("Where", [fixed, x, self.node("Neg", [x]) if self.chance(0.5) else self.const(0.25)])
        else:
            y = self.node("Where", [mask, self.node("Tanh", [x]), self.node("Mul", [x, self.const(0.5)])])
        self.put(y, shape)

    def softmax(self):
        x, shape = self.any()
        y = self.node("Softmax", [x], axis=int(self.rng.integers(1, len(shape))))
        self.put(self.node("Mul", [x, y]) if self.chance(0.6) else y, shape)

    def log_sum_exp(self):
        x, shape = self.any()
        axis = int(self.rng.integers(1, len(shape)))
        self.infer(self.node("ReduceLogSumExp", [x, self.ints([axis])], keepdims=int(len(shape) == 2 or self.chance(0.5))))

    def gather_nd(self):
        """As PyTorch's exporter indexes: the batch goes behind, and comes back."""
        x, (_, c, h, w) = self.image()
        y = self.node("Transpose", [x], perm=[2, 3, 0, 1])
        size = [int(self.rng.integers(1, 4)) for _ in "hw"]
        rows, columns = self.rng.integers(0, h, size[0]), self.rng.integers(0, w, size[1])
        index = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1)
        z = self.node("GatherND", [y, self.ints(index)])
        self.put(self.node("Transpose", [z], perm=[2, 3, 0, 1]), [1, c, *size])

    def scatter(self):
        """As PyTorch assigns to a slice: some channels of one over another, or over zeros."""
        x, (_, c, h, w) = self.image()
        k = int(self.rng.integers(1, c + 1))
        places = self.rng.permutation(c)[:k]
        index = np.stack([np.zeros(k, np.int64), places], -1)[None]
        base = x if self.chance(0.5) else self.const(self.rng.standard_normal((1, c, h, w)))
        new = self.node("Slice", [self.node("Neg", [x]), self.ints([0]), self.ints([k]), self.ints([1])])
        self.put(self.node("ScatterND", [base, self.ints(index), new]), [1, c, h, w])

    def unit_length(self):
        x, shape = self.any()
        y = self.node("Add", [x, self.const(0.3)])
        self.put(self.node("LpNormalization", [y], axis=int(self.rng.integers(1, len(shape))), p=int(self.rng.integers(1, 3))), shape)

    def average(self):
        x, shape = self.any()
        self.put(self.node("Mean", [x, self.node("Tanh", [x]), x][: int(self.rng.integers(1, 4))]), shape)

    def flat_dense(self):
        """Without an axis of the batch in between."""
        x, shape = self.any()
        m = int(self.rng.integers(1, 4))
        y = self.node("MatMul", [self.node("Reshape", [x, self.ints([-1, shape[-1]])]), self.normal(shape[-1], m)])
        if self.chance(0.5):
            y = self.node("Relu", [self.node("Add", [y, self.normal(m)])])
        self.put(self.node("Reshape", [y, self.ints([*shape[:-1], m])]), shape[:-1] + [m])

    def beside_constant(self):
        x, shape = self.any()
        axis = int(self.rng.integers(1, len(shape)))
        own = [int(self.rng.integers(1, 3)) if k == axis else n for k, n in enumerate(shape)]
        pair = [x, self.normal(*own)]
        if self.chance(0.4):
            pair.reverse()
        self.infer(self.node("Concat", pair, axis=axis))

    def einsum(self):
        x, (_, c, h, w) = self.image()
        equation, size = self.pick([("nchw,cd->ndhw", (c, 3)), ("nchw,dc->nhwd", (2, c)), ("nchw,wk->nchk", (w, 2)), ("nchw,h->ncw", (h,))])
        self.infer(self.node("Einsum", [x, self.normal(*size)], equation=equation))

    def conditional(self):
        x, shape = self.any()
        branches = []
        for op in self.pick([("Relu", "Tanh"), ("Sigmoid", "Neg")]):
            name = f"b{len(self.nodes)}_{len(branches)}"
            made = helper.make_node(op, [x], [name], f"{name}n")
            branches.append(helper.make_graph([made], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)]))
        sizes = self.node("Gather", [self.node("Shape", [x]), self.ints(1)], axis=0)
        known = self.node("Equal", [sizes, self.ints(shape[1] if self.chance(0.5) else 999)])
        self.put(self.node("If", [known], then_branch=branches[0], else_branch=branches[1]), shape)

    def group_norm(self):
        x, (_, c, h, w) = self.image()
        groups = self.pick([g for g in (1, 2, 3, c) if c % g == 0])
        self.put(self.node("GroupNormalization", [x, self.normal(groups), self.normal(groups)], num_groups=groups, epsilon=0.01), [1, c, h, w])

    def tile(self):
        x, shape = self.any()
        times = [1] + [int(self.pick([1, 1, 2])) for _ in shape[1:]]
        self.infer(self.node("Tile", [x, self.ints(times)]))

    def gemm(self):
        x, shape = self.any()
        flat, m = int(np.prod(shape)), int(self.rng.integers(1, 5))
        y = self.node("Flatten", [x])
        turned = int(self.chance(0.5))
        inputs = [y, self.normal(*((m, flat) if turned else (flat, m)))] + ([self.normal(m)] if self.chance(0.6) else [])
        self.put(self.node("Gemm", inputs, transB=turned, alpha=float(self.pick([1, 0.5])), beta=float(self.pick([1, 2]))), [1, m])

    def matmul_from_left(self):
        x, shape = self.any()
        if len(shape) < 3:
            return
        m = int(self.rng.integers(1, 5))
        self.put(self.node("MatMul", [self.normal(m, shape[-2]), x]), [*shape[:-2], m, shape[-1]])

    def own_size(self):
        """x.view(x.size(0), x.size(1), -1), with the sizes read in the graph."""
        x, shape = self.any()
        if len(shape) < 3:
            return
        sizes = self.node("Shape", [x])
        first = self.node("Slice", [sizes, self.ints([0]), self.ints([2]), self.ints([0])])
        target = self.node("Concat", [first, self.ints([-1])], axis=0)
        self.put(self.node("Reshape", [x, target]), [*shape[:2], int(np.prod(shape[2:]))])

    def crop(self):
        x, (_, c, h, w) = self.image()
        pads = [int(self.rng.integers(-1, 2)) for _ in range(4)]
        self.infer(self.node("Pad", [x, self.ints([0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]])]))

    def slices(self):
        x, shape = self.any()
        axes = [k for k in range(1, len(shape)) if shape[k] > 2]
        if axes:
            self.infer(self.node("Slice", [x, self.ints([1] * len(axes)), self.ints([-1 if self.chance(0.5) else 99 for _ in axes]), self.ints(axes)]))

    def several(self):
        x, shape = self.any()
        op = self.pick(["Max", "Min", "Sum"])
        others = [v[0] for v in self.values if v[1] == shape]
        self.put(self.node(op, [x, self.pick(others), self.pick(others)]), shape)

    def whole_weights(self):
        """A convolution whose weights are kept as whole numbers."""
        x, (_, c, h, w) = self.image()
        m = int(self.rng.integers(1, 4))
        weights = self.const(self.rng.integers(-90, 90, (m, c, 1, 1)), np.int8)
        scales = self.const(self.rng.uniform(0.005, 0.02, m))
        zero = self.const(self.rng.integers(-3, 4, m), np.int8)
        self.put(self.node("Conv", [x, self.node("DequantizeLinear", [weights, scales, zero], axis=0)]), [1, m, h, w])

    def log_softmax(self):
        x, shape = self.any()
        self.put(self.node("LogSoftmax", [x], axis=int(self.rng.integers(1, len(shape)))), shape)

    def infer(self, name):
        """Shapes by onnxruntime itself: what the node really gives."""
        shape = self.evaluate([name])[0].shape
        self.put(name, shape)

    def model(self, outputs):
        graph = helper.make_graph(self.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.input)],
                                  [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)

    def evaluate(self, outputs):
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(self.model(outputs).SerializeToString(), options, ["CPUExecutionProvider"])
        return session.run(outputs, {"x": self.x})


STEPS = ["conv", "conv", "conv", "pool", "pool", "function", "function", "written_out", "arithmetic", "arithmetic", "both", "both", "norm",
         "lrn", "alias", "alias", "pad", "slice", "split", "gather", "concat", "transpose", "shuffle", "reshape", "squeeze", "reduce",
         "matmul", "resize", "blocks", "expand", "conv_transpose", "global_pool", "compare", "compare", "softmax", "log_sum_exp", "gather_nd", "flat_dense",
         "beside_constant", "einsum", "conditional", "scatter", "unit_length", "average",
         "group_norm", "tile", "gemm", "matmul_from_left", "own_size", "crop", "slices", "several", "whole_weights", "log_softmax"]


def floats(array):
    return base64.b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()


def make(seed):
    g = Graph(seed)
    g.x = g.rng.standard_normal(g.input).astype(np.float32)
    for _ in range(int(g.rng.integers(2, 9))):
        getattr(g, g.pick(STEPS))()
    # Two ends, so that values with several readers matter; then a vector.
    ends = [g.values[-1], g.pick(g.values)]
    flat = []
    for name, shape in ends:
        flat.append(g.node("Flatten", [name]))
    y = g.node("Concat", flat, axis=1)
    output = g.evaluate([y])[0]
    if not np.all(np.isfinite(output)) or np.abs(output).max() > 1e6:
        return None
    return {"seed": seed, "ops": sorted(set(g.ops)), "model": base64.b64encode(g.model([y]).SerializeToString()).decode(),
            "shape": g.input[1:], "input": floats(g.x), "output": floats(output)}


first, count, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
cases, failed = [], 0
for seed in range(first, first + count):
    try:
        case = make(seed)
    except Exception as error:  # a graph that onnxruntime refuses is none
        case = None
        if "-v" in sys.argv:
            print(seed, type(error).__name__, str(error)[:200])
    if case is None:
        failed += 1
    else:
        cases.append(case)
with open(out, "w") as file:
    file.write("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "]\n")
print(f"{len(cases)} graphs, {failed} that onnxruntime refuses or that overflow")
