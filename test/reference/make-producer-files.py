"""Models as their own producers write them (Keras 3, Keras 2, the TensorFlow.js converter, Caffe), with what the producers compute.

  python make-producer-files.py OUT [PART OF A NAME ...]
  node build/test/reference/compare-producer-files.js OUT

Seeded random weights; OUT/cases.json lists {name, file, prototxt, shape, input, output}, input [C,H,W] and output as lists.
Needs tensorflow-cpu 2.21 (with Keras 3.15), tf-keras 2.21, tensorflowjs 4.22 (installed with --no-deps) and, for Caffe,
opencv-python-headless 4.14: its dnn module runs the Caffe files.
"""

import importlib
import json
import os
import sys
import types
import zlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np

np.object, np.bool = object, bool  # what tensorflowjs 4.22 still asks NumPy for
import cv2
import keras as keras3
import tensorflow as tf
import tf_keras as keras2

for stub in ("tensorflow_decision_forests", "jax", "jax.experimental", "jax.experimental.jax2tf", "flax"):
    sys.modules.setdefault(stub, types.ModuleType(stub))
sys.modules["jax.experimental"].jax2tf = sys.modules["jax.experimental.jax2tf"]
from tensorflowjs.converters import converter, tf_saved_model_conversion_v2

OUT, PARTS = sys.argv[1], sys.argv[2:]
os.makedirs(OUT, exist_ok=True)
cases, notMade = [], []


def randomised(model, seed):
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        name = getattr(weight, "path", weight.name).split("/")[-1].split(":")[0]
        shape = tuple(weight.shape)
        if name in ("mean", "variance"):  # of bytes, which Normalization was adapted to
            value = rng.uniform(100, 150, shape) if name == "mean" else rng.uniform(2000, 4000, shape)
        elif "variance" in name or "gamma" in name:
            value = rng.uniform(0.5, 1.5, shape)
        elif "kernel" in name:
            depthwise = "depthwise" in name or "depthwise" in weight.name
            fan = np.prod(shape[:2]) if depthwise else np.prod(shape[:-1])
            value = rng.standard_normal(shape) * np.sqrt(2 / max(1, fan))
        elif name == "count":
            continue
        else:
            value = rng.standard_normal(shape) * 0.1
        weight.assign(np.asarray(value, np.float32) if shape else np.float32(abs(value)))
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # Normalization computes with copies of its weights
    return model


# Models. k is the Keras, L its layers.

def chain(k, layers, shape=(16, 16, 3)):
    return k.Sequential([k.Input(shape), *layers])


def end(L, units=5, activation="softmax"):
    return [L.GlobalAveragePooling2D(), L.Dense(units, activation=activation)]


def small(*middle, shape=(16, 16, 3), activation="softmax"):
    """conv, then the layers that `middle` makes, then the end."""
    return lambda k: chain(k, [k.layers.Conv2D(8, 3, padding="same"), *[make(k.layers) for make in middle], *end(k.layers, 5, activation)], shape)


def nested(k):
    L = k.layers
    base = chain(k, [L.Conv2D(6, 3, strides=2, padding="same", use_bias=False), L.BatchNormalization(), L.ReLU(6.0)])
    x = inputs = k.Input((16, 16, 3))
    x = base(L.Rescaling(1 / 127.5, offset=-1)(x))
    x = L.Dropout(0.2)(L.GlobalAveragePooling2D()(x))
    return k.Model(inputs, L.Dense(4)(x))


def nested_functional(k):
    L = k.layers
    inner = k.Input((16, 16, 3))
    y = L.Conv2D(6, 3, activation="relu")(inner)
    y = L.Add()([L.Conv2D(6, 1)(y), y])
    base = k.Model(inner, y, name="base")
    return k.Sequential([k.Input((16, 16, 3)), base, L.Flatten(), L.Dense(7, activation="relu"), L.Dense(1, activation="sigmoid")])


