"""Train the network that draws trails on simulated differences, and write weights and card for the registry."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.configuration.values import defaults
from catalog.files import storage
from detection.models import ModelType
from detection.numerics.segmentation.measure import held_out
from detection.numerics.segmentation.network import ARCHITECTURE
from detection.numerics.segmentation.scenes import Plain, make_plain
from detection.numerics.segmentation.train import Learned, LearningParameters, learn
from detection.numerics.training_set import TrainingSetParameters
from differencing.parameters import zogy_parameters

Say = Callable[[str], object]
# Of the subtractions so many, the last, are kept for the figures of the card.
HELD_OUT_SHARE = 0.15


@dataclass(frozen=True)
class Order:
    """What to train: the same seed, pairs, epochs and scenes give the same weights, however long that takes."""

    folder: Path
    name: str = "trails"
    version: str = "1"
    pairs: int = 80
    seed: int = LearningParameters.seed
    epochs: int = LearningParameters.epochs
    scenes: int = LearningParameters.scenes
    threads: int = LearningParameters.threads


@dataclass(frozen=True)
class Written:
    """A card and the weights beside it; an undefined metric is None."""

    card: Path
    weights: Path
    sha256: str
    metrics: dict[str, float | None]


def train_trails(order: Order, say: Say) -> Written:
    """Simulate, train, measure and write. ValueError where no pair could be subtracted."""
    begin = time.monotonic()
    learning = LearningParameters(order.seed, order.epochs, order.scenes, threads=order.threads)
    data = TrainingSetParameters(zogy_parameters(defaults()), seed=order.seed, pairs=order.pairs)
    plains = _plains(data, say)
    simulated = time.monotonic()
    kept = max(1, round(HELD_OUT_SHARE * len(plains)))
    learned = learn(plains[:-kept], learning, _reporter(say))
    trained = time.monotonic()
    name = f"{order.name}-{order.version}"
    weights = order.folder / f"{name}.safetensors"
    order.folder.mkdir(parents=True, exist_ok=True)
    storage.write_whole(weights, learned.weights)
    metrics = held_out(plains[-kept:], weights, learning)
    written = Written(order.folder / f"{name}.json", weights, hashlib.sha256(learned.weights).hexdigest(), metrics)
    seconds = {"simulation": round(simulated - begin, 1), "training": round(trained - simulated, 1)}
    card = _card(order, written, learned, asdict(data) | {"subtracted": len(plains)}) | {"seconds": seconds}
    storage.write_whole(written.card, (json.dumps(card, indent=1, allow_nan=False) + "\n").encode())
    return written


def _reporter(say: Say) -> Callable[[int, float], None]:
    def report(epoch: int, loss: float) -> None:
        say(f"epoch {epoch}: loss {loss:.4f}")

    return report


def _plains(data: TrainingSetParameters, say: Say) -> list[Plain]:
    plains = []
    for index in range(data.pairs):
        plain = make_plain(data, index)
        plains += [plain] if plain is not None else []
        if (index + 1) % 10 == 0 or index + 1 == data.pairs:
            say(f"{index + 1} of {data.pairs} pairs, {len(plains)} subtracted")
    if len(plains) < 2:
        raise ValueError("too few of the simulated pairs could be subtracted")
    return plains


def _card(order: Order, written: Written, learned: Learned, recipe: dict[str, object]) -> dict[str, object]:
    return {
        "name": order.name,
        "version": order.version,
        "model_type": ModelType.UNET,
        "architecture": ARCHITECTURE,
        "weights": written.weights.name,
        "sha256": written.sha256,
        "training_dataset": "{subtracted} of {pairs} simulated pairs, seed {seed}, with trails drawn onto them".format(
            **recipe
        ),
        "hyperparameters": learned.hyperparameters | {"training_set": recipe},
        "metrics": written.metrics,
    }
