"""Writes test/evaluation/rise-golden.json: RISE by the authors' own steps, with masks of our seeds.

generate_masks and forward are those of github.com/eclique/RISE (MIT, Petsiuk et al. 2018), but for the numbers that
numpy draws there: the order of ours is sample by sample, the grid, then the shift. pip install scikit-image; python rise_golden.py OUT.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from skimage.transform import resize

from seeded import seeded_random


def generate_masks(input_size, count, s, p1, draw):
    cell_size = np.ceil(np.array(input_size) / s)
    up_size = (s + 1) * cell_size
    masks = np.empty((count, *input_size))
    for i in range(count):
        grid = np.array([draw() < p1 for _ in range(s * s)]).reshape(s, s).astype("float32")
        x = int(draw() * cell_size[0])
        y = int(draw() * cell_size[1])
        masks[i] = resize(grid.astype("float64"), up_size, order=1, mode="reflect", anti_aliasing=False)[
            x : x + input_size[0], y : y + input_size[1]
        ]
    return masks


def main():
    height, width, count, s, p1 = 11, 14, 40, 4, 0.5
    rng = np.random.default_rng(5)
    x = rng.random((2, height, width)).astype("float32")
    w = (rng.random((2, height, width)) - 0.3).astype("float32")
    masks = generate_masks((height, width), count, s, p1, seeded_random(7))
    # The score: a softplus of a linear one, in float64.
    scores = [np.log1p(np.exp(0.2 * np.sum(w.astype("float64") * (x * mask)))) for mask in masks]
    saliency = np.tensordot(scores, masks, 1) / count / p1
    golden = dict(
        producer={name: version(name) for name in ["scikit-image", "numpy"]},
        shape=[2, height, width],
        samples=count,
        seed=7,
        cells=s,
        keep=p1,
        x=x.ravel().tolist(),
        w=w.ravel().tolist(),
        saliency=[float(f"{value:.9g}") for value in saliency.ravel()],
    )
    Path(sys.argv[1]).write_text(json.dumps(golden) + "\n")


main()
