"""Score stamps with the real/bogus network."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from scipy.special import softmax

from detection.numerics.anomaly import Ordinary, anomaly, from_arrays
from detection.numerics.calibration import Scale, probabilities
from detection.numerics.nearest import FEATURES
from detection.numerics.networks import (
    NETWORKS,
    ONE_VIEW,
    TYPES,
    Network,
    as_tensor_image,
    fused,
    in_channels_last,
)
from detection.numerics.stamps import Stamps
from detection.numerics.views import network_input

# 128 stamps need 15 MB for the largest layer: it stays in the cache, and larger batches are no faster.
BATCH = 128
# Names in the weights file: of the calibration's tensors, and what those of the anomaly begin with.
TEMPERATURE, BIAS, ANOMALY = "temperature", "bias", "anomaly."
# The active model, one in its shadow, and one that somebody tries.
_KEPT = 3


class WeightsRefused(ValueError):
    """The file is not what a model of this architecture needs; the sentence says why."""


def weights_sha256(weights_path: Path | str) -> str:
    """Return the hash that every score carries, of the whole file."""
    return hashlib.sha256(Path(weights_path).read_bytes()).hexdigest()


@dataclass(frozen=True)
class Judged:
    """What a model says of stamps: NaN where it says nothing.

    confidence : (n,), calibrated probability of being real. types : (n, 3), probabilities of `networks.TYPES` if it is
    real, which sum to 1. anomaly : (n,), share of what the model was trained with that is more ordinary. features :
    (n, 48), what the model goes by: stamps near each other in them are alike to it.
    """

    confidence: NDArray[np.float64]
    types: NDArray[np.float64]
    anomaly: NDArray[np.float64]
    features: NDArray[np.float64]

    def select(self, chosen: NDArray[np.bool_]) -> Judged:
        """Return what is said of the chosen stamps."""
        return Judged(self.confidence[chosen], self.types[chosen], self.anomaly[chosen], self.features[chosen])

    def of_each(self) -> list[dict[str, float | bytes]]:
        """Return what is said of each stamp, by name, as it is kept: features as little-endian float16.

        What the model does not say is left out; where it gives no score all is.
        """
        names = ("score", *(f"p_{name}" for name in TYPES), "anomaly")
        said = np.column_stack([self.confidence, self.types, self.anomaly])
        each: list[dict[str, float | bytes]] = []
        for values, features in zip(said, self.features, strict=True):
            known = {name: float(value) for name, value in zip(names, values, strict=True) if np.isfinite(value)}
            more = {"features": features.astype("<f2").tobytes()} if np.isfinite(features).all() else {}
            each.append({**known, **more} if "score" in known else {})
        return each

    def columns(self) -> tuple[NDArray[np.float64], ...]:
        """Return confidence, the probabilities of each type and of being an artefact, which sum to 1, and anomaly."""
        of_types = (self.confidence[:, None] * self.types).T
        return self.confidence, *of_types, 1.0 - self.confidence, self.anomaly


@dataclass(frozen=True)
class Loaded:
    """A network ready to score, its calibration, and what is ordinary, where that is known."""

    network: Network
    scale: Scale
    ordinary: Ordinary | None


def score(
    stamps: NDArray[np.floating], weights_path: Path | str, *, fwhm_px: ArrayLike, device: str = "cpu", threads: int = 1
) -> NDArray[np.float64]:
    """Give each stamp its calibrated probability of being real; arguments and errors as of `judge`."""
    return judge(stamps, weights_path, fwhm_px=fwhm_px, device=device, threads=threads).confidence


def judge(
    stamps: NDArray[np.floating], weights_path: Path | str, *, fwhm_px: ArrayLike, device: str = "cpu", threads: int = 1
) -> Judged:
    """Say of each stamp how likely it is real, what it may be, and how unlike all others.

    The stamps are worked off in batches, so that memory does not grow with their number. A stamp whose core is
    unknown (NaN, beyond the edge) or one of whose images is constant has no score: NaN, never a middling number. The
    thread count of the process is put back afterwards.

    Parameters
    ----------
    stamps : (n, 4, size, size) raw stamps as from `cut_stamps`; NaN = unknown. n may be 0.
    weights_path : safetensors file written by training.
    fwhm_px : one number or (n,), FWHM of a star in the raw stamps, pixels.
    device : where torch computes. threads : CPU threads to use.

    Raises
    ------
    FileNotFoundError : no weights there. WeightsRefused : not this network's weights, or weights that are not finite.
    ValueError : stamps of the wrong shape, or a FWHM that is not positive.
    """
    loaded = _kept(str(weights_path), weights_sha256(weights_path), device)
    fwhm = np.broadcast_to(np.asarray(fwhm_px, dtype=np.float64), (len(stamps),))
    outputs = np.full((len(stamps), 1 + len(TYPES) + FEATURES), np.nan)
    unlike = np.full(len(stamps), np.nan)
    with _threads(threads):
        for start in range(0, len(stamps), BATCH):
            part = slice(start, start + BATCH)
            images, is_usable = network_input(stamps[part], fwhm[part])
            found = network_outputs(loaded.network, images)
            outputs[part, : found.shape[1]] = np.where(is_usable[:, None], found, np.nan)
            if loaded.ordinary is not None:
                unlike[part] = np.where(is_usable, anomaly(loaded.ordinary, images), np.nan)
    real, types, features = np.split(outputs, (1, 1 + len(TYPES)), axis=1)
    return Judged(probabilities(real[:, 0], loaded.scale), softmax(types, axis=1), unlike, features)


@lru_cache(maxsize=_KEPT)
def _kept(weights_path: str, sha256: str, device: str) -> Loaded:  # noqa: ARG001  other bytes are another network
    """Load a network once for all frames of a process, as it is computed fastest."""
    loaded = load_network(weights_path)
    loaded.network.to(device=device, dtype=_fastest(device))
    return loaded


def load_network(weights_path: Path | str) -> Loaded:
    """Load the network that weights are of, ready to score."""
    tensors, architecture = _read(Path(weights_path))
    # Former versions knew of no bias.
    temperature, bias = tensors.pop(TEMPERATURE, None), tensors.pop(BIAS, torch.zeros(1))
    if temperature is None or temperature.numel() != 1 or bias.numel() != 1:
        raise WeightsRefused(f"{Path(weights_path).name} lacks its calibration: train it with train_model")
    if architecture not in NETWORKS:
        raise WeightsRefused(f"{Path(weights_path).name} is of {architecture}, which this version does not have")
    is_finite = all(bool(torch.isfinite(tensor).all()) for tensor in (*tensors.values(), bias))
    if not is_finite or not (math.isfinite(temperature.item()) and temperature.item() > 0):
        raise WeightsRefused(f"{Path(weights_path).name} holds values that are not finite")
    network = NETWORKS[architecture]()
    try:
        ordinary = from_arrays({name: tensor.numpy() for name, tensor in tensors.items()}, ANOMALY)
        network.load_state_dict({name: one for name, one in tensors.items() if not name.startswith(ANOMALY)})
    except (RuntimeError, TypeError) as error:
        raise WeightsRefused(f"{Path(weights_path).name} does not fit the network: {error}") from error
    scale = Scale(float(temperature.item()), float(bias.item()))
    return Loaded(in_channels_last(fused(network.eval())), scale, ordinary)


def _read(path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """Return the tensors of a file, and the network that they are of."""
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with safe_open(path, framework="pt") as file:
            architecture = (file.metadata() or {}).get("architecture", ONE_VIEW)
            return {name: file.get_tensor(name) for name in file.keys()}, architecture  # noqa: SIM118  no mapping
    except SafetensorError as error:
        raise WeightsRefused(f"{path.name} is not a safetensors file: {error}") from error


def network_outputs(network: torch.nn.Module, images: Stamps) -> NDArray[np.float64]:
    """Return the uncalibrated outputs for prepared images (n, 8, 31, 31): (n, 1) or (n, 52), real first."""
    own = next(network.parameters())
    with torch.inference_mode():
        outputs = network(as_tensor_image(images).to(device=own.device, dtype=own.dtype)).float().cpu()
    return outputs.numpy().astype(np.float64)


def _fastest(device: str) -> torch.dtype:
    """Return the numbers that a network is computed with fastest: bfloat16 where the processor multiplies them itself.

    Whether it does torch alone knows, and does not say in public.
    """
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return torch.bfloat16 if device == "cpu" and asked is not None and asked() else torch.float32


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
