"""Train the network that draws trails and artefacts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional

from detection.numerics.segmentation.network import ARCHITECTURE, STEP_OUT, TrailsUnet
from detection.numerics.segmentation.prepare import compressed
from detection.numerics.segmentation.scenes import Plain, draw_scene

Report = Callable[[int, float], None]
# So many times as much weighs a pixel that is missed as one that is called in vain.
RARE = 3.0


@dataclass(frozen=True)
class LearningParameters:
    """How to train: the same data, parameters and machine give the same weights.

    scenes : drawn in each epoch, each anew. side : of a scene, px.
    """

    seed: int = 1
    epochs: int = 26
    scenes: int = 400
    side: int = 192
    batch: int = 4
    learning_rate: float = 4e-3
    weight_decay: float = 1e-4
    threads: int = 1


@dataclass(frozen=True)
class Learned:
    """Weights as a safetensors file, and what they were made with."""

    weights: bytes
    hyperparameters: dict[str, float]


def learn(plains: Sequence[Plain], p: LearningParameters, report: Report | None = None) -> Learned:
    """Train on scenes that are drawn as they are needed; `report` is called with the epoch (from 1) and its mean loss.

    Raises ValueError where there is no subtraction to draw onto, or one is smaller than a scene.
    """
    if not plains or min(min(plain.mask.shape) for plain in plains) < p.side:
        raise ValueError(f"training needs subtractions of at least {p.side} px")
    before = torch.get_num_threads()
    torch.set_num_threads(p.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(p.seed)
            network = _fit(plains, p, report)
    finally:
        torch.set_num_threads(before)
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    count = sum(parameter.numel() for parameter in network.parameters())
    return Learned(
        save(tensors, metadata={"architecture": ARCHITECTURE}),
        asdict(p) | {"parameter_count": count, "subtractions": len(plains)},
    )


def _fit(plains: Sequence[Plain], p: LearningParameters, report: Report | None) -> TrailsUnet:
    network = TrailsUnet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), lr=p.learning_rate, weight_decay=p.weight_decay)
    steps = -(-p.scenes // p.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, p.learning_rate, epochs=p.epochs, steps_per_epoch=steps)
    for epoch in range(1, p.epochs + 1):
        network.train()
        total = 0.0
        for step in range(steps):
            images, classes, weight = _batch(np.random.default_rng([p.seed, epoch, step]), plains, p)
            optimiser.zero_grad()
            loss = loss_of(network(images), classes, weight)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        if report is not None:
            report(epoch, total / steps)
    return network.eval()


def _batch(rng: np.random.Generator, plains: Sequence[Plain], p: LearningParameters) -> tuple[Tensor, Tensor, Tensor]:
    scenes = [draw_scene(rng, plains[int(rng.integers(len(plains)))], p.side) for _ in range(p.batch)]
    images = torch.as_tensor(np.stack([compressed(scene.sigmas, scene.mask) for scene in scenes]))
    classes = torch.as_tensor(np.stack([scene.classes for scene in scenes]).astype(np.float32))
    is_open = torch.as_tensor(np.stack([scene.is_open for scene in scenes])[:, None].astype(np.float32))
    classes = (functional.avg_pool2d(classes, STEP_OUT) >= 0.5).float()
    weight = (functional.avg_pool2d(is_open, STEP_OUT) == 0).float()
    weight = torch.maximum(weight, classes.amax(dim=1, keepdim=True))
    return images.contiguous(memory_format=torch.channels_last), classes, weight


def loss_of(logits: Tensor, classes: Tensor, weight: Tensor) -> Tensor:
    """Return cross entropy and one minus Dice's overlap of each class over the batch.

    Of a scene one pixel in a hundred is a trail: the overlap does not see how many are not.
    """
    rare = torch.full((1,), RARE, device=logits.device)
    entropy = functional.binary_cross_entropy_with_logits(logits, classes, reduction="none", pos_weight=rare) * weight
    chance = torch.sigmoid(logits) * weight
    axes = (0, 2, 3)
    overlap = (2 * (chance * classes).sum(axes) + 20) / (chance.sum(axes) + classes.sum(axes) + 20)
    return 2 * entropy.mean() + (1 - overlap).mean()
