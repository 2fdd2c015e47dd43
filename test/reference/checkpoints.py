"""Full-size checkpoints as training saves them, for test/weights-loader/full-size-checkpoints.test.ts, which runs this script.

    python test/reference/checkpoints.py FOLDER ARCH CLASSES PHOTO KIND...

ARCH is one of torchvision's, with CLASSES classes, trained for two steps on noise; KIND says how it is saved, see `kinds`.
FOLDER gets KIND.pth (or .ckpt) for each, its logits for PHOTO (KIND.f64 from float64, KIND.f32 from float32) and names.txt.
Needs torch 2.13, torchvision, timm, pytorch-lightning, omegaconf and Pillow.
"""

import argparse
import collections
import contextlib
import copy
import datetime
import logging
import pathlib
import random
import sys
import warnings

import numpy as np
import torch
from PIL import Image

from initialised import initialise
from torchvision_stub import torchvision  # before what imports torchvision itself
import torchvision.transforms.functional as transforms  # noqa: E402

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
folder, arch, classes = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
photo = Image.open(sys.argv[4]).convert("RGB")
folder.mkdir(parents=True, exist_ok=True)
loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)


def made():
    """Weights whose activations neither fade nor explode; batch norms with statistics of their own."""
    torch.manual_seed(classes)
    net = getattr(torchvision.models, arch)(weights=None, num_classes=classes)
    initialise(net, momentum=0.5)
    return net


def batch():
    return torch.randn(2, 3, 128 if arch.startswith("alexnet") else 96, 128 if arch.startswith("alexnet") else 96), torch.randint(classes, (2,))


def trained(net, optimizer, after=lambda: None):
    net.train()
    for _ in range(2):
        x, y = batch()
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()
        after()
    return net


def sgd(net):
    return torch.optim.SGD(net.parameters(), lr=1e-5, momentum=0.9)


def plain():
    net = made()
    return trained(net, sgd(net)), lambda path: torch.save(net.state_dict(), path)


def whole():
    """As PyTorch's ImageNet example saves it."""
    net = made()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-6)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 30)
    trained(net, optimizer, scheduler.step)
    checkpoint = {
        "epoch": 7, "arch": arch, "state_dict": net.state_dict(), "best_acc1": torch.tensor(71.5),
        "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
    }  # fmt: skip
    return net, lambda path: torch.save(checkpoint, path)


def neighbours():
    """Whatever people put beside the weights."""
    net = made()
    optimizer = sgd(net)
    trained(net, optimizer)
    history = collections.defaultdict(list)
    history["loss"].append(np.float32(0.5))
    checkpoint = {
        "model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": np.int64(3), "best": np.float64(0.25),
        "curve": np.arange(5, dtype=np.float32), "history": history, "seen": {1, 2}, "size": torch.Size([3, 224, 224]),
        "args": argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("/runs/1"), workers=None), "data": pathlib.Path("data"),
        "device": torch.device("cuda:1"), "dtype": torch.bfloat16, "when": datetime.datetime(2026, 1, 2),
        "rng": {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()},
        "order": collections.OrderedDict(a=1), "counter": collections.Counter("aab"),
    }  # fmt: skip
    return net, lambda path: torch.save(checkpoint, path)


def legacy():
    """Before PyTorch 1.6, and by whom it is asked for."""
    net = made()
    trained(net, sgd(net))
    return net, lambda path: torch.save({"net": net.state_dict()}, path, _use_new_zipfile_serialization=False)


def parallel():
    net = made()
    around = torch.nn.DataParallel(net)
    trained(net, sgd(net))
    return net, lambda path: torch.save(around.state_dict(), path)


def compiled():
    net = made()
    trained(net, sgd(net))
    return net, lambda path: torch.save(torch.compile(net).state_dict(), path)


def averaged():
    net = made()
    mean = torch.optim.swa_utils.AveragedModel(net, use_buffers=True)
    trained(net, sgd(net), lambda: mean.update_parameters(net))
    return mean.module, lambda path: torch.save(mean.state_dict(), path)


