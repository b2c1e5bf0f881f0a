"""Train the real/bogus network, on a data set or on simulated nights, and write weights and card for the registry."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.configuration.values import defaults
from catalog.files import storage
from detection.models import DataSet, ModelType
from detection.numerics.compact import simulated_cameras
from detection.numerics.gathered import Gathered, gathered
from detection.numerics.infer import score
from detection.numerics.intervals import Drawn
from detection.numerics.learning import Epoch
from detection.numerics.measured import Measured, area, limits, shares
from detection.numerics.networks import TWO_VIEWS
from detection.numerics.parts import CALIBRATION, TEST, TRAIN
from detection.numerics.train import (
    Hooks,
    Parts,
    Trained,
    TrainingParameters,
    best_device,
    split,
    train_parts,
)
from detection.numerics.training_set import TrainingSetParameters, make_training_set
from detection.registry.weights import DEFAULT_CARD, active_model, read_card, weights_path
from detection.stage.datasets.origins import ANSWERS, SIMULATED
from detection.stage.datasets.stored import find, read
from differencing.parameters import zogy_parameters

Say = Callable[[str], object]
_THRESHOLD = 0.5
# A few hundred answers among thousands of simulated stamps would change nothing, and alone would make a network forget
# what it knows: they get this share of the weight, but none counts more than so many times.
_ANSWERS_SHARE, _MOST_TIMES = 0.4, 30.0
# From a trained network on: slower, so that it is not taken apart first, and not for long.
_MORE_EPOCHS, _MORE_RATE = 5, 1e-3
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Order:
    """What to train: same seed, data and epochs give the same weights, however long that takes, or how often it ends.

    data_set : NAME:VERSION; "" to simulate so many pairs of frames.
    """

    folder: Path
    name: str = "realbogus"
    version: str = "1"
    data_set: str = ""
    seed: int = 1
    pairs: int = 240
    epochs: int = 9
    threads: int = 1


@dataclass(frozen=True)
class Written:
    """A card and the weights beside it; an undefined metric is None."""

    card: Path
    weights: Path
    sha256: str
    metrics: dict[str, float | None]


@dataclass(frozen=True)
class _Data:
    """What is trained with: the parts, all of the test part, and what it is in the card's words.

    mark : the same data have one, from which a training that ended may go on. learning : how, where that follows from
    the data.
    """

    parts: Parts
    test: Gathered
    words: str
    recipe: dict[str, object]
    mark: str
    learning: TrainingParameters


def train_model(order: Order, say: Say) -> Written:
    """Train and write; return what was written. ValueError where the examples do not do."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it a GPU cannot repeat a sum
    begin = time.monotonic()
    learning = TrainingParameters(seed=order.seed, epochs=order.epochs, threads=order.threads)
    data = _of_data_set(order, learning, say) if order.data_set else _simulated(order, learning, say)
    prepared = time.monotonic()
    name = f"{order.name}-{order.version}"
    checkpoint = order.folder / f"{name}.checkpoint"
    hooks = _hooks(checkpoint, f"{data.mark} {data.learning}", data.learning.epochs, say)
    device = best_device()
    say(f"training on {len(data.parts.train)} examples by {device}")
    trained = train_parts(data.parts, data.learning, hooks, device=device)
    seconds = {"data": round(prepared - begin, 1), "training": round(time.monotonic() - prepared, 1)}
    written = Written(
        card=order.folder / f"{name}.json",
        weights=order.folder / f"{name}.safetensors",
        sha256=hashlib.sha256(trained.weights).hexdigest(),
        metrics={metric: value if math.isfinite(value) else None for metric, value in trained.metrics.items()},
    )
    card = _card(order, written, trained, data) | {"seconds": seconds, "device": device}
    order.folder.mkdir(parents=True, exist_ok=True)
    storage.write_whole(written.weights, trained.weights)
    storage.write_whole(written.card, (json.dumps(_known(card), indent=1, allow_nan=False) + "\n").encode())
    checkpoint.unlink(missing_ok=True)
    return written


