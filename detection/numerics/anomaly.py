"""How unlike everything that was trained with a stamp is: without labels, by probabilistic principal components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from detection.numerics.stamps import CHANNELS, Stamps
from detection.numerics.views import NETWORK_SIZE_PX, VIEWS_FWHM_PX

Floats = NDArray[np.float32]

# Blocks of 3 px: of the near view a FWHM each, in which noise is a third of what it is in a pixel.
_BLOCK_PX = 3
_COMPONENTS = 48
# So finely ranks are told: one in a thousand of what was trained with is beyond the last.
_RANKS = 1001
_RANKED_OF = 3


@dataclass(frozen=True)
class Ordinary:
    """What stamps ordinarily are: a plane of `_COMPONENTS` dimensions, the scatter in it, and that about it.

    mean : (d,). axes : (d, k), orthonormal. scale : (k,), rms along each. noise : (1,), rms of a value about the plane.
    ranks : (1001,), distances of others of the same stamps, in order.
    """

    mean: Floats
    axes: Floats
    scale: Floats
    noise: Floats
    ranks: Floats


def fit_ordinary(images: NDArray[np.floating]) -> Ordinary:
    """Fit what stamps (n, 8, 31, 31), as `network_input` makes them, ordinarily are.

    Tipping & Bishop (1999, J. R. Stat. Soc. B, 61, 611). ValueError : fewer stamps than components.
    """
    values = _blocks(images)
    # Ranked by others than those that it is fitted to: to these it fits better than to anything that comes later.
    ranked, values = values[::_RANKED_OF], np.delete(values, np.s_[::_RANKED_OF], axis=0)
    if len(values) <= _COMPONENTS:
        raise ValueError(f"{len(images)} stamps are too few to know what is ordinary")
    mean = values.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov((values - mean).T.astype(np.float64)))
    # The smallest variance that counts: a value of one kind of stamps alone is no reason to divide by nothing.
    noise = max(float(variances[:-_COMPONENTS].mean()), 1e-6)
    scale = np.maximum(variances[-_COMPONENTS:], noise)
    found = Ordinary(
        mean.astype(np.float32),
        axes[:, -_COMPONENTS:].astype(np.float32),
        np.sqrt(scale).astype(np.float32),
        np.array([np.sqrt(noise)], dtype=np.float32),
        np.zeros(_RANKS, dtype=np.float32),
    )
    ranks = np.quantile(_distances(found, ranked), np.linspace(0.0, 1.0, _RANKS)).astype(np.float32)
    return replace(found, ranks=ranks)


def anomaly(ordinary: Ordinary, images: Stamps) -> NDArray[np.float64]:
    """Return which share of what was trained with is more ordinary than each of the stamps: (n,) in [0, 1].

    images : (n, 8, 31, 31), as `network_input` makes them.
    """
    at = np.searchsorted(ordinary.ranks, _distances(ordinary, _blocks(images)))
    return np.minimum(at / (_RANKS - 1), 1.0)


def as_arrays(ordinary: Ordinary, prefix: str) -> dict[str, Floats]:
    """Return what a weights file keeps."""
    return {f"{prefix}{column.name}": getattr(ordinary, column.name) for column in fields(ordinary)}


def from_arrays(arrays: Mapping[str, Floats], prefix: str) -> Ordinary | None:
    """Return what a weights file has kept; None where it keeps nothing of it."""
    kept = {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
    return Ordinary(**kept) if kept else None


def _distances(ordinary: Ordinary, values: Floats) -> Floats:
    centred = values - ordinary.mean
    along = centred @ ordinary.axes
    about = (centred**2).sum(axis=1) - (along**2).sum(axis=1)
    distance: Floats = ((along / ordinary.scale) ** 2).sum(axis=1) + np.maximum(about, 0.0) / ordinary.noise[0] ** 2
    return distance


def _blocks(images: NDArray[np.floating]) -> Floats:
    """Return the means of blocks of all images but the masks: (n, 600)."""
    views, channels, side = len(VIEWS_FWHM_PX), len(CHANNELS), NETWORK_SIZE_PX // _BLOCK_PX
    kept = images.reshape(len(images), views, channels, NETWORK_SIZE_PX, NETWORK_SIZE_PX)[:, :, :-1]
    kept = kept[..., : side * _BLOCK_PX, : side * _BLOCK_PX].astype(np.float32)
    # Sums of whole planes: a mean over two short axes takes ten times as long.
    rows = kept[..., ::_BLOCK_PX, :] + kept[..., 1::_BLOCK_PX, :] + kept[..., 2::_BLOCK_PX, :]
    blocks = rows[..., ::_BLOCK_PX] + rows[..., 1::_BLOCK_PX] + rows[..., 2::_BLOCK_PX]
    means: Floats = blocks.reshape(len(images), -1) / np.float32(_BLOCK_PX**2)
    return means
