"""Measures an exported model on a folder of photos with labels.json, in float32 arithmetic.

    python evaluate.py alexnet-mini --models DIR --photos DIR [--data DIR]

Compares the float16 file with the float32 weights it was rounded from when <model>.f32.safetensors is beside it.
With --data (the folder with imagenette-160.tar) the held-out part of the training data is measured too.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from train import CLASSES, prepare, read_photos, run_layers, split_held_out


def read_labelled(folder: Path) -> tuple[Tensor, Tensor]:
    """Photos uint8 [n,3,224,224] in the order of their names, labels 0..9."""
    label_of = {wnid: i for i, (wnid, _, _) in enumerate(CLASSES)}
    entries = sorted(json.loads((folder / "labels.json").read_text()).items())
    photos = [np.asarray(Image.open(folder / name).convert("RGB")).transpose(2, 0, 1) for name, _ in entries]
    return torch.from_numpy(np.stack(photos)), torch.tensor([label_of[e["wnid"]] for _, e in entries])


@torch.no_grad()
def logits_of(layers: list[dict], tensors: dict[str, Tensor], photos: Tensor) -> Tensor:
    return torch.cat([run_layers(layers, tensors, prepare(photos[i : i + 50])) for i in range(0, len(photos), 50)])


def report(title: str, logits: Tensor, labels: Tensor) -> None:
    right = logits.argmax(1) == labels
    print(f"{title}: {int(right.sum())} of {len(labels)} = {100 * right.float().mean():.1f} %")
    for k, (_, _, name) in enumerate(CLASSES):
        of_class = labels == k
        print(f"  {name}: {int(right[of_class].sum())} of {int(of_class.sum())}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--models", type=Path, default=Path("."), help="folder with <model>.safetensors and .json")
    parser.add_argument("--photos", type=Path, required=True, help="folder with photos and labels.json")
    parser.add_argument("--data", type=Path, help="folder with imagenette-160.tar")
    args = parser.parse_args()
    layers = json.loads((args.models / f"{args.model}.json").read_text())["layers"]
    files = {"float16": args.models / f"{args.model}.safetensors", "float32": args.models / f"{args.model}.f32.safetensors"}
    weights = {k: {n: t.float() for n, t in load_file(p).items()} for k, p in files.items() if p.exists()}
    sets = {args.photos.name: read_labelled(args.photos)}
    if args.data:
        sets["held-out"] = split_held_out(read_photos(args.data / "imagenette-160.tar"))[2:]
    for name, (photos, labels) in sets.items():
        logits = {k: logits_of(layers, w, photos) for k, w in weights.items()}
        for k, values in logits.items():
            report(f"{name}, {k} weights", values, labels)
        if "float32" in logits:
            apart = (logits["float16"] - logits["float32"]).abs().max()
            changed = int((logits["float16"].argmax(1) != logits["float32"].argmax(1)).sum())
            print(f"{name}: float16 against float32 weights: largest logit change {apart:.2e}, {changed} answers changed")


if __name__ == "__main__":
    main()
