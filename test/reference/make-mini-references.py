"""Makes test/golden/mini-nets.json: PyTorch's float64 logits and relevance maps of the networks in the package.

    node test/reference/export-mini-inputs.mjs DIR && python test/reference/make-mini-references.py DIR

The inputs are the example photos as srmap prepares them. Of each map every 373rd value is kept, of 150,528. Uses
models/reference.py, which is written from the rules' definitions, without autograd; needs torch, numpy, safetensors, pillow.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

root = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / "models")]
from reference import MODELS, Net, forward, relevance  # noqa: E402

STEP = 373
entries = []
for model in MODELS:
    net = Net(root / "models", model)
    for path in sorted(Path(sys.argv[1]).glob("*.npy")):
        x = torch.from_numpy(np.load(path)).double()[None]
        logits = forward(net, x)[2]
        target = int(logits.argmax())
        entry = {"model": model, "photo": path.stem, "target": target, "logits": logits[0].tolist()}
        for rule in ("li2019", "epsilonPlus"):
            r = relevance(net, rule, x, target)
            entry[rule] = [float(f"{v:.9g}") for v in r.flatten()[::STEP]]
            entry[f"{rule}Largest"] = float(r.abs().max())
        entries.append(entry)
producer = f"PyTorch {torch.__version__} in float64, models/reference.py"
(root / "test/golden/mini-nets.json").write_text(json.dumps({"producer": producer, "step": STEP, "entries": entries}) + "\n")