def twice_nested(k):
    L = k.layers
    a = chain(k, [L.Conv2D(4, 3, activation="elu")], (16, 16, 3))
    b = k.Sequential([k.Input((16, 16, 3)), a, L.MaxPooling2D(2)])
    return k.Sequential([k.Input((16, 16, 3)), b, L.Conv2D(6, 2), *end(L, 3)])


def shared(k):
    L = k.layers
    x = inputs = k.Input((16, 16, 3))
    conv = L.Conv2D(3, 3, padding="same", activation="relu")
    return k.Model(inputs, L.Dense(4)(L.GlobalMaxPooling2D()(conv(conv(x)))))


def merge(name):
    def make(k):
        L = k.layers
        x = inputs = k.Input((16, 16, 3))
        a, b = L.Conv2D(6, 3, padding="same")(x), L.Conv2D(6, 5, padding="same", activation="tanh")(x)
        y = getattr(L, name)()([a, b])
        return k.Model(inputs, L.Dense(4, activation="softmax")(L.Flatten()(L.AveragePooling2D(4)(y))))
    return make


def squeeze_excite(k):
    L = k.layers
    x = inputs = k.Input((16, 16, 3))
    x = L.Conv2D(8, 3, activation="swish")(x)
    g = L.GlobalAveragePooling2D(keepdims=True)(x)
    g = L.Conv2D(8, 1, activation="sigmoid")(L.Conv2D(2, 1, activation="swish")(g))
    g2 = L.Dense(8, activation="hard_sigmoid")(L.Reshape((1, 1, 8))(L.GlobalAveragePooling2D()(x)))
    y = L.Add()([L.Multiply()([x, g]), L.Multiply()([x, g2])])
    return k.Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D()(y)))


def preprocess_inside(mode):
    def make(k):
        L = k.layers
        x = inputs = k.Input((16, 16, 3))
        if mode == "tf":
            x = k.applications.mobilenet_v2.preprocess_input(x)
        elif mode == "caffe":
            x = k.applications.vgg16.preprocess_input(x)
        elif mode == "torch":
            x = k.applications.densenet.preprocess_input(x)
        else:
            x = x / 127.5 - 1.0
        return k.Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D()(L.Conv2D(8, 3, activation="relu")(x))))
    return make


def normalization(k):
    L = k.layers
    return chain(k, [L.Normalization(mean=[120.0, 110.0, 100.0], variance=[3000.0, 2500.0, 2600.0]), L.Conv2D(6, 3, activation="relu"), *end(L, 4)])


def normalization_adapted(k):
    L = k.layers
    return chain(k, [L.Normalization(), L.Conv2D(6, 3, activation="relu"), *end(L, 4)])


def encoder(k):
    L = k.layers
    x = inputs = k.Input((16, 16, 3))
    a = L.Conv2D(6, 3, strides=2, padding="same", activation="relu")(x)
    b = L.Conv2DTranspose(6, 3, strides=2, padding="same", activation="relu")(L.Conv2D(8, 3, strides=2, padding="same")(a))
    y = L.Concatenate()([a, b])
    return k.Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D()(y)))


def augmentation(k):
    L = k.layers
    return chain(k, [L.RandomFlip("horizontal"), L.RandomRotation(0.1), L.RandomZoom(0.1), L.RandomContrast(0.1), L.Rescaling(1 / 255), L.Conv2D(6, 3, activation="relu"),
                     L.SpatialDropout2D(0.1), L.GaussianNoise(0.1), L.GaussianDropout(0.1), L.ActivityRegularization(0.01), *end(L, 4)])


def teachable(k):
    """Teachable Machine: MobileNet's features in a model, then a pool, in a model, and a dense head in a model, all in one."""
    L = k.layers
    x = inputs = k.Input((32, 32, 3))
    y = L.ZeroPadding2D(((0, 1), (0, 1)))(x)
    y = L.Conv2D(8, 3, strides=2, use_bias=False, padding="valid")(y)
    y = L.ReLU(6.0)(L.BatchNormalization()(y))
    y = L.DepthwiseConv2D(3, padding="same", use_bias=False)(y)
    y = L.ReLU(6.0)(L.BatchNormalization()(y))
    y = L.BatchNormalization()(L.Conv2D(8, 1, use_bias=False)(y))
    features = k.Model(inputs, y)
    first = k.Sequential([features, L.GlobalAveragePooling2D()])
    head = k.Sequential([k.Input((8,)), L.Dense(10, activation="relu"), L.Dense(3, activation="softmax", use_bias=False)])
    return k.Sequential([first, head])