def _simulated(order: Order, learning: TrainingParameters, say: Say) -> _Data:
    """Simulate pairs, and divide them."""
    how = TrainingSetParameters(zogy_parameters(defaults()), seed=order.seed, pairs=order.pairs)

    def report(pairs: int, examples: int) -> None:
        if pairs % 10 == 0 or pairs == how.pairs:
            say(f"{pairs} of {how.pairs} pairs, {examples} examples")

    examples = make_training_set(how, report)
    train, calibration, test = split(examples, learning)
    parts = Parts(train, calibration, test, np.ones(len(train), dtype=np.float32))
    recipe = asdict(how) | {"examples": len(examples), "real": int(examples.is_real.sum())}
    words = "{pairs} simulated pairs, seed {seed}, {examples} peaks, {real} real".format(**recipe)
    whole = gathered(test, SIMULATED, camera=simulated_cameras(test.fwhm_px))
    return _Data(parts, whole, words, {"training_set": recipe}, words, learning)


def _of_data_set(order: Order, learning: TrainingParameters, say: Say) -> _Data:
    """Read a data set; what the golden set holds of the same objects, nights and exposures is not trained with.

    Where it holds answers, training goes on from the model that comes with AstrID, which has seen none of them.
    """
    row = find(order.data_set)
    of = read(row)
    is_golden = _is_in_golden(of, row)
    if is_golden.any():
        say(f"{int(is_golden.sum())} examples are left out: the golden set has their object, night or exposure")
    train, calibration = (of.select((of.part == part) & ~is_golden) for part in (TRAIN, CALIBRATION))
    test = of.select(of.part == TEST)
    parts = Parts(train.examples, calibration.examples, test.examples, train.weight)
    told = {"name": row.name, "version": row.version, "sha256": row.sha256, "left_out": int(is_golden.sum())}
    words = f"{row}, {row.example_count} examples, {row.real_count} real"
    data = _Data(parts, test, words, {"data_set": told}, f"{row.sha256} {int(is_golden.sum())}", learning)
    return _from_answers(data, train, calibration, say) if (train.origin == ANSWERS).any() else data


def _from_answers(data: _Data, train: Gathered, calibration: Gathered, say: Say) -> _Data:
    """Let a few hundred answers change what the shipped model has learned, beside far more that keep it as it is."""
    shipped = read_card(DEFAULT_CARD)
    of_answers, others = (float(train.weight[chosen].sum()) for chosen in _parted(train))
    times = min(max(others * _ANSWERS_SHARE / (of_answers * (1.0 - _ANSWERS_SHARE)), 1.0), _MOST_TIMES)
    weight, of_calibration = (
        (of.weight * np.where(of.origin == ANSWERS, times, 1.0)).astype(np.float32) for of in (train, calibration)
    )
    parts = replace(data.parts, weight=weight, calibration_weight=of_calibration)
    told: dict[str, object] = {"each_answer_weighs": round(times, 2)}
    learning = data.learning
    if shipped.architecture == TWO_VIEWS:
        say(f"going on from {shipped.name} {shipped.version}; each answer weighs {times:.1f} times as much as another")
        parts = replace(parts, start=shipped.weights)
        told["begins_with"] = f"{shipped.name} {shipped.version} {shipped.sha256[:12]}"
        learning = replace(learning, epochs=min(learning.epochs, _MORE_EPOCHS), learning_rate=_MORE_RATE)
    return replace(data, parts=parts, recipe=data.recipe | told, mark=f"{data.mark} {told}", learning=learning)


def _parted(of: Gathered) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    is_answer = of.origin == ANSWERS
    return is_answer, ~is_answer


def _is_in_golden(of: Gathered, row: DataSet) -> NDArray[np.bool_]:
    """Tell which examples share an object, a night or an exposure with the golden set."""
    found = np.zeros(len(of), dtype=bool)
    for golden in DataSet.objects.golden().exclude(pk=row.pk):
        others = read(golden)
        for own, theirs in (
            (of.source, others.source), (of.night, others.night), (of.examples.group, others.examples.group),
        ):  # fmt: skip
            found |= np.isin(own, theirs[theirs != ""]) & (own != "")
    return found


