"""Stars that are lines, since the telescope followed something else or nothing: where they are, and their shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import sep
from numpy.typing import NDArray

from observations.numerics.frame import Image, Mask, Stars
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.background import as_plain_image
from preprocessing.numerics.stars import FIRST_GUESS_FWHM_PX, find_stars, gaussian_kernel

Column = NDArray[np.float64]

# Stars are lines from here on: twice as long as wide, where a frame's gate draws the line too.
TRAILED_ELLIPTICITY = 0.5
# A kernel that bridges the gaps which noise makes in a line of up to forty pixels, and is not wider than it has to be.
KERNEL_FWHM_PX = 10.0
THRESHOLD_SIGMA = 5.0
# Noise along a line is no second star.
DEBLEND_CONTRAST = 0.05
# Lines that tell length and direction: the brightest, which noise does not shorten.
SHAPING_LINES = 40
# What is shorter than this share of the others is no star: what the telescope followed, a hit, the end of a line.
SHORTEST_SHARE = 0.6


def are_trailed(stars: Stars) -> bool:
    """Tell whether a frame's stars are lines, by the median of what was measured of their cores."""
    return len(stars) > 0 and float(np.median(stars.ellipticity)) > TRAILED_ELLIPTICITY


@dataclass(frozen=True)
class Lines:
    """Stars that are lines, brightest first: middles (n, 2) px and light (n,), and what they have in common.

    length_px : of the way that a star went. angle : of it, radians from x to y. is_long : (n,) bool, False for what is
    much shorter than the others. is_single : (n,) bool, False for what was cut off, or parted from a neighbour.
    """

    xy: NDArray[np.float64]
    flux: Column
    is_long: NDArray[np.bool_]
    is_single: NDArray[np.bool_]
    length_px: float
    angle: float

    def __len__(self) -> int:
        return self.flux.size


def find_lines(data: Image, mask: Mask, *, background: Image | float, noise: Image | float) -> Lines:
    """Find stars that are lines, each as one.

    A wide kernel joins what a narrow one finds of a line in pieces, and the barycentre of the whole is its middle: a
    window as wide as the seeing would wander along it. Masked and non-finite pixels take no part.

    Parameters
    ----------
    data : (ny, nx) image, background included. mask : (ny, nx) bool, True = bad.
    background, noise : sky level and rms per pixel, (ny, nx) or one number, unit of `data`.
    """
    image = as_plain_image(data) - np.asarray(background, dtype=np.float32)
    bad = mask | ~np.isfinite(image)
    image[bad] = 0
    rms = np.ascontiguousarray(np.broadcast_to(np.asarray(noise, dtype=np.float32), image.shape))
    threshold = THRESHOLD_SIGMA / (np.sqrt(np.pi) * KERNEL_FWHM_PX / FWHM_PER_SIGMA)
    found = sep.extract(
        image, threshold, err=np.maximum(rms, np.float32(1e-30)), mask=bad, minarea=5, filter_type="conv",
        filter_kernel=gaussian_kernel(KERNEL_FWHM_PX), deblend_cont=DEBLEND_CONTRAST,
    )  # fmt: skip
    found = found[np.argsort(-found["flux"], kind="stable")]
    xy = np.column_stack([found["x"], found["y"]]).astype(np.float64)
    if found.size == 0:
        none = np.zeros(0, dtype=bool)
        return Lines(xy, np.zeros(0), none, none, 0.0, 0.0)
    long, wide, turn = (found[name][:SHAPING_LINES].astype(np.float64) for name in ("a", "b", "theta"))
    # A direction and its opposite are the same: so angles are averaged doubled.
    angle = float(np.angle(np.mean((long**2 - wide**2) * np.exp(2j * turn)))) / 2
    typical = float(np.median(long))
    # The variance of an even line is a twelfth of its squared length.
    length = float(np.sqrt(12 * max(typical**2 - float(np.median(wide)) ** 2, 0.0)))
    is_long, is_single = found["a"] > SHORTEST_SHARE * typical, found["flag"] == 0
    return Lines(xy, found["flux"].astype(np.float64), is_long, is_single, length, angle)


def seen_across(data: Image, mask: Mask, *, background: Image | float, noise: Image | float) -> Stars:
    """Return bright stars that are lines with their width across as their width: the seeing, or a little more.

    Parameters are those of `find_lines`. Each line may be found in several pieces.
    """
    pieces = find_stars(
        data, mask, background=background, noise=noise, fwhm_px=FIRST_GUESS_FWHM_PX, threshold_sigma=10.0
    )
    across = pieces.fwhm * np.sqrt(1 - pieces.ellipticity)
    known = across[~pieces.is_saturated]
    return replace(pieces, fwhm=across, fwhm_px=float(np.median(known)) if known.size else float("nan"))
