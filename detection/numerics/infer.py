"""Score stamps with the real/bogus network."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open

from detection.numerics.calibration import probabilities
from detection.numerics.networks import NETWORKS, ONE_VIEW, Network, as_tensor_image, fused, in_channels_last
from detection.numerics.stamps import Stamps
from detection.numerics.views import network_input

# 128 stamps need 15 MB for the largest layer: it stays in the cache, and larger batches are no faster.
BATCH = 128
TEMPERATURE = "temperature"  # name of the calibration's tensor in the weights file


class WeightsRefused(ValueError):
    """The file is not what a model of this architecture needs; the sentence says why."""


def weights_sha256(weights_path: Path | str) -> str:
    """Return the hash that every score carries, of the whole file."""
    return hashlib.sha256(Path(weights_path).read_bytes()).hexdigest()


def score(
    stamps: Stamps, weights_path: Path | str, *, fwhm_px: ArrayLike, device: str = "cpu", threads: int = 1
) -> NDArray[np.float64]:
    """Give each stamp its calibrated probability of being real.

    The stamps are worked off in batches, so that memory does not grow with their number. A stamp whose core is
    unknown (NaN, beyond the edge) or one of whose images is constant has no score: NaN, never a middling number. The
    thread count of the process is put back afterwards.

    Parameters
    ----------
    stamps : (n, 4, size, size) raw stamps as from `cut_stamps`; NaN = unknown. n may be 0.
    weights_path : safetensors file written by training.
    fwhm_px : one number or (n,), FWHM of a star in the raw stamps, pixels.
    device : where torch computes. threads : CPU threads to use.

    Returns
    -------
    (n,) float64 in [0, 1], or NaN.

    Raises
    ------
    FileNotFoundError : no weights there. WeightsRefused : not this network's weights, or weights that are not finite.
    ValueError : stamps of the wrong shape, or a FWHM that is not positive.
    """
    network, temperature = load_network(weights_path)
    network.to(device)
    fwhm = np.broadcast_to(np.asarray(fwhm_px, dtype=np.float64), (len(stamps),))
    with _threads(threads):
        logits = [network_logits(network, *_batch(stamps, fwhm, start)) for start in _starts(len(stamps))]
    return probabilities(np.concatenate(logits) if logits else np.empty(0), temperature)


def load_network(weights_path: Path | str) -> tuple[Network, float]:
    """Load the network that weights are of, ready to score, and the temperature of its calibration."""
    tensors, architecture = _read(Path(weights_path))
    temperature = tensors.pop(TEMPERATURE, None)
    if temperature is None or temperature.numel() != 1:
        raise WeightsRefused(f"{Path(weights_path).name} lacks its calibration: train it with train_model")
    if architecture not in NETWORKS:
        raise WeightsRefused(f"{Path(weights_path).name} is of {architecture}, which this version does not have")
    network = NETWORKS[architecture]()
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsRefused(f"{Path(weights_path).name} does not fit the network: {error}") from error
    is_finite = all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())
    if not is_finite or not (math.isfinite(temperature.item()) and temperature.item() > 0):
        raise WeightsRefused(f"{Path(weights_path).name} holds values that are not finite")
    return in_channels_last(fused(network.eval())), float(temperature.item())


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


def network_logits(network: torch.nn.Module, images: Stamps, is_usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the uncalibrated logits of prepared images (n, 8, 31, 31); NaN where not usable."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        logits = network(as_tensor_image(images).to(device)).cpu().numpy().astype(np.float64)
    return np.where(is_usable, logits, np.nan)


def _batch(stamps: Stamps, fwhm: NDArray[np.float64], start: int) -> tuple[Stamps, NDArray[np.bool_]]:
    return network_input(stamps[start : start + BATCH], fwhm[start : start + BATCH])


def _starts(count: int) -> range:
    return range(0, count, BATCH)


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
