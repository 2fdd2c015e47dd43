"""Writes test/evaluation/model-goldens.json: what Quantus, captum and pytorch-grad-cam make of small models, with the noise of our seeds.

The models are written out in full (weights, inputs, maps), so that the tests need neither Python nor torch. pip install quantus captum
grad-cam ttach; python evaluation_model_goldens.py OUT.
"""

import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import torchvision_stub  # noqa: F401
import numpy as np
import quantus
import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Occlusion, Saliency
from captum.metrics import sensitivity_max
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, LayerCAM
from quantus.functions.perturb_func import noisy_linear_imputation
from quantus.functions.similarity_func import correlation_spearman, ssim  # ssim gives a list where MPRT wants an array
from skimage.metrics import structural_similarity

from seeded import seeded_normal, seeded_random

warnings.filterwarnings("ignore")
np.trapz = np.trapezoid  # Quantus 0.6 asks for the name that numpy 2 took away
S = 12
OPTIONS = dict(abs=False, normalise=False, disable_warnings=True)


class Linear(torch.nn.Module):
    """Three classes, one row of weights each."""

    def __init__(self, weights):
        super().__init__()
        self.dense = torch.nn.Linear(S * S, 3, bias=False)
        self.dense.weight.data = torch.tensor(weights, dtype=torch.float32)

    def forward(self, x):
        return self.dense(x.flatten(1))


