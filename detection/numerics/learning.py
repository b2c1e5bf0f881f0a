"""One training of the real/bogus network, epoch by epoch, that can end after any of them and go on from there."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from detection.numerics.examples import Examples
from detection.numerics.infer import BATCH, network_outputs
from detection.numerics.networks import MEMBERS, Network, TwoViews, as_tensor_image, in_channels_last
from detection.numerics.views import VIEWS_FWHM_PX, network_input

# Of what is real: by the names of the simulation, and by those that a person's label stands for. In the order of TYPES.
_KINDS_OF_TYPES = (("on host", "supernova"), ("variable",), ("hostless", "moving", "vanished", "transient", "asteroid"))
_NO_TYPE = -1
# Whether something is real comes first.
_TYPES_WEIGHT = 0.2
_KEPT_EACH_STEP = 0.99


@dataclass(frozen=True)
class Epoch:
    """One pass through the examples (from 1): its mean loss, and the loss on the calibration part after it."""

    number: int
    loss: float
    calibration_loss: float


class _How(Protocol):
    """What a training is told."""

    @property
    def epochs(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def patience(self) -> int: ...


class Learning:
    """The network, and all that decides what the next epoch makes of it. It draws from torch's own generator."""

    def __init__(
        self, examples: Examples, weight: NDArray[np.float32], calibration: Examples, how: _How, device: str
    ) -> None:
        self._how, self._device = how, device
        self._images = torch.as_tensor(prepared(examples))
        self._labels = torch.as_tensor(examples.is_real.astype(np.float32))
        self._types = torch.as_tensor(types_of(examples))
        self._weights = torch.as_tensor(_balanced(examples.is_real, weight))
        self._calibration = (prepared(calibration), calibration.is_real)
        self._calibration_weight = np.ones(len(calibration), dtype=np.float32)
        self._network = TwoViews().to(device)
        in_channels_last(self._network)
        # What is kept is the mean over about the last hundred steps: no single one decides what it makes of stamps that
        # are unlike all it has learned from.
        self._average = AveragedModel(self._network, multi_avg_fn=_averaged, use_buffers=True)
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay
        )
        steps = -(-len(examples) // how.batch)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, how.learning_rate, epochs=how.epochs, steps_per_epoch=steps
        )
        self._best: dict[str, Tensor] = {}
        self.history: list[Epoch] = []

    def weigh_calibration(self, weight: NDArray[np.float32]) -> None:
        """Let each example of the calibration part stand for so many where the best epoch is told, (n,)."""
        self._calibration_weight = weight

    def begin_with(self, tensors: Mapping[str, Tensor]) -> None:
        """Begin with what a network of this kind has learned. ValueError where the weights are of another one."""
        try:
            self._network.load_state_dict(tensors)
            self._average.module.load_state_dict(tensors)
        except RuntimeError as error:
            raise ValueError(f"training cannot begin with these weights: {error}") from error

    @property
    def best_epoch(self) -> int:
        """Return the epoch that did best on the calibration part; 0 before the first."""
        best = min(self.history, key=lambda epoch: epoch.calibration_loss, default=None)
        return 0 if best is None else best.number

    @property
    def is_over(self) -> bool:
        """Tell whether all epochs are done, or so many have brought nothing."""
        done = len(self.history)
        return done >= self._how.epochs or done - self.best_epoch >= self._how.patience > 0

    def one_epoch(self) -> Epoch:
        """See each example once."""
        self._network.train()
        total = 0.0
        for chosen in torch.randperm(len(self._labels)).split(self._how.batch):
            self._optimiser.zero_grad()
            loss = self._loss(chosen)
            loss.backward()
            self._optimiser.step()
            self._schedule.step()
            self._average.update_parameters(self._network)
            total += loss.item() * len(chosen)
        epoch = Epoch(len(self.history) + 1, total / len(self._labels), self._calibration_loss())
        self.history.append(epoch)
        if self.best_epoch == epoch.number:
            self._best = {name: tensor.detach().clone() for name, tensor in self._average.module.state_dict().items()}
        return epoch

    def _loss(self, chosen: Tensor) -> Tensor:
        images = as_tensor_image(augment(self._images[chosen].float())).to(self._device)
        labels, weights, types = (
            column[chosen, None].expand(-1, MEMBERS).to(self._device)
            for column in (self._labels, self._weights, self._types)
        )
        # Each member learns by itself: together they would learn to make up for each other, and be one network.
        said, _ = self._network.each(images)
        each = nn.functional.binary_cross_entropy_with_logits(said[:, :, 0], labels, reduction="none")
        loss = MEMBERS * (weights * each).mean()
        if (types != _NO_TYPE).any():
            of_types = nn.functional.cross_entropy(said[:, :, 1:].transpose(1, 2), types, ignore_index=_NO_TYPE)
            loss = loss + MEMBERS * _TYPES_WEIGHT * of_types
        return loss

    def best_network(self) -> Network:
        """Return the network as it was after the best epoch, ready to score."""
        self._network.load_state_dict(self._best)
        return self._network.eval()

    def state(self) -> bytes:
        """Return all of it, from which `go_on_from` goes on."""
        buffer = io.BytesIO()
        torch.save(
            {
                "history": [asdict(epoch) for epoch in self.history],
                "network": self._network.state_dict(),
                "average": self._average.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "schedule": self._schedule.state_dict(),
                "best": self._best,
                "generator": torch.get_rng_state(),
                "generator_of_device": torch.cuda.get_rng_state() if self._device != "cpu" else torch.empty(0),
            },
            buffer,
        )
        return buffer.getvalue()

    def go_on_from(self, state: bytes) -> None:
        """Become what a training was when it gave this state. ValueError where it is of another one, or spoilt."""
        try:
            known = torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)
            self._network.load_state_dict(known["network"])
            self._average.load_state_dict(known["average"])
            self._optimiser.load_state_dict(known["optimiser"])
            self._schedule.load_state_dict(known["schedule"])
            self._best = known["best"]
            self.history = [Epoch(**epoch) for epoch in known["history"]]
            torch.set_rng_state(known["generator"])
            if self._device != "cpu":
                torch.cuda.set_rng_state(known["generator_of_device"])
        except (RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise ValueError(f"training cannot go on from this state: {error}") from error

    def _calibration_loss(self) -> float:
        images, is_real = self._calibration
        logits = _logits(self._average.module.eval(), images)
        sign, weight = np.where(is_real, 1.0, -1.0), _balanced(is_real, self._calibration_weight)
        return float((weight * np.logaddexp(0.0, -sign * logits)).mean())


def logits_of(network: Network, part: Examples) -> NDArray[np.float64]:
    """Return the uncalibrated logits of examples."""
    return _logits(network, prepared(part))


def types_of(part: Examples) -> NDArray[np.int64]:
    """Return the place in `nearest.TYPES` of each example, or the number of those that have none."""
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


def _balanced(is_real: NDArray[np.bool_], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weights with which both classes weigh the same, 1 on average of the bogus ones.

    The prior of a night is not known, whatever the faults that were drawn.
    """
    real, bogus = float(weight[is_real].sum()), float(weight[~is_real].sum())
    share = bogus / max(real, 1e-9)
    mean = bogus / max(int((~is_real).sum()), 1)
    return (weight * np.where(is_real, share, 1.0) / max(mean, 1e-9)).astype(np.float32)


def prepared(part: Examples) -> NDArray[np.float16]:
    """Return what the network sees of the examples: half the bytes, and far finer than the noise."""
    parts = [
        network_input(part.stamps[start : start + BATCH], part.fwhm_px[start : start + BATCH])[0].astype(np.float16)
        for start in range(0, len(part), BATCH)
    ]
    return np.concatenate(parts)


def _logits(network: nn.Module, images: NDArray[np.float16]) -> NDArray[np.float64]:
    batches = (images[start : start + BATCH].astype(np.float32) for start in range(0, len(images), BATCH))
    return np.concatenate([network_outputs(network, some)[:, 0] for some in batches])


def _averaged(
    average: tuple[Tensor, ...] | list[Tensor], now: tuple[Tensor, ...] | list[Tensor], steps: Tensor | int
) -> None:
    """Bring the mean of the last steps nearer to what is now; in the beginning it forgets faster."""
    kept = min(_KEPT_EACH_STEP, (1.0 + float(steps)) / (10.0 + float(steps)))
    for old, new in zip(average, now, strict=True):
        if old.is_floating_point():
            old.lerp_(new.to(old.dtype), 1.0 - kept)
        else:
            old.copy_(new)
