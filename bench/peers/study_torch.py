"""The study of `srmap evaluate` in Python: python study_torch.py PHOTOS ANNOTATIONS WEIGHTS COUNT THREADS. Prints one line of JSON.
SqueezeNet 1.1 (models/squeezenet1_1-caffe.safetensors), the annotated class; six maps of each photo (relevance by zennit's EpsilonPlus by size,
the same blurred by scipy, Grad-CAM, Grad-CAM++ and LayerCAM of the last Fire module, a centred Gaussian) and four
metrics of each by Quantus (pointing game, mass and rank accuracy, AUC). Timed: from the first photo to the last number, without imports."""

import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test/reference"))
import torchvision_stub  # noqa: E402, F401
import quantus  # noqa: E402
from squeezenet_torch import squeezenet  # noqa: E402
from zennit.composites import EpsilonPlus  # noqa: E402

warnings.filterwarnings("ignore")
photos, annotations, threads = Path(sys.argv[1]), json.load(open(sys.argv[2])), int(sys.argv[5])
torch.set_num_threads(threads)
model = squeezenet(sys.argv[3])
last = model[12]
options = dict(abs=False, normalise=False, disable_warnings=True)
metrics = dict(
    pointing=quantus.PointingGame(**options),
    mass=quantus.RelevanceMassAccuracy(**options),
    rank=quantus.RelevanceRankAccuracy(**options),
    auc=quantus.AUC(**options),
)
mean, std = (np.array(v, np.float32)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
boxes = {}
for each in annotations["annotations"]:
    boxes.setdefault(each["image_id"], []).append(each)
SIDE = 224
centres = np.arange(SIDE) + 0.5
bet = np.exp(-0.5 * (((centres[None] / SIDE - 0.5) / 0.25) ** 2 + ((centres[:, None] / SIDE - 0.5) / 0.25) ** 2))


def enlarge(cam):
    return torch.nn.functional.interpolate(cam.clamp(min=0)[None, None], (SIDE, SIDE), mode="bilinear")[0, 0].numpy()


def maps_of(x, index):
    with EpsilonPlus().context(model) as modified:
        logits = modified(x)
        start = torch.zeros_like(logits)
        start[0, index] = logits[0, index].detach()
        (relevance,) = torch.autograd.grad(logits, x, grad_outputs=start)
    relevance = relevance[0].numpy().astype(np.float64)
    by_size = np.abs(relevance).sum(0)
    kept = []
    handle = last.register_forward_hook(lambda _, __, out: kept.append(out))
    logits = model(x)
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[0, index], kept[0])
    features, gradient = kept[0][0].detach(), gradient[0]
    mass = features.sum((1, 2), keepdim=True)
    alpha = gradient**2 / (2 * gradient**2 + mass * gradient**3 + 1e-6)
    return {
        "epsilonPlus:|R|": by_size,
        "epsilonPlus:blur": gaussian_filter(by_size, 5),
        "gradcam": enlarge((gradient.mean((1, 2), keepdim=True) * features).sum(0)),
        "gradcam++": enlarge(((gradient.clamp(min=0) * alpha).sum((1, 2), keepdim=True) * features).sum(0)),
        "layercam": enlarge((gradient.clamp(min=0) * features).sum(0)),
        "gaussian": bet,
    }


def mask_of(image):
    mask = np.zeros((SIDE, SIDE), bool)
    x = centres * image["width"] / SIDE
    y = centres * image["height"] / SIDE
    for each in boxes[image["id"]]:
        left, top, width, height = each["bbox"]
        mask |= ((y >= top) & (y < top + height))[:, None] & ((x >= left) & (x < left + width))[None]
    return mask


images = sorted(annotations["images"], key=lambda image: image["file_name"])[: int(sys.argv[4])]
rows = {}
cpu, wall = time.process_time(), time.perf_counter()
for image in images:
    photo = Image.open(photos / image["file_name"]).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    x = torch.from_numpy((np.asarray(photo, np.float32).transpose(2, 0, 1) / 255 - mean) / std)[None].requires_grad_(True)
    index = boxes[image["id"]][0]["category_id"]
    mask = mask_of(image)[None, None].astype(int)
    row = {}
    for name, a in maps_of(x, index).items():
        given = dict(x_batch=x.detach().numpy(), y_batch=np.array([index]), a_batch=a[None, None], s_batch=mask)
        row[name] = {m: float(np.ravel(f(model=model, device="cpu", **given))[0]) for m, f in metrics.items()}
    rows[image["file_name"]] = row
print(json.dumps({
    "versions": {name: version(name) for name in ["torch", "zennit", "quantus"]}, "photos": len(images),
    "wall": 1e3 * (time.perf_counter() - wall), "cpu": 1e3 * (time.process_time() - cpu), "rows": rows,
}))  # fmt: skip