class Two(torch.nn.Module):
    """Two layers, for the parameter randomisation."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.first = torch.nn.Linear(S * S, 5)
        self.second = torch.nn.Linear(5, 3)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x.flatten(1))))


def flat(array):
    return np.asarray(array, dtype=np.float64).ravel().tolist()


def perturbations(rng):
    weights = (rng.random((3, S * S)) - 0.5) * 0.2
    model = Linear(weights).eval()
    x = rng.random((4, 1, S, S)).astype(np.float32)
    a = rng.random((4, 1, S, S))
    y = model(torch.tensor(x)).argmax(1).numpy()
    given = dict(model=model, x_batch=x, y_batch=y, a_batch=a, device="cpu", softmax=True)

    def road_fill(arr, indices, **_):
        indices = np.sort(indices)
        out = noisy_linear_imputation(arr, indices, noise=0.0).reshape(-1)
        normal = seeded_normal(1)
        for index in indices:
            out[index] += 0.01 * normal()
        return out.reshape(arr.shape)

    steps = list(range(10, 100, 10))
    black = dict(perturb_baseline=0.0, **OPTIONS)
    road = quantus.ROAD(percentages=steps, perturb_func=road_fill, **OPTIONS)
    road(**given)
    scores = np.asarray([road.evaluation_scores[p] for p in steps], dtype=float)
    sensitivity = quantus.SensitivityN(
        features_in_step=12,
        n_max_percentage=1.0,
        similarity_func=quantus.similarity_func.correlation_pearson,
        return_aggregate=True,
        **black,
    )
    picture = rng.random((2, S, S))
    missing = np.sort(rng.permutation(S * S)[:90])
    return dict(
        weights=[flat(row) for row in weights],
        x=[flat(each) for each in x],
        a=[flat(each) for each in a],
        y=y.tolist(),
        pixelFlipping=np.asarray(quantus.PixelFlipping(features_in_step=12, **black)(**given)).tolist(),
        pixelFlippingAuc=np.asarray(
            quantus.PixelFlipping(features_in_step=12, return_auc_per_sample=True, **black)(**given)
        ).tolist(),
        regions4=np.asarray(quantus.RegionPerturbation(patch_size=4, regions_evaluation=9, **black)(**given)).tolist(),
        regions5=np.asarray(quantus.RegionPerturbation(patch_size=5, regions_evaluation=9, **black)(**given)).tolist(),
        road=scores.tolist(),
        sensitivityN=float(np.ravel(sensitivity(**given))[0]),
        picture=flat(picture),
        missing=missing.tolist(),
        imputed=flat(noisy_linear_imputation(picture, missing, noise=0.0)),
    )


def randomisation(rng):
    model = Two().eval()
    x = rng.random((1, 1, S, S)).astype(np.float32)
    y = np.array([1])
    made = []

    def explain(model, inputs, targets, **_):
        inputs = torch.tensor(np.asarray(inputs), dtype=torch.float32, requires_grad=True)
        model(inputs)[torch.arange(len(targets)), torch.tensor(np.asarray(targets))].sum().backward()
        map_ = (inputs * inputs.grad).abs().detach().numpy()
        made.append(flat(map_))
        return map_

    out = {}
    for order, name in (("top_down", "cascading"), ("independent", "independent")):
        for measure, similarity in (("spearman", correlation_spearman), ("ssim", lambda a, b, **_: np.asarray(ssim(a, b, batched=True)))):
            a = explain(model, x, y)
            made.clear()
            metric = quantus.MPRT(layer_order=order, similarity_func=similarity, seed=7, **OPTIONS)
            given = dict(model=model, x_batch=x, y_batch=y, a_batch=a, device="cpu", explain_func=explain)
            scores = metric(**given)
            maps = made[-(len(scores) - 1) :]
            entry = out.setdefault(name, dict(map=flat(a), layers=[key for key in scores if key != "original"], maps=maps))
            entry[measure] = [float(value[0]) for key, value in scores.items() if key != "original"]
    a = explain(model, x, y)
    made.clear()
    logit = quantus.RandomLogit(num_classes=3, seed=5, **OPTIONS)
    given = dict(model=model, x_batch=x, y_batch=y, a_batch=a, device="cpu", explain_func=explain)
    score = float(np.ravel(logit(**given))[0])
    other = np.asarray(made[-1])
    range_ = max(a.max(), other.max()) - min(a.min(), other.min())
    flat_wise = structural_similarity(a.reshape(S, S), other.reshape(S, S), data_range=range_)
    out["randomLogit"] = dict(map=flat(a), other=made[-1], flattened=score, ssim=float(flat_wise))
    return out


def sensitivities(rng):
    weights = rng.random(S * S) - 0.4
    x = rng.random((1, 1, S, S))

    def map_of(inputs):
        return np.abs(np.asarray(inputs, dtype=np.float64).reshape(-1) * weights) + np.asarray(inputs).reshape(-1) ** 2

    draws = seeded_random(1)

    def noisy(arr, indices, **_):
        out = np.asarray(arr, dtype=np.float64).copy().reshape(-1)
        out = np.array([np.float32(np.float32(value) + 0.2 * (2 * draws() - 1)) for value in out], dtype=np.float64)
        return out.reshape(arr.shape)

    x = x.astype(np.float32).astype(np.float64)
    model = Linear(rng.random((3, S * S)))
    metric = quantus.MaxSensitivity(nr_samples=6, perturb_func=noisy, return_nan_when_prediction_changes=False, **OPTIONS)
    explain = lambda model, inputs, targets, **_: map_of(inputs).reshape(1, 1, S, S)  # noqa: E731
    score = metric(
        model=model, x_batch=x, y_batch=np.array([1]), a_batch=map_of(x).reshape(1, 1, S, S), device="cpu", explain_func=explain
    )
    draws = seeded_random(1)

    def noisy_torch(inputs, _radius=None):
        rows = [noisy(row.numpy()[None], None) for row in inputs]
        return torch.tensor(np.concatenate(rows))

    def maps_of(inputs):
        batch = inputs[0] if isinstance(inputs, tuple) else inputs
        return torch.tensor(np.stack([map_of(row) for row in batch.numpy()])).reshape(-1, 1, S, S)

    captum_score = sensitivity_max(
        maps_of,
        torch.tensor(x),
        perturb_func=lambda inputs: noisy_torch(inputs),
        n_perturb_samples=6,
        max_examples_per_batch=1,  # of n at once captum 0.9 gives the square root of n times as much
    )
    return dict(
        weights=flat(weights), x=flat(x), quantus=float(np.ravel(score)[0]), captum=float(captum_score.ravel()[0])
    )


def rivals(rng):
    """f(x) = sum over j of v[j] softplus(w[j] . x), in float64."""
    w = torch.tensor((rng.random((4, S * S)) - 0.5) * 0.6)
    v = torch.tensor(rng.random(4) - 0.3)
    x = torch.tensor(rng.random((1, 1, S, S)))
    net = lambda inputs: (torch.nn.functional.softplus(inputs.flatten(1) @ w.T) @ v)  # noqa: E731
    ig = IntegratedGradients(net).attribute(x, torch.zeros_like(x), n_steps=20, method="riemann_middle")
    squares = lambda size, stride: Occlusion(net).attribute(  # noqa: E731
        x, sliding_window_shapes=(1, size, size), strides=(1, stride, stride), baselines=0
    )
    plain = torch.normal
    normal = seeded_normal(1)
    torch.normal = lambda mean, std: mean + std * torch.tensor([normal() for _ in range(std.numel())]).reshape(std.shape)
    sigma = 0.15 * float(x.max() - x.min())
    smooth = NoiseTunnel(Saliency(net)).attribute(x, nt_samples=5, nt_type="smoothgrad", stdevs=sigma, abs=False)
    torch.normal = plain
    a, g = rng.random((1, 3, 4, 5)), rng.random((1, 3, 4, 5)) - 0.4
    cam = {}
    for name, kind in (("gradcam", GradCAM), ("gradcam++", GradCAMPlusPlus), ("layercam", LayerCAM)):
        empty = kind(torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1)), [])
        cam[name] = flat(np.maximum(empty.get_cam_image(np.zeros((1, 1, 4, 5)), None, [], a, g, False), 0))
    return dict(
        w=[flat(row) for row in w],
        v=flat(v),
        x=flat(x),
        integratedGradients=flat(ig),
        occlusion4=flat(squares(4, 4)),
        occlusion4by2=flat(squares(4, 2)),
        occlusion5by3=flat(squares(5, 3)),
        smoothGrad=flat(smooth),
        featureMap=flat(a),
        gradient=flat(g),
        cam=cam,
    )


def main():
    rng = np.random.default_rng(11)
    packages = ["quantus", "captum", "grad-cam", "torch", "numpy", "scipy", "scikit-image"]
    parts = dict(
        producer={name: version(name) for name in packages},
        side=S,
        perturbations=perturbations(rng),
        randomisation=randomisation(rng),
        sensitivities=sensitivities(rng),
        rivals=rivals(rng),
    )
    Path(sys.argv[1]).write_text(json.dumps(parts) + "\n")


main()
