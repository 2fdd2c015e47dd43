"""Small ONNX files that define operators of their own (model-local functions), with what onnxruntime computes for them.

  python make-onnx-functions.py OUT.json

OUT.json is a list of {name, model, shape, input, output}, the last two base64 of float32; output is the refusal where the file must be refused.
The committed test/golden/onnx-functions.json is made so. Needs onnx 1.23 and onnxruntime 1.32.
"""

import base64
import json
import sys

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ort.set_default_logger_severity(4)
rng = np.random.default_rng(12)
SHAPE = [1, 3, 6, 7]
STANDARD, OWN = helper.make_opsetid("", 17), helper.make_opsetid("own", 1)
node = helper.make_node
cases = []


def text(array):
    return base64.b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()


def function(name, inputs, outputs, nodes, attributes=(), defaults=(), opset=17):
    sets = [helper.make_opsetid("", opset), OWN]
    return helper.make_function("own", name, inputs, outputs, nodes, sets, list(attributes), list(defaults))


def refer(made, name, to, kind):
    """Adds an attribute whose value is that of the calling node."""
    attribute = made.attribute.add()
    attribute.name, attribute.ref_attr_name, attribute.type = name, to, kind
    return made


def constant(name, *shape):
    return numpy_helper.from_array((rng.standard_normal(shape) * 0.4).astype(np.float32), name)


def case(name, functions, nodes, refusal=None):
    nodes = [node("Conv", ["x", "w", "b"], ["y"], "conv", pads=[1, 1, 1, 1]), *nodes, node("Flatten", ["z"], ["out"], "end")]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, [constant("w", 4, 3, 3, 3), constant("b", 4)])
    model = helper.make_model(graph, opset_imports=[STANDARD, OWN], ir_version=8, functions=functions).SerializeToString()
    x = rng.standard_normal(SHAPE).astype(np.float32)
    output = refusal
    if refusal is None:
        output = text(ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0])
    cases.append({"name": name, "model": base64.b64encode(model).decode(), "shape": SHAPE, "input": text(x), "output": output})


leaky = function("Leaky", ["a"], ["c"], [node("Constant", [], ["k"], value_float=0.3), node("Mul", ["a", "k"], ["m"]), node("Max", ["a", "m"], ["c"])])
own = lambda op, inputs, outputs, name, **attributes: node(op, inputs, outputs, name, domain="own", **attributes)
case("a function, called twice", [leaky], [own("Leaky", ["y"], ["u"], "first"), node("Neg", ["u"], ["v"], "neg"), own("Leaky", ["v"], ["z"], "second")])
twice = function("Twice", ["a"], ["c"], [own("Leaky", ["a"], ["q"], "l"), own("Leaky", ["q"], ["c"], "r")])
case("a function of functions", [leaky, twice], [own("Twice", ["y"], ["z"], "t")])
slope = lambda: refer(node("LeakyRelu", ["a"], ["c"]), "alpha", "slope", 1)
given = function("Slope", ["a"], ["c"], [slope()], attributes=["slope"])
case("an attribute that the call gives", [given], [own("Slope", ["y"], ["z"], "s", slope=0.2)])
case("an attribute that nobody gives", [given], [own("Slope", ["y"], ["z"], "s")])
default = function("Slope", ["a"], ["c"], [slope()], defaults=[helper.make_attribute("slope", 0.7)])
case("an attribute by default", [default], [own("Slope", ["y"], ["z"], "s")])
affine = function("Affine", ["a", "s"], ["c", "n"], [node("Mul", ["a", "s"], ["m"]), node("Relu", ["m"], ["c"]), node("Neg", ["c"], ["n"])])
factors = node("Constant", [], ["f"], "factors", value=constant("k", 4, 1, 1))
case("two inputs and two outputs", [affine], [factors, own("Affine", ["y", "f"], ["u", "v"], "a"), node("Concat", ["u", "v"], ["z"], "both", axis=1)])
clip = function("Cut", ["a", "low", "high"], ["c"], [node("Clip", ["a", "low", "high"], ["c"])])
high = node("Constant", [], ["h"], "high", value_float=0.4)
case("an input that is left out", [clip], [high, own("Cut", ["y", "", "h"], ["z"], "c")])
branches = {
    key: helper.make_graph([made], key, [], [helper.make_tensor_value_info(out, TensorProto.FLOAT, None)])
    for key, made, out in [("then_branch", own("Leaky", ["a"], ["i"], "in"), "i"), ("else_branch", node("Neg", ["a"], ["j"]), "j")]
}
choose = function("Choose", ["a"], ["c"], [node("Constant", [], ["t"], value=numpy_helper.from_array(np.array(True))), node("If", ["t"], ["c"], **branches)])
case("a branch inside a function, a function inside a branch", [leaky, choose], [own("Choose", ["y"], ["z"], "o")])
same = function("Same", ["a"], ["c"], [own("Same", ["a"], ["c"], "s")])
case("a function that calls itself", [same], [own("Same", ["y"], ["z"], "s")], 'FormatError: weights "own": function "Same" calls others, more than 32 deep.')
levels = [function("F0", ["a"], ["c"], [node("Relu", ["a"], ["c"])])]
for i in range(1, 31):
    levels.append(function(f"F{i}", ["a"], ["c"], [own(f"F{i - 1}", ["a"], ["q"], "l"), own(f"F{i - 1}", ["q"], ["c"], "r")]))
case("functions that double thirty times", levels, [own("F30", ["y"], ["z"], "f")], 'FormatError: weights "own": its functions stand for more than 50000 nodes.')
older = function("Old", ["a"], ["c"], [node("Relu", ["a"], ["c"])], opset=9)
case("a function of another operator set", [older], [own("Old", ["y"], ["z"], "o")], 'UnsupportedError: weights "own": function "Old" is of opset 9, the graph of 17; both must be of one.')

with open(sys.argv[1], "w") as file:
    json.dump(cases, file, indent=0)
    file.write("\n")
