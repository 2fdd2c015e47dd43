"""Networks of torchvision, timm and people's own patterns with seeded random weights, through both of PyTorch's ONNX exporters, beside
PyTorch's logits and gradient x input in float64 and float32.

  python make-networks.py RESULTS.jsonl [NAME ...]

makes one network after another in a temporary folder, has `node build/test/reference/compare-networks.js FOLDER` run it, appends what that
found to RESULTS.jsonl and deletes the files; names that RESULTS.jsonl has already are left out. Names are timm's, torchvision:NAME or
pattern:NAME (network_patterns.py); without any, those of docs/networks.md. `node build/test/reference/compare-networks.js --table
RESULTS.jsonl` writes the tables. Needs torch 2.13, timm 1.0, torchvision, onnx, onnxscript, onnxruntime, and `npm run build` before.
"""

import copy
import json
import logging
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torchvision_stub  # noqa: F401
import onnxruntime
import timm
import torch
import torchvision
import zennit_by_graph
import network_patterns_downstream  # noqa: F401  adds its own to the patterns
from network_patterns import Pattern, patterns

TORCHVISION = """
alexnet convnext_tiny densenet121 efficientnet_b0 efficientnet_b1 efficientnet_v2_s googlenet inception_v3 mnasnet0_5 mnasnet1_0
mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_400mf regnet_y_400mf regnet_x_800mf regnet_y_800mf resnet18 resnet34 resnet50
resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 vgg11 vgg11_bn wide_resnet50_2 vit_b_32 swin_t
""".split()
TIMM = """
bat_resnext26ts coatnet_nano_rw_224 convformer_s18 convmixer_768_32 convnext_atto convnext_atto_ols convnext_atto_rms
convnext_zepto_rms convnextv2_atto cs3darknet_focus_s cs3darknet_s cs3se_edgenet_x csatv2 cspdarknet53 cspnext_s cspresnet50
darknet53 densenet121 densenetblur121d dla34 dla46_c dla60_res2net dm_nfnet_f0 dpn48b eca_resnet33ts ecaresnet26t
edgenext_xx_small efficientnet_b0 efficientnet_b0_g16_evos efficientnet_b0_g8_gn efficientnet_blur_b0 efficientnet_es
efficientvit_b0 ese_vovnet19b_dw ese_vovnet19b_slim fasternet_t0 fastvit_t8 fbnetc_100 fbnetv3_b focalnet_tiny_srf gcresnet33ts
gcresnext26ts gernet_s ghostnet_100 ghostnetv2_100 ghostnetv3_050 gmixer_12_224 gmlp_s16_224 hardcorenas_a hgnet_tiny hgnetv2_b0
hrnet_w18_small inception_next_atto lambda_resnet26rpt_256 lcnet_050 lcnetv2_small legacy_seresnet18 legacy_xception
mambaout_femto mixer_s32_224 mixnet_s mnasnet_100 mobilenet_edgetpu_100 mobilenetv1_100 mobilenetv1_100h mobilenetv2_050
mobilenetv3_large_100 mobilenetv3_small_100 mobilenetv4_conv_aa_medium mobilenetv4_conv_small mobilenetv4_conv_small_035
mobileone_s0 mobilevit_xxs nf_ecaresnet26 nf_regnet_b0 nf_resnet26 nf_seresnet26 nfnet_l0 poolformer_s12 poolformerv2_s12
rdnet_tiny regnetv_040 regnetx_002 regnety_002 regnetz_005 regnetz_b16 regnetz_d8_evos repghostnet_050 repvgg_a0 repvit_m0_9
res2net50_26w_4s resmlp_12_224 resnest14d resnet10t resnet18 resnet18d resnet26t resnet32ts resnet50 resnetblur18 resnetv2_18
resnetv2_50 resnetv2_50d_evos resnetv2_50d_gn resnetv2_50x1_bit resnext26ts rexnet_100 rexnetr_100 sedarknet21 selecsls42b
semnasnet_075 seresnet18 seresnext26ts skresnet18 spnasnet_100 starnet_s050 starnet_s1 test_byobnet test_convnext test_convnext2
test_convnext3 test_efficientnet test_efficientnet_evos test_efficientnet_gn test_efficientnet_ln test_mambaout test_nfnet
test_resnet tf_efficientnet_b0 tf_efficientnet_cc_b0_4e tf_efficientnet_lite0 tf_efficientnetv2_b0 tf_mixnet_s
tf_mobilenetv3_small_minimal_100 tinynet_e tresnet_m vgg11_bn vit_tiny_patch16_224 vovnet39a xception41p efficientnet_cc_b0_4e
gernet_m ghostnetv3_100 efficientnet_b0_gn mobilenetv4_conv_medium cpubone_nano nf_regnet_b1 res2net50d efficientnet_b1_pruned
fastvit_t12 mobilenetv4_conv_blur_medium legacy_seresnet34 resnetv2_50d_frn eca_nfnet_l0 inception_next_tiny xception41
regnetz_c16_evos ecaresnet50t convnextv2_femto lowformer_b0 resnet50d densenet169 tresnet_l inception_v4 selecsls42
inception_resnet_v2 mobileone_s1 skresnet34 ese_vovnet39b_evos fbnetv3_d dla60x_c hgnetv2_b2 dpn68b mixnet_l tinynet_a
hardcorenas_f efficientnet_lite1 edgenext_small efficientvit_m0 nasnetalarge pnasnet5large resnetv2_101x1_bit shvit_s1
""".split()
SIDES = {"alexnet": 224, "vgg11": 224, "vgg11_bn": 224, "inception_v3": 299, "convmixer_768_32": 56, "bat_resnext26ts": 256, "inception_v4": 128, "inception_resnet_v2": 128}
KINDS = {"TorchScript": False, "dynamo": True}
NAMES = [f"pattern:{name}" for name in patterns] + [f"torchvision:{name}" for name in TORCHVISION] + TIMM

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
torch.set_num_threads(1)
here = Path(__file__).resolve().parent
compare = here.parent.parent / "build" / "test" / "reference" / "compare-networks.js"


