"""Labelled stamps: what networks learn from and are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from detection.numerics.stamps import BEYOND_COUNTS, Stamps
from detection.numerics.views import median_of_known
from observations.numerics.statistics import MAD_TO_SIGMA

# What a float16 holds; nothing in a stamp is told apart by being brighter than so many sigmas of its sky.
_MOST_SIGMA = 6e4


@dataclass(frozen=True)
class Examples:
    """Labelled stamps, in the same order all of them.

    stamps : (n, 4, size, size) float16 as `standardised` makes them. fwhm_px : (n,), of a star in them, pixels.
    is_real : (n,) bool. kind : (n,) text, what each one is. group : (n,) text, what they come from: a group (a pair of
    frames, a night, an exposure) is never split between training and test. snr : (n,) |S_corr| of the peak, sigma.
    """

    stamps: NDArray[np.float16]
    fwhm_px: NDArray[np.float32]
    is_real: NDArray[np.bool_]
    kind: NDArray[np.str_]
    group: NDArray[np.str_]
    snr: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.is_real)

    def select(self, chosen: NDArray[np.generic]) -> Examples:
        """Return the chosen examples, by flags or places."""
        return Examples(**{column.name: getattr(self, column.name)[chosen] for column in fields(self)})


def joined(parts: Sequence[Examples]) -> Examples:
    """Put examples of several origins one after the other. ValueError where there are none."""
    if not parts:
        raise ValueError("there are no examples to put together")
    return Examples(
        **{column.name: np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Examples)}
    )


def standardised(stamps: Stamps) -> NDArray[np.float16]:
    """Give stamps in few bytes: each image less its median, in units of its 1.4826 MAD; the mask as it is.

    What the network makes of them stays the same to a thousandth of a sigma: it takes median and scale off anew.
    Unknown pixels (NaN, surveys' fill values) are NaN; an image without a scale is all 0.

    Parameters
    ----------
    stamps : (n, 4, size, size), raw.
    """
    images = np.where(np.abs(stamps[:, :3]) < BEYOND_COUNTS, stamps[:, :3], np.nan).astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        flat = images.reshape(*images.shape[:2], -1)
        centre = median_of_known(flat)
        scale = MAD_TO_SIGMA * median_of_known(np.abs(flat - centre[..., None]))
        values = (images - centre[..., None, None]) / scale[..., None, None]
    values = np.where((scale > 0)[..., None, None], values, np.where(np.isfinite(images), 0.0, np.nan))
    return np.concatenate([np.clip(values, -_MOST_SIGMA, _MOST_SIGMA), stamps[:, 3:]], axis=1).astype(np.float16)