def ema():
    """By timm's own saver: `state_dict` and `state_dict_ema`; the latter is to be read."""
    from timm.utils import CheckpointSaver, ModelEmaV3

    net = made()
    optimizer = sgd(net)
    mean = ModelEmaV3(net, decay=0.5)
    trained(net, optimizer, lambda: mean.update(net))

    def save(path):
        args = argparse.Namespace(model=arch, lr=0.1, img_size=None, opt_betas=None)
        saver = CheckpointSaver(net, optimizer, args, model_ema=mean, checkpoint_dir=str(folder), recovery_dir=str(folder))
        saver._save(str(path), 3, metric=71.5)

    return mean.module, save


def lightning():
    """By Lightning's own trainer, with hyperparameters, callbacks, two optimisers' states and a metric's buffer."""
    import pytorch_lightning as pl

    class Classifier(pl.LightningModule):
        def __init__(self, lr, backbone, milestones, data=pathlib.Path("data")):
            super().__init__()
            self.save_hyperparameters()
            self.model = made()
            self.register_buffer("class_weights", torch.ones(classes))
            self.automatic_optimization = False

        def training_step(self, both, _):
            for optimizer in self.optimizers():
                optimizer.zero_grad()
            value = loss(self.model(both[0]), both[1])
            self.manual_backward(value)
            for optimizer in self.optimizers():
                optimizer.step()
            self.log("train_loss", value)

        def configure_optimizers(self):
            parameters = list(self.model.parameters())
            first = torch.optim.SGD(parameters[:-2], lr=self.hparams.lr, momentum=0.9)
            second = torch.optim.AdamW(parameters[-2:], lr=self.hparams.lr)
            return [first, second], [torch.optim.lr_scheduler.MultiStepLR(first, self.hparams.milestones)]

    module = Classifier(lr=1e-5, backbone=arch, milestones=[10, 20])
    callbacks = [
        pl.callbacks.ModelCheckpoint(folder, monitor="train_loss", save_last=True),
        pl.callbacks.EarlyStopping("train_loss"),
    ]
    # torch.utils.data needs no workers for two batches.
    data = torch.utils.data.DataLoader([tuple(t[0] for t in batch()) for _ in range(4)], batch_size=2)
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    trainer = pl.Trainer(max_epochs=1, callbacks=callbacks, **quiet)
    trainer.fit(module, data)
    return module.model, lambda path: trainer.save_checkpoint(path)


def omegaconf():
    """Refused: the configuration is an object of a class that only OmegaConf's code can make."""
    from omegaconf import OmegaConf

    net = made()
    return net, lambda path: torch.save({"state_dict": net.state_dict(), "cfg": OmegaConf.create({"lr": 0.1})}, path)


kinds = {
    "plain": plain, "whole": whole, "neighbours": neighbours, "legacy": legacy, "parallel": parallel, "compiled": compiled,
    "averaged": averaged, "ema": ema, "lightning": lightning, "omegaconf": omegaconf,
}  # fmt: skip


def logits(net, x):
    return net.eval()(x)[0].detach().numpy()


# As torchvision's weights are evaluated; on Pillow's pictures its functions are Pillow's.
picture = transforms.center_crop(transforms.resize(photo, 256), 224)
x = transforms.normalize(transforms.to_tensor(picture), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])[None]
(folder / "names.txt").write_text("".join(f"kind {i}\n" for i in range(classes)))
for kind in sys.argv[5:]:
    with contextlib.redirect_stdout(sys.stderr):
        net, save = kinds[kind]()
        save(folder / f"{kind}{'.ckpt' if kind == 'lightning' else '.pth'}")
    with torch.no_grad():
        (folder / f"{kind}.f32").write_bytes(logits(net, x).astype("<f4").tobytes())
        (folder / f"{kind}.f64").write_bytes(logits(copy.deepcopy(net).double(), x.double()).astype("<f8").tobytes())
    del net, save