def any_size(k):
    L = k.layers
    return chain(k, [L.Conv2D(6, 3, activation="relu"), L.SeparableConv2D(8, 3), *end(L, 4)], (None, None, 3))


def one_d(k):
    L = k.layers
    return chain(k, [L.Conv1D(6, 5, activation="relu"), L.MaxPooling1D(2), L.Conv1D(8, 3, padding="same", activation="relu"), L.GlobalAveragePooling1D(), L.Dense(3, activation="softmax")], (64, 2))


def signal_layers(k):
    L = k.layers
    return chain(k, [L.ZeroPadding1D((2, 1)), L.Conv1D(6, 5, padding="causal", dilation_rate=2), L.BatchNormalization(), L.ReLU(), L.SeparableConv1D(8, 3, padding="same", activation="elu"), L.AveragePooling1D(3, strides=2, padding="same"),
                     L.UpSampling1D(2), L.Cropping1D((1, 2)), L.SpatialDropout1D(0.1), L.Conv1DTranspose(5, 4, strides=2, padding="same"), L.LayerNormalization(), L.Dense(7, activation="tanh"), L.GlobalMaxPooling1D(), L.Dense(3)], (40, 2))


def signal_flatten(k):
    L = k.layers
    return chain(k, [L.Reshape((64, 3)), L.Conv1D(6, 3, activation="relu"), L.MaxPooling1D(), L.Permute((2, 1)), L.Flatten(), L.Dense(4)], (8, 8, 3))


def vector(k):
    L = k.layers
    return chain(k, [L.Dense(16, activation="relu"), L.BatchNormalization(), L.PReLU(), L.Dense(4)], (12,))


def hard_swish(k):
    L = k.layers
    x = inputs = k.Input((16, 16, 3))
    y = L.BatchNormalization()(L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x))
    y = L.Multiply()([y, L.Rescaling(1 / 6)(L.ReLU(6.0)(L.Rescaling(1, offset=3.0)(y)))])
    return k.Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D()(y)))


def scaled_residual(k):
    """A block of InceptionResNetV2, with the layer that keras.applications brings along for it."""
    L = k.layers
    scale = importlib.import_module(f"{k.__name__}.src.applications.inception_resnet_v2").CustomScaleLayer(0.17)
    x = inputs = k.Input((12, 12, 3))
    x = L.Conv2D(8, 3, activation="relu")(x)
    y = L.Concatenate()([L.Conv2D(4, 1, activation="relu")(x), L.Conv2D(4, 3, padding="same")(x)])
    return k.Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D()(L.ReLU()(scale([x, L.Conv2D(8, 1)(y)])))))


def convnext_block(k):
    """A block of ConvNeXt, with the layers that keras.applications brings along for it."""
    L = k.layers
    own = importlib.import_module(f"{k.__name__}.src.applications.convnext")
    x = inputs = k.Input((12, 12, 3))
    x = L.LayerNormalization(epsilon=1e-6)(L.Conv2D(8, 3)(x))
    for i in range(2):
        y = L.LayerNormalization(epsilon=1e-6)(L.Conv2D(8, 5, padding="same", groups=8)(x))
        y = L.Dense(8)(L.Activation("gelu")(L.Dense(16)(y)))
        x = x + own.StochasticDepth(0.1)(own.LayerScale(1e-6, 8, name=f"scale_{i}")(y))
    return k.Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D()(x)))


def dense_only(k):
    L = k.layers
    return chain(k, [L.Flatten(), L.Dense(32, activation="relu"), L.Dropout(0.2), L.Dense(10)], (28, 28, 1))


