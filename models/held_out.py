"""Writes the held-out photos of train.py's split as files, a folder per class: python held_out.py DIR_OF_TAR OUT"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import torch

from train import CLASSES, HELD_OUT_PER_CLASS, SEED


def main(data: str, out: str) -> None:
    with tarfile.open(Path(data) / "imagenette-160.tar") as tar:
        members = [m for m in tar.getmembers() if m.isfile() and m.name.split("/")[-3:][0] == "val"]
        members.sort(key=lambda m: m.name)
        wnids = [m.name.split("/")[-2] for m in members]
        place = {wnid: k for k, (wnid, _, _) in enumerate(CLASSES)}
        labels = torch.tensor([place[wnid] for wnid in wnids])
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SEED))
        for k, (wnid, _, _) in enumerate(CLASSES):
            folder = Path(out) / wnid
            folder.mkdir(parents=True, exist_ok=True)
            for index in order[labels[order] == k][:HELD_OUT_PER_CLASS].tolist():
                member = members[index]
                (folder / Path(member.name).name).write_bytes(tar.extractfile(member).read())


if __name__ == "__main__":
    main(*sys.argv[1:])
