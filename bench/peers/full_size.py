"""Networks of full size with seeded random weights, and PyTorch's time for them.

    python full_size.py make FOLDER NAME             model.onnx, input.bin and net.json in FOLDER
    python full_size.py forward FOLDER NAME SAMPLES   one line of JSON, as bench/peers/common.mjs prints
    python full_size.py gradient FOLDER NAME SAMPLES  the same of gradient x input of the largest logit, the forward pass included

NAME is timm's. Weights are timm's own initialisation; the statistics of batch norms are those of one batch of noise, so that values neither fade nor
grow from layer to layer. One thread. Needs torch, timm, torchvision, onnx."""

import json
import os
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/reference"))
import torchvision_stub  # noqa: F401
import numpy as np
import timm
import torch

what, folder, name = sys.argv[1:4]
path = lambda file: os.path.join(folder, file)  # noqa: E731
torch.set_num_threads(1)
torch.manual_seed(0)
started = time.perf_counter()
model = timm.create_model(name, pretrained=False).eval().requires_grad_(False)
if what == "make":
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for module in norms:
        module.momentum = 1.0
    if norms:
        with torch.no_grad():
            model.train()(torch.randn(4, 3, 224, 224))
        model.eval()
    x = torch.randn(1, 3, 224, 224)
    torch.onnx.export(model, (x,), path("model.onnx"), dynamo=False, input_names=["input"], opset_version=17)
    torch.save(model.state_dict(), path("state.pth"))
    x.numpy().astype("<f4").tofile(path("input.bin"))
    with open(path("net.json"), "w") as file:
        json.dump({"inputShape": [3, 224, 224]}, file)
    sys.exit()

model.load_state_dict(torch.load(path("state.pth")))
load_ms = 1e3 * (time.perf_counter() - started)
x = torch.from_numpy(np.fromfile(path("input.bin"), dtype="<f4").reshape(1, 3, 224, 224))


def forward():
    with torch.no_grad():
        return model(x), None


def gradient():
    a = x.clone().requires_grad_(True)
    logits = model(a)
    (g,) = torch.autograd.grad(logits.max(), a)
    return logits, g * a


run = {"forward": forward, "gradient": gradient}[what]
wall, cpu = [], []
for i in range(2 + int(sys.argv[4])):
    c, t = time.process_time(), time.perf_counter()
    logits, r = run()
    if i >= 2:
        wall.append(1e3 * (time.perf_counter() - t))
        cpu.append(1e3 * (time.process_time() - c))
print(json.dumps({
    "peer": "PyTorch", "version": torch.__version__, "threads": 1, "loadMs": load_ms, "wall": wall, "cpu": cpu,
    "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "logits": logits.detach().flatten().tolist(), "relevance": None if r is None else r.flatten().tolist(),
}))  # fmt: skip