def functions(k):
    L, ops = k.layers, k.ops  # Keras 3 alone
    x = inputs = k.Input((8, 8, 3))
    x = ops.gelu(L.Conv2D(6, 3)(x))
    x = x + ops.gelu(L.Conv2D(6, 1)(x), approximate=False)
    x = ops.concatenate([ops.relu(x), ops.silu(L.Conv2D(4, 1)(x)), ops.clip(x, -0.5, 0.7), ops.leaky_relu(x, 0.1)], axis=-1)
    x = ops.multiply(x, ops.sigmoid(L.Conv2D(22, 1)(ops.relu6(ops.mean(x, axis=(1, 2), keepdims=True)))))
    x = ops.maximum(ops.tanh(x), ops.elu(x, 0.5))
    x = ops.concatenate([ops.max(x, axis=(-3, -2)), ops.reshape(L.Conv2D(2, 3)(x), (-1, 32))], axis=-1)
    return k.Model(inputs, ops.log_softmax(L.Dense(4)(x), axis=-1))


def log_softmax(k):
    L = k.layers
    return chain(k, [L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(4, activation="log_softmax")], (8, 8, 3))


def application(name, size, **options):
    def make(k):
        return getattr(k.applications, name)(weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None, **options)
    return make


MODELS = {
    "plain": small(lambda L: L.ReLU()),
    "batch-norm": small(lambda L: L.BatchNormalization(), lambda L: L.Activation("relu"), lambda L: L.MaxPooling2D()),
    "leaky": small(lambda L: L.LeakyReLU(), lambda L: L.AveragePooling2D(3, strides=2, padding="same")),
    "prelu-shared": small(lambda L: L.PReLU(shared_axes=[1, 2])),
    "prelu-each": small(lambda L: L.PReLU()),
    "elu-softplus": small(lambda L: L.ELU(0.7), lambda L: L.Conv2D(6, 3, activation="softplus")),
    "swish-gelu": small(lambda L: L.Activation("swish"), lambda L: L.Conv2D(6, 3, activation="gelu")),
    "selu-tanh": small(lambda L: L.Activation("selu"), lambda L: L.Conv2D(6, 3, activation="tanh"), activation="sigmoid"),
    "mish-softsign": small(lambda L: L.Activation("mish"), lambda L: L.Conv2D(6, 3, activation="softsign")),
    "relu-options": small(lambda L: L.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2)),
    "relu-threshold": small(lambda L: L.ReLU(threshold=0.3)),
    "relu-capped-slope": small(lambda L: L.ReLU(max_value=1.0, negative_slope=0.2)),
    "prelu-rows": small(lambda L: L.PReLU(shared_axes=[2])),
    "depthwise-dilated": small(lambda L: L.DepthwiseConv2D(3, dilation_rate=3, padding="same", activation="relu")),
    "separable": small(lambda L: L.SeparableConv2D(10, 3, depth_multiplier=2, padding="same", activation="relu")),
    "depthwise": small(lambda L: L.DepthwiseConv2D(3, strides=2, depth_multiplier=2, padding="same", activation="relu")),
    "grouped": small(lambda L: L.Conv2D(8, 3, groups=4, activation="relu")),
    "dilated": small(lambda L: L.Conv2D(8, 3, dilation_rate=2, padding="same", activation="relu")),
    "transposed": small(lambda L: L.Conv2DTranspose(6, 3, strides=2, padding="same", activation="relu")),
    "transposed-valid": small(lambda L: L.Conv2DTranspose(6, 2, strides=2, activation="relu")),
    "upsampling": small(lambda L: L.UpSampling2D(2), lambda L: L.Conv2D(6, 3, activation="relu")),
    "upsampling-bilinear": small(lambda L: L.UpSampling2D(2, interpolation="bilinear")),
    "cropping-padding": small(lambda L: L.Cropping2D(((1, 2), (0, 3))), lambda L: L.ZeroPadding2D((2, 1))),
    "permute": small(lambda L: L.Permute((2, 1, 3)), lambda L: L.Conv2D(5, (3, 1), activation="relu")),
    "permute-flatten": lambda k: chain(k, [k.layers.Conv2D(4, 3, strides=2), k.layers.Permute((3, 1, 2)), k.layers.Flatten(), k.layers.Dense(4)]),
    "reshape": lambda k: chain(k, [k.layers.Conv2D(4, 3), k.layers.Reshape((7, 14, 8)), k.layers.Conv2D(5, 3, activation="relu"), *end(k.layers)]),
    "layer-norm": small(lambda L: L.LayerNormalization(), lambda L: L.ReLU()),
    "group-norm": small(lambda L: L.GroupNormalization(4), lambda L: L.ReLU()),
    "unit-norm": small(lambda L: L.UnitNormalization(), lambda L: L.ReLU()),
    "same-stride-3": small(lambda L: L.Conv2D(6, (5, 2), strides=3, padding="same", activation="relu"), lambda L: L.MaxPooling2D(3, strides=2, padding="same")),
    "nested": nested, "nested-functional": nested_functional, "twice-nested": twice_nested, "shared-layer": shared,
    "squeeze-excite": squeeze_excite, "normalization": normalization, "normalization-adapted": normalization_adapted, "encoder": encoder,
    "augmentation": augmentation, "teachable-machine": teachable, "any-size": any_size, "signal": one_d, "signal-layers": signal_layers, "signal-flatten": signal_flatten, "vector": vector, "hard-swish": hard_swish, "scaled-residual": scaled_residual, "convnext-block": convnext_block, "mnist-dense": dense_only, "functions": functions, "log-softmax": log_softmax,
    **{f"merge-{name.lower()}": merge(name) for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")},
    **{f"preprocess-{mode}": preprocess_inside(mode) for mode in ("tf", "caffe", "torch", "written-out")},
}
APPLICATIONS = {
    "MobileNet": application("MobileNet", 64, alpha=0.25),
    "MobileNetV2": application("MobileNetV2", 64, alpha=0.35),
    "MobileNetV3Small": application("MobileNetV3Small", 64),
    "MobileNetV3Large": application("MobileNetV3Large", 64),
    "EfficientNetB0": application("EfficientNetB0", 64),
    "EfficientNetV2B0": application("EfficientNetV2B0", 64),
    "ResNet50": application("ResNet50", 64),
    "ResNet50V2": application("ResNet50V2", 64),
    "DenseNet121": application("DenseNet121", 64),
    "Xception": application("Xception", 96),
    "InceptionV3": application("InceptionV3", 96),
    "InceptionResNetV2": application("InceptionResNetV2", 96),
    "NASNetMobile": application("NASNetMobile", 64),
    "ConvNeXtTiny": application("ConvNeXtTiny", 64),
    "VGG16": application("VGG16", 32),
}