def _hooks(checkpoint: Path, mark: str, epochs: int, say: Say) -> Hooks:
    """Say how it goes, keep the state after each epoch, and go on from one that was kept of the same training."""
    told = hashlib.sha256(mark.encode()).digest()
    losses: list[float] = []

    def keep(state: bytes) -> None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        storage.write_whole(checkpoint, told + state)

    def report(epoch: Epoch) -> None:
        losses.append(epoch.calibration_loss)
        say(
            f"epoch {epoch.number}: loss {epoch.loss:.4f}, on the calibration part {epoch.calibration_loss:.4f}  "
            f"{_curve(losses)} of {epochs} epochs at most"
        )

    resume = checkpoint.read_bytes() if checkpoint.is_file() else b""
    if resume.startswith(told):
        say("going on after the last epoch of a training that ended before its end")
        return Hooks(report, keep, resume[len(told) :])
    return Hooks(report, keep)


def _curve(values: list[float]) -> str:
    """Draw values as bars, the lowest as the lowest bar."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(_BARS[round((value - low) / span * (len(_BARS) - 1))] for value in values)


def _card(order: Order, written: Written, trained: Trained, data: _Data) -> dict[str, object]:
    """Return what the registry wants to know; an undefined metric (nothing was called real) is null."""
    return {
        "name": order.name,
        "version": order.version,
        "model_type": ModelType.CLASSIFIER,
        "architecture": TWO_VIEWS,
        "weights": written.weights.name,
        "sha256": written.sha256,
        "training_dataset": data.words,
        "hyperparameters": trained.hyperparameters | data.recipe,
        "metrics": written.metrics,
        "share_called_real_by_kind": trained.recall_by_kind,
        "report": _report(trained, data),
    }


def _report(trained: Trained, data: _Data) -> dict[str, object]:
    """Return the figures of the test part with their intervals, what they say nothing about, and how training went."""
    measured = measured_of(data.test, trained.test_scores)
    drawn = Drawn(measured.group)
    report: dict[str, object] = {
        "area_under_curve": asdict(area(measured, drawn)),
        "shares_called_real": [asdict(share) for share in shares(measured, _THRESHOLD, drawn)],
        "threshold": _THRESHOLD,
        "intervals": f"95 %, by drawing {len(np.unique(measured.group))} exposures with replacement",
        "limits": limits(measured),
        "epochs": [asdict(epoch) for epoch in trained.epochs],
        "best_epoch": trained.best_epoch,
    }
    answers = data.test.select(data.test.origin == ANSWERS)
    if len(answers):
        report["held_out_answers"] = _before_and_after(answers, trained.test_scores[data.test.origin == ANSWERS])
    return report


def measured_of(of: Gathered, scores: NDArray[np.float64]) -> Measured:
    """Return what scores make of examples."""
    own = of.examples
    return Measured(scores, own.is_real, own.kind, of.camera, own.snr, own.group)


def _before_and_after(answers: Gathered, after: NDArray[np.float64]) -> dict[str, object]:
    """Compare the model in use with the new one on people's answers that neither was trained with here."""
    told: dict[str, object] = {
        "answers": len(answers), "real": int(answers.examples.is_real.sum()), "after": _on(answers, after),
    }  # fmt: skip
    active = active_model()
    if active is not None:
        before = score(
            answers.examples.stamps.astype(np.float32), weights_path(active), fwhm_px=answers.examples.fwhm_px
        )
        told |= {"before": _on(answers, before), "model_before": str(active)}
    return told


def _on(answers: Gathered, scores: NDArray[np.float64]) -> dict[str, object]:
    of = measured_of(answers, scores)
    both = of.is_real.any() and not of.is_real.all()
    whole = [share for share in shares(of, _THRESHOLD) if share.about == "all"]
    told = {("found" if share.is_real else "falsely_real"): asdict(share.called_real) for share in whole}
    return told | ({"area_under_curve": asdict(area(of))} if both else {})


def _known(value: object) -> object:
    """Return a document with null in place of what is not defined."""
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_known(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
