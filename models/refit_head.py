"""Gives vgg-mini's dense head leaky units and trains the head again on the features of its convolutions, which stay as they are.

    python refit_head.py --data DIR --model DIR_OF_vgg-mini --out OUT [--passes N] [--threads N]

ReLU units of the head that are 0 for a photo leave its score to the biases alone: an empty relevance map (11 of 250 photos). The head starts from
its weights; each pass computes the features of every training photo once, freshly augmented as train.py does, then the head learns
from all passes. The 500 held-out photos of train.py choose nothing here but are reported; DIR holds imagenette-160.tar.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import platform
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import train

SLOPE = 0.01  # PyTorch's own default for leaky ReLU


def features(layers: list[dict], tensors: dict[str, Tensor], x: Tensor) -> Tensor:
    """What enters the first dense layer."""
    upto = next(i for i, layer in enumerate(layers) if layer["op"] == "dense")
    return train.run_layers(layers[:upto], tensors, x)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--passes", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(train.SEED)
    args.out.mkdir(parents=True, exist_ok=True)
    log = train.Log(args.out / "vgg-mini.refit.log")
    log(f"command: python {' '.join(sys.argv)}")
    log(f"versions: python {platform.python_version()}, torch {torch.__version__}")
    description = json.loads((args.model / "vgg-mini.json").read_text())
    stored = args.model / "vgg-mini.safetensors"
    log(f"from: {stored.name} sha256 {hashlib.sha256(stored.read_bytes()).hexdigest()}")
    tensors = {name: tensor.float() for name, tensor in load_file(stored).items()}
    layers = description["layers"]
    x_train, y_train, x_held, y_held = train.split_held_out(train.read_photos(args.data / "imagenette-160.tar"))
    start = time.time()
    with torch.no_grad():
        held = torch.cat([features(layers, tensors, train.prepare(x_held[i : i + 50])) for i in range(0, len(x_held), 50)])
        passes: list[Tensor] = []
        for number in range(args.passes):
            parts = []
            for i in range(0, len(x_train), 64):
                batch = x_train[i : i + 64]
                # The first pass sees the photos as they are tested.
                x = train.prepare(batch) if number == 0 else train.augment(batch, train.INPUT_SIZE)
                parts.append(features(layers, tensors, x.contiguous(memory_format=torch.channels_last)).half())
            passes.append(torch.cat(parts))
            log(f"pass {number + 1} of {args.passes}: {time.time() - start:.0f} s")
    names = ["classifier.0", "classifier.3", "classifier.6"]
    linears = [nn.Linear(tensors[f"{n}.weight"].shape[1], tensors[f"{n}.weight"].shape[0]) for n in names]
    for linear, name in zip(linears, names):
        linear.weight.data.copy_(tensors[f"{name}.weight"])
        linear.bias.data.copy_(tensors[f"{name}.bias"])
    head = nn.Sequential(
        nn.Dropout(0.3), linears[0], nn.LeakyReLU(SLOPE), nn.Dropout(0.3), linears[1], nn.LeakyReLU(SLOPE), linears[2]
    )
    average = copy.deepcopy(head)
    optimizer = torch.optim.AdamW(head.parameters(), 3e-4, weight_decay=0.05)
    steps, step = args.epochs * (len(y_train) // 128), 0

    def accuracy() -> float:
        average.eval()
        with torch.no_grad():
            return float((average(held).argmax(1) == y_held).float().mean())

    log(f"held-out before: {accuracy():.4f}")
    for epoch in range(args.epochs):
        order = torch.randperm(len(y_train))
        which = torch.randint(len(passes), (len(y_train),))
        for i in range(len(y_train) // 128):
            chosen = order[i * 128 : (i + 1) * 128]
            x = torch.stack([passes[int(which[k])][k] for k in chosen]).float()
            for group in optimizer.param_groups:
                group["lr"] = 3e-4 * train.one_cycle(step / steps)
            head.train()
            loss = F.cross_entropy(head(x), y_train[chosen], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            train.update_average(average, head, 0.99)
            step += 1
        if epoch % 5 == 4:
            log(f"epoch {epoch + 1}: loss {loss.item():.3f}, held-out {accuracy():.4f}, {time.time() - start:.0f} s")
    for linear, name in zip([average[1], average[4], average[6]], names):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = linear.weight.detach(), linear.bias.detach()
    dense = [i for i, layer in enumerate(layers) if layer["op"] == "dense"]
    for i in dense[:-1]:
        layers[i + 1] = {**layers[i + 1], "op": "leakyRelu", "slope": SLOPE}
    save_file({name: tensor.half().contiguous() for name, tensor in tensors.items()}, args.out / "vgg-mini.safetensors")
    (args.out / "vgg-mini.json").write_text(json.dumps(description, indent=2) + "\n")
    log(f"done: held-out {accuracy():.4f}, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
