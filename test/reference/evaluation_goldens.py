"""Writes test/evaluation/goldens.json: seeded maps and masks with what Quantus, scipy and scikit-image make of them."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import torchvision_stub  # noqa: F401
import numpy as np
import quantus
from scipy.stats import rankdata, spearmanr
from skimage.metrics import structural_similarity

S = 20
X = np.zeros((1, 1, S, S))
OPTIONS = dict(abs=False, normalise=False, disable_warnings=True)


def value(metric, a, s):
    given = dict(model=None, x_batch=X, y_batch=np.zeros(1, int), a_batch=a[None, None].copy(), device="cpu")
    if s is not None:
        given["s_batch"] = s[None, None].astype(bool)
    return float(np.asarray(metric(**given))[0])


def main():
    cases = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        a = rng.random((S, S)) ** 3
        b = a + 0.3 * rng.random((S, S))
        s = np.zeros((S, S))
        y, x = rng.integers(0, 10, 2)
        s[y : y + 8, x : x + 6] = 1
        a = a * (1 + 2 * s)
        range_ = max(a.max(), b.max()) - min(a.min(), b.min())
        cases.append(
            dict(
                a=a.ravel().tolist(),
                b=b.ravel().tolist(),
                mask=s.astype(int).ravel().tolist(),
                pointingGame=value(quantus.PointingGame(**OPTIONS), a, s),
                massAccuracy=value(quantus.RelevanceMassAccuracy(**OPTIONS), a, s),
                rankAccuracy=value(quantus.RelevanceRankAccuracy(**OPTIONS), a, s),
                topKIntersection=value(quantus.TopKIntersection(k=30, **OPTIONS), a, s),
                auc=value(quantus.AUC(**OPTIONS), a, s),
                sparseness=value(quantus.Sparseness(**OPTIONS), a, None),
                complexity=value(quantus.Complexity(**OPTIONS), a, None),
                effectiveComplexity=value(quantus.EffectiveComplexity(eps=0.1, **OPTIONS), a, None),
                spearman=float(spearmanr(a.ravel(), b.ravel())[0]),
                ssim=float(structural_similarity(a, b, data_range=range_)),
            )
        )
    packages = ["quantus", "numpy", "scipy", "scikit-image", "scikit-learn"]
    producer = {name: version(name) for name in packages}
    text = json.dumps(dict(producer=producer, width=S, cases=cases))
    Path(sys.argv[1]).write_text(text + "\n")


main()
