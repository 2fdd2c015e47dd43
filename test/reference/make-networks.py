"""Networks of torchvision and timm with seeded random weights as ONNX files, and PyTorch's logits in float64 and float32.

  python make-networks.py FOLDER [NAME ...]

Names are timm's, or torchvision:NAME; without any, those of docs/networks.md. `node build/test/reference/compare-networks.js FOLDER` then
writes the table. Needs torch 2.13, timm, torchvision, onnx. Batch norms get statistics that are not trivial; inputs are 3x64x64 noise.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import torchvision_stub  # noqa: F401
import timm
import torch
import torchvision

NAMES = """
convnext_atto cspresnet50 darknet53 densenet121 dla34 edgenext_xx_small efficientnet_b0 ese_vovnet19b_dw fastvit_t8 fbnetc_100
ghostnet_100 lcnet_050 mnasnet_100 mobilenetv3_small_100 mobileone_s0 mobilevit_xxs nfnet_l0 regnety_002 repvgg_a0
res2net50_26w_4s resnet18 resnet50 resnetv2_50 rexnet_100 selecsls42b seresnet18 skresnet18 tf_efficientnet_lite0 tinynet_e
""".split()

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
torch.set_num_threads(1)


def create(name):
    if name.startswith("torchvision:"):
        return torchvision.models.get_model(name.split(":")[1], weights=None, num_classes=10)
    return timm.create_model(name, pretrained=False, num_classes=10)


def make(name, folder):
    torch.manual_seed(0)
    model = create(name).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    side = 224 if "vit_" in name or "mixer" in name or "inception" in name else 64
    x = torch.randn(1, 3, side, side)
    path = folder / f"{name.replace(':', '-')}.onnx"
    with torch.no_grad():
        single = model(x)
        torch.onnx.export(model, x, str(path), dynamo=False, opset_version=17)
        double = model.double()(x.double())
    values = {"name": name, "shape": list(x.shape[1:]), "x": x.ravel().tolist(), "double": double.ravel().tolist(), "single": single.ravel().tolist()}
    path.with_suffix(".json").write_text(json.dumps(values))


folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name in sys.argv[2:] or NAMES:
    try:
        make(name, folder)
        print("made", name, flush=True)
    except Exception as error:  # the exporter refuses some
        print("not made", name, type(error).__name__, str(error)[:120].replace("\n", " "), flush=True)
