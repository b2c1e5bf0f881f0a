"""Train the real/bogus network, calibrate it and say how good it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn

from detection.numerics.anomaly import Ordinary, as_arrays, fit_ordinary
from detection.numerics.calibration import (
    classification_metrics,
    fit_temperature,
    probabilities,
    threshold_for_false_positive_rate,
)
from detection.numerics.examples import Examples
from detection.numerics.infer import ANOMALY, BATCH, TEMPERATURE, network_outputs
from detection.numerics.networks import (
    MEMBERS,
    TWO_VIEWS,
    Network,
    TwoViews,
    as_tensor_image,
    in_channels_last,
    parameter_count,
)
from detection.numerics.views import VIEWS_FWHM_PX, network_input

Report = Callable[[int, float], None]

# Of what is real: by the names of the simulation, and by those that a person's label stands for. In the order of TYPES.
_KINDS_OF_TYPES = (("on host", "supernova"), ("variable",), ("hostless", "moving", "vanished", "transient", "asteroid"))
_NO_TYPE = -1
# Whether something is real comes first.
_TYPES_WEIGHT = 0.2
_ORDINARY_OF = 6000


@dataclass(frozen=True)
class TrainingParameters:
    """How to train. calibration_share, test_share : shares of the groups kept for the temperature and the metrics."""

    seed: int = 1
    epochs: int = 12
    batch: int = 96
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    calibration_share: float = 0.12
    test_share: float = 0.18
    threads: int = 1


@dataclass(frozen=True)
class Trained:
    """Weights as a safetensors file, metrics on the held-out groups, and what they were made with."""

    weights: bytes
    metrics: dict[str, float]
    recall_by_kind: dict[str, float]
    hyperparameters: dict[str, float]


def train(dataset: Examples, parameters: TrainingParameters, report: Report | None = None) -> Trained:
    """Train on most groups, calibrate on some, and measure on the rest.

    Each example is seen under a random one of the eight symmetries of the square, and half of the time with
    science and reference swapped and the difference's sign turned: a vanished source is as real as a new one. The
    same data, parameters and machine give the same weights, bit by bit.

    Parameters
    ----------
    dataset : both classes, several groups. report : called with the epoch (from 1) and its mean loss.

    Returns
    -------
    Trained : `metrics` at a score of 0.5, and the thresholds for 1 % and 5 % false positives, on the test groups.

    Raises
    ------
    ValueError : too few groups or only one class in a part.
    """
    train_part, calibration_part, test_part = split(dataset, parameters)
    before, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(parameters.threads)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(parameters.seed)
            network = _fit(train_part, parameters, report)
        logits = [_logits(network, part) for part in (calibration_part, test_part)]
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(deterministic)
    temperature = fit_temperature(logits[0], calibration_part.is_real)
    metrics = _metrics(
        probabilities(logits[0], temperature), probabilities(logits[1], temperature), calibration_part, test_part
    )
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    ordinary = {name: torch.as_tensor(of) for name, of in as_arrays(_ordinary(train_part), ANOMALY).items()}
    own = {TEMPERATURE: torch.tensor([temperature])}
    weights = save(tensors | own | ordinary, metadata={"architecture": TWO_VIEWS})
    hyperparameters = asdict(parameters) | {
        "parameter_count": parameter_count(network),
        "temperature": temperature,
        "n_train": len(train_part),
    }
    by_kind = _share_by_kind(probabilities(logits[1], temperature), test_part)
    return Trained(weights, metrics, by_kind, hyperparameters)


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


def _fit(part: Examples, p: TrainingParameters, report: Report | None) -> TwoViews:
    network = TwoViews()
    in_channels_last(network)
    images = torch.as_tensor(_prepared(part))
    labels = torch.as_tensor(part.is_real.astype(np.float32))
    types = torch.as_tensor(types_of(part))
    optimiser = torch.optim.AdamW(network.parameters(), lr=p.learning_rate, weight_decay=p.weight_decay)
    steps = -(-len(part) // p.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, p.learning_rate, epochs=p.epochs, steps_per_epoch=steps)
    # Both classes weigh the same, whatever the faults that were drawn: the prior of a night is not known.
    weight = torch.tensor(float((~part.is_real).sum()) / max(float(part.is_real.sum()), 1.0))
    is_real, of_type = nn.BCEWithLogitsLoss(pos_weight=weight), nn.CrossEntropyLoss(ignore_index=_NO_TYPE)
    for epoch in range(1, p.epochs + 1):
        network.train()
        total = 0.0
        for chosen in torch.randperm(len(part)).split(p.batch):
            optimiser.zero_grad()
            said, _ = network.each(augment(images[chosen].float()))
            # Each member learns by itself: together they would learn to make up for each other, and be one network.
            loss = MEMBERS * is_real(said[:, :, 0], labels[chosen, None].expand(-1, MEMBERS))
            if (types[chosen] != _NO_TYPE).any():
                of_each = said[:, :, 1:].transpose(1, 2), types[chosen, None].expand(-1, MEMBERS)
                loss = loss + MEMBERS * _TYPES_WEIGHT * of_type(*of_each)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(chosen)
        if report is not None:
            report(epoch, total / len(part))
    return network.eval()


def types_of(part: Examples) -> NDArray[np.int64]:
    """Return the place in `networks.TYPES` of each example, or the number of those that have none."""
    by_kind = {kind: place for place, kinds in enumerate(_KINDS_OF_TYPES) for kind in kinds}
    types = np.array([by_kind.get(str(kind), _NO_TYPE) for kind in part.kind], dtype=np.int64)
    return np.where(part.is_real, types, _NO_TYPE)


def augment(images: Tensor) -> Tensor:
    """Return the batch under one random symmetry per quarter of it, science and reference swapped at random."""
    parts = []
    for part in images.chunk(4):
        turns, is_flipped, is_swapped = (int(torch.randint(n, ())) for n in (4, 2, 2))
        part = torch.rot90(part, turns, (2, 3))
        part = part.flip(3) if is_flipped else part
        parts.append(swapped(part) if is_swapped else part)
    return as_tensor_image(torch.cat(parts))


def swapped(images: Tensor) -> Tensor:
    """Return what the subtraction of the science image from the reference would have shown, to first order."""
    views = images.chunk(len(VIEWS_FWHM_PX), dim=1)
    turned = [(view[:, 1], view[:, 0], -view[:, 2], view[:, 3]) for view in views]
    return torch.stack([channel for view in turned for channel in view], dim=1)


def _prepared(part: Examples) -> NDArray[np.float16]:
    """Return what the network sees of the examples: half the bytes, and far finer than the noise."""
    parts = [
        network_input(part.stamps[start : start + BATCH], part.fwhm_px[start : start + BATCH])[0].astype(np.float16)
        for start in range(0, len(part), BATCH)
    ]
    return np.concatenate(parts)


def _ordinary(part: Examples) -> Ordinary:
    """Return what is ordinary of the examples, or of so many of them that more would not change it."""
    step = max(1, len(part) // _ORDINARY_OF)
    return fit_ordinary(_prepared(part.select(np.arange(0, len(part), step))))


def _logits(network: Network, part: Examples) -> NDArray[np.float64]:
    images = _prepared(part)
    batches = (images[start : start + BATCH].astype(np.float32) for start in range(0, len(part), BATCH))
    return np.concatenate([network_outputs(network, some)[:, 0] for some in batches])


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
