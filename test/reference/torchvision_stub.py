"""Imports torchvision even where it was built for another torch: zennit needs the module, and neither needs the operators it misses."""

import sys

from torch import library as torch_library

try:
    import torchvision
except RuntimeError:
    for name in [each for each in sys.modules if each.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    missing = torch_library.Library("torchvision", "DEF")  # its operators last as long as it does
    for operator in ("nms", "qnms"):
        missing.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision  # noqa: F401
