"""Train the real/bogus network on simulated nights, and write weights and card for the registry."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.configuration.values import defaults
from catalog.files import storage
from detection.models import ModelType
from detection.numerics.networks import TWO_VIEWS
from detection.numerics.train import Trained, TrainingParameters, train
from detection.numerics.training_set import TrainingSetParameters, make_training_set
from differencing.parameters import zogy_parameters

Say = Callable[[str], object]


@dataclass(frozen=True)
class Order:
    """What to train: same seed, pairs and epochs give the same weights, however long that takes."""

    folder: Path
    name: str = "realbogus"
    version: str = "1"
    seed: int = 1
    pairs: int = 130
    epochs: int = 12
    threads: int = 1


@dataclass(frozen=True)
class Written:
    """A card and the weights beside it; an undefined metric is None."""

    card: Path
    weights: Path
    sha256: str
    metrics: dict[str, float | None]


def train_model(order: Order, say: Say) -> Written:
    """Simulate, train and write; return what was written. ValueError where the examples do not do."""
    begin = time.monotonic()
    data = TrainingSetParameters(zogy_parameters(defaults()), seed=order.seed, pairs=order.pairs)
    dataset = make_training_set(data, _simulated(data, say))
    simulated = time.monotonic()
    learning = TrainingParameters(seed=order.seed, epochs=order.epochs, threads=order.threads)
    trained = train(dataset, learning, _reporter(say))
    seconds = {"simulation": round(simulated - begin, 1), "training": round(time.monotonic() - simulated, 1)}
    recipe = asdict(data) | {"examples": len(dataset), "real": int(dataset.is_real.sum())}
    name = f"{order.name}-{order.version}"
    written = Written(
        card=order.folder / f"{name}.json",
        weights=order.folder / f"{name}.safetensors",
        sha256=hashlib.sha256(trained.weights).hexdigest(),
        metrics={metric: value if math.isfinite(value) else None for metric, value in trained.metrics.items()},
    )
    card = _card(order, written, trained, recipe) | {"seconds": seconds}
    order.folder.mkdir(parents=True, exist_ok=True)
    storage.write_whole(written.weights, trained.weights)
    storage.write_whole(written.card, (json.dumps(card, indent=1, allow_nan=False) + "\n").encode())
    return written


def _simulated(data: TrainingSetParameters, say: Say) -> Callable[[int, int], None]:
    def report(pairs: int, examples: int) -> None:
        if pairs % 10 == 0 or pairs == data.pairs:
            say(f"{pairs} of {data.pairs} pairs, {examples} examples")

    return report


def _reporter(say: Say) -> Callable[[int, float], None]:
    def report(epoch: int, loss: float) -> None:
        say(f"epoch {epoch}: loss {loss:.4f}")

    return report


def _card(order: Order, written: Written, trained: Trained, recipe: dict[str, object]) -> dict[str, object]:
    """Return what the registry wants to know; an undefined metric (nothing was called real) is null."""
    return {
        "name": order.name,
        "version": order.version,
        "model_type": ModelType.CLASSIFIER,
        "architecture": TWO_VIEWS,
        "weights": written.weights.name,
        "sha256": written.sha256,
        "training_dataset": "{pairs} simulated pairs, seed {seed}, {examples} peaks, {real} real".format(**recipe),
        "hyperparameters": trained.hyperparameters | {"training_set": recipe},
        "metrics": written.metrics,
        "share_called_real_by_kind": trained.recall_by_kind,
    }