def wanted(name):
    return not PARTS or any(part in name for part in PARTS)


def short(array):
    """Nine digits, which give every float32 back."""
    return [float(f"{v:.9g}") for v in np.asarray(array, np.float32).ravel()]


def note(name, file, x, y, **more):
    # Channels first, as the product takes them; signals [C,1,L], vectors [F,1,1].
    image = x[0].transpose(2, 0, 1) if x.ndim == 4 else x[0].T[:, None, :] if x.ndim == 3 else x[0][:, None, None]
    cases.append({"name": name, "file": file, "shape": list(image.shape), "input": short(image),
                  "output": short(y), **more})


def make_keras(name, make, seed):
    for k, label in ((keras3, "keras3"), (keras2, "keras2")):
        kinds = {"keras3": ["keras", "h5"], "keras2": ["h5", "tfjs", "graph", *(["graph16"] if name == "batch-norm" else [])]}[label]
        kinds = [kind for kind in kinds if wanted(f"{label} {kind}: {name}")]
        if not kinds:
            continue
        try:
            k.backend.clear_session()
            model = randomised(make(k), seed)
        except Exception as error:
            notMade.append((f"{label}: {name}", f"{type(error).__name__}: {str(error)[:120]}"))
            continue
        shape = [20 if n is None else n for n in model.input_shape[1:]]
        bytesIn = any(word in name for word in ("preprocess", "normalization", "nested", "augmentation", "Efficient", "MobileNetV3", "ConvNeXt")) and "twice" not in name and name != "nested-functional"
        rng = np.random.default_rng(seed + 1)
        x = rng.uniform(0, 255, (1, *shape)).astype(np.float32) if bytesIn else rng.standard_normal((1, *shape)).astype(np.float32)
        y = model(x, training=False)
        isLogarithm = name in ("functions", "log-softmax")  # scores are compared by their softmax
        y = np.exp(y) if isLogarithm else y
        stem = f"{label}-{name}"
        for kind in kinds:
            try:
                case = f"{label} {kind}: {name}"
                more = {"size": shape[:2]} if None in model.input_shape[1:] else {}
                more |= {"logits": True} if isLogarithm else {}
                if kind in ("keras", "h5"):
                    file = f"{stem}.{kind}"
                    model.save(f"{OUT}/{file}")
                elif kind == "tfjs":
                    if not os.path.exists(f"{OUT}/{stem}.h5"):
                        model.save(f"{OUT}/{stem}.h5")
                    converter.dispatch_keras_h5_to_tfjs_layers_model_conversion(f"{OUT}/{stem}.h5", f"{OUT}/{stem}-layers")
                    file = f"{stem}-layers/model.json"
                else:
                    tf.saved_model.save(model, f"{OUT}/saved")
                    bits = {"quantization_dtype_map": {"uint16": "*"}} if kind == "graph16" else {}
                    tf_saved_model_conversion_v2.convert_tf_saved_model(f"{OUT}/saved", f"{OUT}/{stem}-{kind}", **bits)
                    file = f"{stem}-{kind}/model.json"
                    more |= {"tolerance": 1e-3} if bits else {}
                note(case, file, x, y, **more)
            except Exception as error:
                notMade.append((case, f"{type(error).__name__}: {str(error)[:120]}"))