def create(name):
    kind, _, plain = name.rpartition(":")
    if kind == "pattern":
        return patterns[plain]()
    torch.manual_seed(0)
    if kind == "torchvision":
        extra = {"init_weights": False} if plain in ("googlenet", "inception_v3") else {}
        model, side = torchvision.models.get_model(plain, weights=None, num_classes=10, **extra), SIDES.get(plain, 64)
        if plain in ("vit_b_32", "swin_t"):
            side = 224
    else:
        model = timm.create_model(plain, pretrained=False, num_classes=10)
        side = model.default_cfg["input_size"][1] if model.default_cfg.get("fixed_input_size") else SIDES.get(plain, 64)
    return Pattern(model, torch.randn(1, 3, side, side))


def scored(pattern, module, x):
    y = module(x)
    if isinstance(y, dict):
        y = next(iter(y.values()))
    return y[pattern.pick or 0] if isinstance(y, (tuple, list)) else y


def values(pattern, dtype):
    """Logits, and gradient x input of the largest, in one precision."""
    module = copy.deepcopy(pattern.scores or pattern.module).to(dtype)
    x = pattern.x if pattern.is_integer else pattern.x.to(dtype, copy=True).requires_grad_()
    y = scored(pattern, module, x)
    product = None
    if y.dtype == dtype and not pattern.is_integer and y.requires_grad:
        target = int(y.flatten().argmax())
        (gradient,) = torch.autograd.grad(y.flatten()[target], x)
        product = pattern.as_engine(gradient * x).flatten().tolist()
    return y.detach().to(torch.float64).flatten().tolist(), product


