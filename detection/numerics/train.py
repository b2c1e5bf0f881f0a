"""Train the real/bogus network, calibrate it and say how good it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save

from detection.numerics.anomaly import Ordinary, as_arrays, fit_ordinary
from detection.numerics.calibration import (
    classification_metrics,
    fit_scale,
    probabilities,
    threshold_for_false_positive_rate,
)
from detection.numerics.examples import Examples
from detection.numerics.infer import ANOMALY, BIAS, TEMPERATURE
from detection.numerics.learning import Epoch, Learning, logits_of, prepared
from detection.numerics.networks import TWO_VIEWS, parameter_count

Report = Callable[[Epoch], object]
Keep = Callable[[bytes], object]

_ORDINARY_OF = 6000


@dataclass(frozen=True)
class TrainingParameters:
    """How to train. calibration_share, test_share : shares of the groups kept for the calibration and the metrics,
    where the examples are not divided yet. patience : epochs without a better calibration part after which it ends."""

    seed: int = 1
    epochs: int = 12
    batch: int = 96
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    calibration_share: float = 0.12
    test_share: float = 0.18
    threads: int = 1
    patience: int = 4


@dataclass(frozen=True)
class Parts:
    """What is trained with, calibrated with and measured with.

    weight : (n of training,), for how many each stands. calibration_weight : (n of calibration,), the same of those by
    which the best epoch is told; None where all are alike. start : weights of this network to begin with; b"" for none.
    """

    train: Examples
    calibration: Examples
    test: Examples
    weight: NDArray[np.float32]
    calibration_weight: NDArray[np.float32] | None = None
    start: bytes = b""


@dataclass(frozen=True)
class Hooks:
    """What happens after each epoch: `report` is told of it, `keep` is given the state from which training goes on.

    resume : such a state, of the same parts and parameters; training then goes on as if it had never ended.
    """

    report: Report | None = None
    keep: Keep | None = None
    resume: bytes | None = None


@dataclass(frozen=True)
class Trained:
    """Weights as a safetensors file, metrics on the held-out groups, and what they were made with.

    test_scores : of the test part. epochs : how training went; best_epoch is the one whose weights these are.
    """

    weights: bytes
    metrics: dict[str, float]
    recall_by_kind: dict[str, float]
    hyperparameters: dict[str, float]
    test_scores: NDArray[np.float64]
    epochs: tuple[Epoch, ...]
    best_epoch: int


def train(dataset: Examples, parameters: TrainingParameters, report: Report | None = None) -> Trained:
    """Divide examples by group, and train as `train_parts` does. ValueError where there are too few groups."""
    parts = split(dataset, parameters)
    weight = np.ones(len(parts[0]), dtype=np.float32)
    return train_parts(Parts(*parts, weight=weight), parameters, Hooks(report))


def train_parts(
    parts: Parts, parameters: TrainingParameters, hooks: Hooks | None = None, *, device: str = "cpu"
) -> Trained:
    """Train on one part, calibrate on the second, and measure on the third.

    Each example is seen under a random one of the eight symmetries of the square, and half of the time with
    science and reference swapped and the difference's sign turned: a vanished source is as real as a new one. Both
    classes weigh the same. The weights kept are those of the epoch that does best on the calibration part. The same
    data, parameters and machine give the same weights, bit by bit, also where it ended in between and went on.

    Parameters
    ----------
    parts : both classes in each. hooks : what happens after each epoch. device : where torch computes.

    Returns
    -------
    Trained : `metrics` at a score of 0.5, and the thresholds for 1 % and 5 % false positives, on the test part.

    Raises
    ------
    ValueError : only one class in a part, a state to go on from that is of another training, or weights to begin with
    that are of another network.
    """
    hooks = hooks or Hooks()
    for part in (parts.train, parts.calibration, parts.test):
        if not len(part) or part.is_real.all() or not part.is_real.any():
            raise ValueError("both real and bogus examples are needed in each part")
    before, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(parameters.threads)
    # Not all of what a GPU does can be repeated bit by bit.
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    try:
        with torch.random.fork_rng(devices=[] if device == "cpu" else None):
            torch.manual_seed(parameters.seed)
            learning = _learned(parts, parameters, hooks, device)
        network = learning.best_network()
        logits = [logits_of(network, part) for part in (parts.calibration, parts.test)]
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(deterministic)
    scale = fit_scale(logits[0], parts.calibration.is_real)
    scores = [probabilities(some, scale) for some in logits]
    tensors = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    ordinary = {name: torch.as_tensor(of) for name, of in as_arrays(_ordinary(parts.train), ANOMALY).items()}
    own = {TEMPERATURE: torch.tensor([scale.temperature]), BIAS: torch.tensor([scale.bias])} | ordinary
    return Trained(
        weights=save(tensors | own, metadata={"architecture": TWO_VIEWS}),
        metrics=_metrics(scores[0], scores[1], parts.calibration, parts.test),
        recall_by_kind=_share_by_kind(scores[1], parts.test),
        hyperparameters=asdict(parameters)
        | {"parameter_count": parameter_count(network), **scale._asdict(), "n_train": len(parts.train)},
        test_scores=scores[1],
        epochs=tuple(learning.history),
        best_epoch=learning.best_epoch,
    )


def split(dataset: Examples, parameters: TrainingParameters) -> tuple[Examples, Examples, Examples]:
    """Divide the examples by group into training, calibration and test parts."""
    groups = np.random.default_rng([parameters.seed, 1]).permutation(np.unique(dataset.group))
    n_test = max(1, round(parameters.test_share * groups.size))
    n_calibration = max(1, round(parameters.calibration_share * groups.size))
    if groups.size < n_test + n_calibration + 1:
        raise ValueError(f"{groups.size} groups cannot be divided into training, calibration and test")
    in_test = np.isin(dataset.group, groups[:n_test])
    in_calibration = np.isin(dataset.group, groups[n_test : n_test + n_calibration])
    return dataset.select(~in_test & ~in_calibration), dataset.select(in_calibration), dataset.select(in_test)


def _ordinary(part: Examples) -> Ordinary:
    """Return what is ordinary of the examples, or of so many of them that more would not change it."""
    step = max(1, len(part) // _ORDINARY_OF)
    return fit_ordinary(prepared(part.select(np.arange(0, len(part), step))))


def _learned_before(weights: bytes) -> dict[str, torch.Tensor]:
    """Return what a network had learned, without what was fitted to it afterwards."""
    fitted = (TEMPERATURE, BIAS)
    return {name: of for name, of in load(weights).items() if name not in fitted and not name.startswith(ANOMALY)}


def best_device() -> str:
    """Return where torch computes fastest on this machine: CUDA where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _learned(parts: Parts, p: TrainingParameters, hooks: Hooks, device: str) -> Learning:
    learning = Learning(parts.train, parts.weight, parts.calibration, p, device)
    if parts.calibration_weight is not None:
        learning.weigh_calibration(parts.calibration_weight)
    if parts.start:
        learning.begin_with(_learned_before(parts.start))
    if hooks.resume is not None:
        learning.go_on_from(hooks.resume)
    while not learning.is_over:
        epoch = learning.one_epoch()
        if hooks.keep is not None:
            hooks.keep(learning.state())
        if hooks.report is not None:
            hooks.report(epoch)
    return learning


def _metrics(
    calibration_scores: NDArray[np.float64], scores: NDArray[np.float64], calibration: Examples, test: Examples
) -> dict[str, float]:
    metrics = classification_metrics(scores, test.is_real)
    for rate, name in ((0.01, "0_01"), (0.05, "0_05")):
        # The threshold comes from the calibration part: one chosen on the test part would flatter itself.
        threshold = threshold_for_false_positive_rate(calibration_scores, calibration.is_real, rate)
        metrics[f"threshold_fpr_{name}"] = threshold
        metrics[f"test_fpr_at_threshold_{name}"] = float((scores[~test.is_real] >= threshold).mean())
        metrics[f"test_recall_at_threshold_{name}"] = float((scores[test.is_real] >= threshold).mean())
    return metrics


def _share_by_kind(scores: NDArray[np.float64], test: Examples) -> dict[str, float]:
    """Return the share called real (score 0.5) of each kind: recall for real kinds, false positives for others."""
    return {str(kind): float((scores[test.kind == kind] >= 0.5).mean()) for kind in np.unique(test.kind)}