# Caffe: binary weights by the fields of caffe.proto (NetParameter.layer 100; LayerParameter name 1, type 2, blobs 7; BlobProto data 5, shape 7).

def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def blob(array):
    shape = field(7, field(1, b"".join(varint(n) for n in array.shape)))
    return shape + field(5, np.asarray(array, "<f4").tobytes())


def layer(name, kind, bottom, top, body="", phase=""):
    tops = "".join(f' top: "{t}"' for t in top.split())
    return f'layer {{ name: "{name}" type: "{kind}"' + "".join(f' bottom: "{b}"' for b in bottom.split()) + tops + f" {body} {phase} }}\n"


def conv(name, bottom, out, kernel, more=""):
    return layer(name, "Convolution", bottom, name, f"convolution_param {{ num_output: {out} kernel_size: {kernel} {more} }}")


HEAD = 'name: "net"\ninput: "data"\ninput_dim: 1 input_dim: 3 input_dim: 12 input_dim: 12\n'
TAIL = layer("pool", "Pooling", "LAST", "pool", "pooling_param { pool: AVE global_pooling: true }") + layer("fc", "InnerProduct", "pool", "fc", "inner_product_param { num_output: 4 }")
SOFTMAX = layer("prob", "Softmax", "fc", "prob")


def net(middle, last, weights, head=HEAD, tail=TAIL + SOFTMAX, channels=6):
    rng_shapes = {"c1": [(6, 3, 3, 3), (6,)], "fc": [(4, channels), (4,)], **weights}
    return head + conv("c1", "data", 6, 3, "pad: 1") + middle + tail.replace("LAST", last), rng_shapes