def by_zennit(pattern, target):
    """zennit's EpsilonPlus in float64 and float32, or why it cannot be asked."""
    if pattern.is_integer or pattern.dtype is not None or pattern.after is not None or pattern.pick is not None:
        return None, None, "its file holds something else"
    found = []
    for dtype in (torch.float64, torch.float32):
        try:
            found.append(pattern.as_engine(zennit_by_graph.relevance(pattern.scores or pattern.module, pattern.x, target, dtype)).flatten().tolist())
        except Exception as error:
            return None, None, f"{type(error).__name__}: {error}"[:160]
    return *found, None


def export(pattern, path, dynamo):
    module, x = copy.deepcopy(pattern.module), pattern.x
    if pattern.dtype is not None:
        module, x = module.to(pattern.dtype), x.to(pattern.dtype)
    extra = dict(pattern.export)
    dynamic = extra.pop("dynamic", None)
    if dynamic is not None:
        extra |= {"dynamic_shapes": ({axis: torch.export.Dim.AUTO for axis in dynamic},)} if dynamo else {"dynamic_axes": {"input": dynamic}}
    if extra.pop("script", False) and not dynamo:
        module = torch.jit.script(module)
    if dynamo:
        extra |= {"external_data": False, "verbose": False}
    else:
        extra |= {"opset_version": 17}
    torch.onnx.export(module, (x,), str(path), dynamo=dynamo, input_names=["input"], **extra)
    if pattern.after is not None:
        pattern.after(path, pattern.x)


def by_onnxruntime(path, pattern):
    """Logits of the exported file; None where onnxruntime lacks a kernel, or the file ends in something else."""
    if pattern.scores is not None:
        return None
    try:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        x = pattern.x if pattern.dtype is None or pattern.dtype == torch.bfloat16 else pattern.x.to(pattern.dtype)
        outputs = [pattern.output] if pattern.output else [session.get_outputs()[pattern.pick or 0].name]
        return session.run(outputs, {session.get_inputs()[0].name: x.numpy()})[0].astype("float64").ravel().tolist()
    except Exception:
        return None


def make(name, folder):
    pattern = create(name)
    pattern.module.eval().requires_grad_(False)
    for module in pattern.module.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)) and module.running_var is not None:
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    with torch.no_grad():
        pattern.module(pattern.x)  # weights worked out by hooks lose their graph, which could not be copied
    double, product = values(pattern, torch.float64)
    single, rough = values(pattern, torch.float32)
    files, failed, runtime = {}, {}, {}
    by, rough_by, why_not = by_zennit(pattern, double.index(max(double)))
    for kind, dynamo in KINDS.items():
        try:
            export(pattern, folder / f"{kind}.onnx", dynamo)
            files[kind] = f"{kind}.onnx"
            runtime[kind] = by_onnxruntime(folder / f"{kind}.onnx", pattern)
        except Exception as error:  # what the exporter itself refuses
            failed[kind] = f"{type(error).__name__}: {str(error).strip()}".replace("\n", " ")[:160]
    x = pattern.as_engine(pattern.x)
    case = {
        "name": name, "shape": list(x.shape[1:]), "x": x.double().flatten().tolist(), "double": double, "single": single, "product": product, "roughProduct": rough,
        "zennit": by, "roughZennit": rough_by, "notZennit": why_not,
        "files": files, "runtime": runtime, "notExported": failed, "output": pattern.output, "inputShape": pattern.input_shape, "tolerance": pattern.tolerance, "reason": pattern.reason,
    }  # fmt: skip
    (folder / "case.json").write_text(json.dumps(case))


def main():
    results = Path(sys.argv[1])
    done = {json.loads(line)["name"] for line in results.read_text().splitlines()} if results.exists() else set()
    for name in sys.argv[2:] or NAMES:
        if name in done:
            continue
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                make(name, Path(folder))
                text = subprocess.run(["node", str(compare), folder], capture_output=True, text=True, check=True).stdout.strip()
            except Exception as error:
                text = json.dumps({"name": name, "broken": f"{type(error).__name__}: {error} {getattr(error, 'stderr', '')}"[:400]})
        with results.open("a") as file:
            file.write(text + "\n")
        print(f"{time.monotonic() - begin:.0f} s {text[:300]}", flush=True)


main()
