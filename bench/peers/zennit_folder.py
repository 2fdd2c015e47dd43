"""zennit over a folder of photos: python zennit_folder.py PHOTOS WEIGHTS OUT THREADS. Prints one line of JSON.
SqueezeNet 1.1 without padding in its first layer (models/squeezenet1_1-caffe.safetensors, torchvision's names), EpsilonPlus of the likeliest
class's logit, one photo after another: decoded and squashed by Pillow, prepared, explained, written as .npy. That is what
`srmap explain PHOTOS --no-salient --write npy` does."""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test/reference"))
import torchvision_stub  # noqa: E402, F401
from squeezenet_torch import squeezenet  # noqa: E402
from zennit.composites import EpsilonPlus  # noqa: E402

photos, out, threads = sys.argv[1], Path(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)


model = squeezenet(sys.argv[2])
mean, std = (np.array(v, np.float32)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
names = sorted(path.name for path in Path(photos).iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
cpu, wall = time.process_time(), time.perf_counter()
for name in names:
    photo = Image.open(Path(photos) / name).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
    x = torch.from_numpy((np.asarray(photo, np.float32).transpose(2, 0, 1) / 255 - mean) / std)[None].requires_grad_(True)
    with EpsilonPlus().context(model) as modified:
        logits = modified(x)
        start = torch.zeros_like(logits)
        start[0, logits.argmax()] = logits.max().detach()
        (relevance,) = torch.autograd.grad(logits, x, grad_outputs=start)
    folder = out / name
    folder.mkdir(parents=True)
    np.save(folder / "relevance.npy", relevance[0].numpy())
    np.save(folder / "logits.npy", logits[0].detach().numpy())
print(json.dumps({
    "version": version("zennit"), "photos": len(names),
    "wall": 1e3 * (time.perf_counter() - wall), "cpu": 1e3 * (time.process_time() - cpu),
}))  # fmt: skip