C = 6
CAFFE = {
    "relu": net(layer("r", "ReLU", "c1", "c1"), "c1", {}),
    "leaky": net(layer("r", "ReLU", "c1", "c1", "relu_param { negative_slope: 0.1 }"), "c1", {}),
    "prelu": net(layer("p", "PReLU", "c1", "p"), "p", {"p": [(C,)]}),
    "prelu-shared": net(layer("p", "PReLU", "c1", "p", "prelu_param { channel_shared: true }"), "p", {"p": [(1,)]}),
    "elu": net(layer("p", "ELU", "c1", "p", "elu_param { alpha: 1 }"), "p", {}),
    "sigmoid-tanh": net(layer("s", "Sigmoid", "c1", "s") + layer("t", "TanH", "s", "t"), "t", {}),
    "bnll": net(layer("s", "BNLL", "c1", "s"), "s", {}),
    "power": net(layer("s", "AbsVal", "c1", "a") + layer("w", "Power", "a", "w", "power_param { power: 2 scale: 0.5 shift: 1 }"), "w", {}),
    "eltwise-prod": net(conv("c2", "data", 6, 1) + layer("e", "Eltwise", "c1 c2", "e", "eltwise_param { operation: PROD }"), "e", {"c2": [(6, 3, 1, 1), (6,)]}),
    "eltwise-max": net(conv("c2", "data", 6, 1) + layer("e", "Eltwise", "c1 c2", "e", "eltwise_param { operation: MAX }"), "e", {"c2": [(6, 3, 1, 1), (6,)]}),
    "eltwise-coeff": net(conv("c2", "data", 6, 1) + layer("e", "Eltwise", "c1 c2", "e", "eltwise_param { operation: SUM coeff: 1 coeff: -0.5 }"), "e", {"c2": [(6, 3, 1, 1), (6,)]}),
    "concat": net(conv("c2", "data", 2, 1) + layer("e", "Concat", "c1 c2", "e"), "e", {"c2": [(2, 3, 1, 1), (2,)]}, channels=8),
    "slice": net(layer("s", "Slice", "c1", "a b", "slice_param { axis: 1 slice_point: 2 }") + layer("e", "Concat", "b a", "e"), "e", {}),
    "split": net(layer("s", "Split", "c1", "a b") + layer("r", "ReLU", "b", "b") + layer("e", "Eltwise", "a b", "e"), "e", {}),
    "bn-scale": net(layer("b", "BatchNorm", "c1", "c1", "batch_norm_param { use_global_stats: true }") + layer("s", "Scale", "c1", "c1", "scale_param { bias_term: true }") + layer("r", "ReLU", "c1", "c1"), "c1", {"b": [(C,), (C,), (1,)], "s": [(C,), (C,)]}),
    "depthwise": net(conv("d", "c1", 6, 3, "group: 6 pad: 1 bias_term: false"), "d", {"d": [(6, 1, 3, 3)]}),
    "grouped-stride": net(conv("d", "c1", 8, 3, "group: 2 stride: 2"), "d", {"d": [(8, 3, 3, 3), (8,)]}, channels=8),
    "dilated": net(conv("d", "c1", 6, 3, "dilation: 2"), "d", {"d": [(6, 6, 3, 3), (6,)]}),
    "pool-ceil": net(layer("m", "Pooling", "c1", "m", "pooling_param { pool: MAX kernel_size: 3 stride: 2 }"), "m", {}),
    "pool-average": net(layer("m", "Pooling", "c1", "m", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }"), "m", {}),
    "lrn": net(layer("n", "LRN", "c1", "n", "lrn_param { local_size: 5 alpha: 0.1 beta: 0.75 }"), "n", {}),
    "deconvolution": net(layer("d", "Deconvolution", "c1", "d", "convolution_param { num_output: 6 kernel_size: 4 stride: 2 pad: 1 }"), "d", {"d": [(6, 6, 4, 4), (6,)]}),
    "reshape": net(layer("d", "Reshape", "c1", "d", "reshape_param { shape { dim: 0 dim: 12 dim: 6 dim: -1 } }"), "d", {}, channels=12),
    "flatten": net(layer("f", "Flatten", "c1", "f") + layer("fc", "InnerProduct", "f", "fc", "inner_product_param { num_output: 4 }"), "fc", {"fc": [(4, 864), (4,)]}, tail=SOFTMAX),
    "dropout": net(layer("f", "Dropout", "c1", "c1", "dropout_param { dropout_ratio: 0.4 }"), "c1", {}),
    "shuffle": net(layer("s", "ShuffleChannel", "c1", "s", "shuffle_channel_param { group: 2 }"), "s", {}),
    "no-softmax": net("", "c1", {}, tail=TAIL),
    "crop-axis": net(layer("s", "Slice", "c1", "a b", "slice_param { slice_dim: 1 slice_point: 3 }") + layer("e", "Eltwise", "a b", "e", "eltwise_param { operation: MAX }"), "e", {}, channels=3),
    "input-layer": net(layer("r", "ReLU", "c1", "c1"), "c1", {}, head='layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 1 dim: 3 dim: 12 dim: 12 } } }\n'),
    "comments-and-spelling": net(layer("r", "ReLU", "c1", "c1") + "# a comment\n", "c1", {}, head="name: 'net' # one\ninput: 'data'\ninput_shape: { dim: 1, dim: 3; dim: 12 dim: 12 }\n"),
}
# A description for training, of which OpenCV runs the deploy part: as the first, with data, loss and accuracy around.
TRAINING = ('layer { name: "data" type: "ImageData" top: "data" top: "label" include { phase: TRAIN } transform_param { crop_size: 12 mean_value: 104 } image_data_param { source: "a" batch_size: 32 } }\n'
            'layer { name: "data" type: "ImageData" top: "data" top: "label" include { phase: TEST } transform_param { crop_size: 12 } image_data_param { source: "b" batch_size: 1 } }\n')


def make_caffe(name, text, shapes, seed):
    rng = np.random.default_rng(seed)
    weights = field(1, b"net")
    kinds = {part.split('"')[1]: part.split('type: "')[1].split('"')[0] for part in text.split("layer {")[1:] if 'type: "' in part}
    for own, list_ in shapes.items():
        if own not in kinds:
            continue
        blobs = []
        for k, shape in enumerate(list_):
            fan = int(np.prod(shape[1:])) or 1
            value = rng.standard_normal(shape) * np.sqrt(2 / fan) if len(shape) > 1 else rng.uniform(0.2, 1.2, shape)
            if kinds[own] == "BatchNorm" and k == 2:
                value = np.ones(shape) * 2.0
            blobs.append(field(7, blob(value)))
        weights += field(100, field(1, own.encode()) + field(2, kinds[own].encode()) + b"".join(blobs))
    stem = f"{OUT}/caffe-{name}"
    with open(f"{stem}.prototxt", "w") as file:
        file.write(text)
    with open(f"{stem}.caffemodel", "wb") as file:
        file.write(weights)
    x = rng.standard_normal((1, 3, 12, 12)).astype(np.float32)
    run = text
    reader = cv2.dnn.readNetFromCaffe(np.frombuffer(run.encode(), np.uint8), np.frombuffer(weights, np.uint8))
    reader.setInput(x)
    y = reader.forward()
    cases.append({"name": f"caffe: {name}", "file": f"caffe-{name}.caffemodel", "prototxt": f"caffe-{name}.prototxt", "shape": [3, 12, 12],
                  "input": short(x), "output": short(y)})
    if name == "relu":
        body = text[len(HEAD):].replace(SOFTMAX, "")
        loss = layer("loss", "SoftmaxWithLoss", "fc label", "loss") + layer("acc", "Accuracy", "fc label", "acc", "", "include { phase: TEST }")
        with open(f"{OUT}/caffe-training.prototxt", "w") as file:
            file.write(TRAINING + body + loss)
        cases.append({**cases[-1], "name": "caffe: training", "prototxt": "caffe-training.prototxt", "logits": True})


for name, (text, shapes) in CAFFE.items():
    if wanted(f"caffe: {name}"):
        try:
            make_caffe(name, text, shapes, zlib.crc32(name.encode()))
        except Exception as error:
            notMade.append((f"caffe: {name}", f"{type(error).__name__}: {str(error)[-160:]}"))
for name, make in {**MODELS, **APPLICATIONS}.items():
    make_keras(name, make, zlib.crc32(name.encode()))
with open(f"{OUT}/cases.json", "w") as file:
    json.dump(cases, file)
print(f"{len(cases)} files")
for name, why in notMade:
    print(f"not made: {name}: {why}")
