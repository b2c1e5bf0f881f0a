"""Draw trails and artefacts in a difference image with the U-Net."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from detection.numerics.infer import WeightsRefused, weights_sha256
from detection.numerics.segmentation.lines import call_trails
from detection.numerics.segmentation.network import (
    ARCHITECTURE,
    CLASSES,
    STEP_BOTTOM,
    STEP_OUT,
    TrailsUnet,
    ready,
)
from detection.numerics.segmentation.pieces import call_artefacts
from detection.numerics.segmentation.prepare import Noise, binning, compressed, noise_of, planes_of
from observations.numerics.fits.mapped import Pixels
from observations.numerics.frame import Image, Mask

Maps = NDArray[np.float32]

# Bits of the mask, in the order of the network's classes.
TRAIL, ARTEFACT = 1, 2
# What a tile shows of its neighbours on each side; what the network sees farther away changes no clear trail.
TILE_PX, MARGIN_PX = 1024, 128
# From this probability on a pixel may be a trail, whatever else it may be.
NOT_EXCLUDED = 0.2


@dataclass(frozen=True)
class Segmentation:
    """What the network drew.

    bits : (ny, nx) uint8 of the image, TRAIL = 1, ARTEFACT = 2. confidence : the greater of both probabilities as
    (ny / step, nx / step) uint8, 255 = certain, of squares of `step` px; those that the edge cuts count as whole.
    trails, artefacts : how many were drawn.
    """

    bits: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    step: int
    trails: int
    artefacts: int


def segment(
    difference: Pixels, mask: Mask, weights_path: Path | str, *, fwhm_px: float, threads: int = 1
) -> Segmentation:
    """Draw what is a trail, and what else is an artefact, in a difference image.

    A frame is worked off in tiles that overlap, so that the network's memory does not grow with it. Masked pixels and
    NaN take no part, and may lie in a trail. The thread count of the process is put back afterwards.

    Parameters
    ----------
    difference : (ny, nx), any unit, may be a mapped file; NaN = unknown. mask : (ny, nx), True = bad.
    weights_path : safetensors file written by training. fwhm_px : FWHM of a star in the difference.

    Raises
    ------
    FileNotFoundError : no weights there. WeightsRefused : not this network's weights, or weights that are not finite.
    ValueError : the mask is of another shape, the seeing is not positive, or the image is all bad or without noise.
    """
    if difference.ndim != 2 or mask.shape != difference.shape:
        raise ValueError(f"an image of {difference.shape} does not go with a mask of {mask.shape}")
    network = _kept(str(weights_path), weights_sha256(weights_path))
    step = binning(fwhm_px)
    noise = noise_of(difference, mask, step)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        chances, is_bad = _chances(network, difference, mask, noise)
    finally:
        torch.set_num_threads(before)
    lines = call_trails(_line_like(chances), is_bad, fwhm_px / step / STEP_OUT)
    artefact, artefacts = call_artefacts(chances[1], lines.columns)
    whole = (lines.trails * np.uint8(TRAIL)) | ((artefact & ~lines.trails) * np.uint8(ARTEFACT))
    ny, nx = difference.shape
    bits = np.repeat(np.repeat(whole, step * STEP_OUT, axis=0), step * STEP_OUT, axis=1)[:ny, :nx]
    confidence = np.rint(255 * chances.max(axis=0)).astype(np.uint8)
    return Segmentation(bits, confidence, step * STEP_OUT, lines.count, artefacts)


def _line_like(chances: Maps) -> Maps:
    """Return the probability that a pixel is of a trail, as far as its surroundings tell.

    What is bright and sharp may be a spike, or a trail: the network's second class counts, too, where the first is not
    excluded. Which of both it is, its whole line tells.
    """
    trail, artefact = chances
    return np.asarray(np.maximum(trail, artefact * np.minimum(1, trail / NOT_EXCLUDED)))


def _chances(network: TrailsUnet, difference: Pixels, mask: Mask, noise: Noise) -> tuple[Maps, Mask]:
    """Return the probability of each class, (2, ny / 2, nx / 2) of the binned image, and what of it is bad.

    Of what is bad nothing is known: its probability is 0. Squares that the edge cuts are whole.
    """
    out = np.empty((len(CLASSES), *(-(-n // STEP_OUT) for n in noise.shape)), dtype=np.float32)
    is_bad = np.empty(out.shape[1:], dtype=bool)
    for rows in _spans(noise.shape[0]):
        for columns in _spans(noise.shape[1]):
            sigmas, bad = planes_of(difference, mask, noise, (rows.seen, columns.seen))
            made = _of_tile(network, compressed(sigmas, bad))
            kept = (_halved(rows.kept), _halved(columns.kept))
            top, left = rows.seen.start // STEP_OUT, columns.seen.start // STEP_OUT
            within = (slice(kept[0].start - top, kept[0].stop - top), slice(kept[1].start - left, kept[1].stop - left))
            is_bad[kept] = bad[::STEP_OUT, ::STEP_OUT][within]
            out[:, *kept] = np.where(is_bad[kept], np.float32(0), made[:, *within])
    return out, is_bad


def _halved(span: slice) -> slice:
    return slice(span.start // STEP_OUT, -(-span.stop // STEP_OUT))


@dataclass(frozen=True)
class _Span:
    """What a tile sees along one axis, and what of it is kept."""

    seen: slice
    kept: slice


def _spans(size: int) -> Iterator[_Span]:
    """Divide a length into tiles that begin at multiples of the bottom's step."""
    if size <= TILE_PX:
        yield _Span(slice(0, size), slice(0, size))
        return
    inner = TILE_PX - 2 * MARGIN_PX
    for start in range(0, size - 2 * MARGIN_PX, inner):
        end = min(start + TILE_PX, size)
        yield _Span(
            slice(start, end),
            slice(start + MARGIN_PX if start else 0, end - MARGIN_PX if end < size else size),
        )


def _of_tile(network: TrailsUnet, planes: Image) -> Maps:
    """Return the probabilities of one tile; what is missing to multiples of the bottom's step is masked."""
    ny, nx = planes.shape[1:]
    extra = [(0, -n % STEP_BOTTOM) for n in (ny, nx)]
    filled = np.stack([np.pad(planes[0], extra), np.pad(planes[1], extra, constant_values=1.0)])
    with torch.inference_mode():
        tensor = torch.as_tensor(filled[None]).contiguous(memory_format=torch.channels_last)
        return torch.sigmoid(network(tensor))[0].numpy()


@lru_cache(maxsize=2)
def _kept(weights_path: str, sha256: str) -> TrailsUnet:  # noqa: ARG001  other bytes are another network
    """Load a network once for all frames of a process."""
    return load_network(weights_path)


def load_network(weights_path: Path | str) -> TrailsUnet:
    """Load the network, ready for use. Raises as `segment`."""
    path = Path(weights_path)
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with safe_open(path, framework="pt") as file:
            architecture = (file.metadata() or {}).get("architecture", "")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
    except SafetensorError as error:
        raise WeightsRefused(f"{path.name} is not a safetensors file: {error}") from error
    if architecture != ARCHITECTURE:
        raise WeightsRefused(f"{path.name} is of {architecture or 'another network'}, not of {ARCHITECTURE}")
    network = TrailsUnet()
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsRefused(f"{path.name} does not fit the network: {error}") from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise WeightsRefused(f"{path.name} holds values that are not finite")
    return ready(network)
