"""What a frame without stars looks like, whatever its header calls it."""

from __future__ import annotations

import numpy as np

from observations.numerics.fits.facts import FrameFacts
from observations.numerics.frame import Image
from observations.numerics.statistics import MAD_TO_SIGMA

# The largest number of a 16-bit camera, where the header states no ceiling; of pixels from 0 to 1 it is 1.
FULL_SCALE = 65535.0
# Flats are exposed to a third or a half of the ceiling; a sky so bright shows stars all the same.
FLAT_SHARE = 0.15
# Read noise alone, with what defects and fixed pattern add to it.
DARK_NOISE_TIMES = 1.3
STEP = 7
# The colours of a mosaic's sky differ by more than the noise of a pixel, its two greens by far less than that.
COLOURS_SIGMA, GREENS_SHARE = 1.0, 0.2
FEWEST_OF_A_COLOUR = 50


MOSAIC = (
    "Its pixels repeat in squares of 2 x 2: it looks like the mosaic of a colour camera whose header does not say so. "
    "Give its bayer_pattern in a profile of the instrument."
)


def is_like_a_mosaic(data: Image, facts: FrameFacts) -> bool:
    """Tell whether a frame whose header names no colours has three levels in its 2 x 2 pixels, one of them twice.

    The two that are alike stand on a diagonal, as the greens of every mosaic do; rows or columns of two amplifiers do
    not. data : (ny, nx), as delivered.
    """
    if facts.bayer_pattern is not None or facts.binning not in (None, "1x1"):
        return False
    parts = [data[i :: 2 * STEP, j :: 2 * STEP] for i, j in ((0, 0), (1, 1), (0, 1), (1, 0))]
    parts = [part[np.isfinite(part)] for part in parts]
    if min(part.size for part in parts) < FEWEST_OF_A_COLOUR:
        return False
    levels = np.array([np.median(part) for part in parts])
    noise = MAD_TO_SIGMA * min(float(np.median(np.abs(part - np.median(part)))) for part in parts)
    spread = float(np.ptp(levels))
    greens = min(abs(levels[0] - levels[1]), abs(levels[2] - levels[3]))
    return spread > COLOURS_SIGMA * noise > 0.0 and greens < GREENS_SHARE * spread


def looks_like(data: Image, facts: FrameFacts, noise: float, star_count: int, fewest_stars: int) -> str:
    """Return in a sentence what a light without stars looks like; "" where it may be a light.

    facts : gain and read noise in the unit of the pixels, None where they are not. noise : rms of one sky pixel, data
    units.
    """
    sample = data[::STEP, ::STEP]
    sample = sample[np.isfinite(sample)]
    if star_count >= fewest_stars or sample.size == 0:
        return ""
    if is_like_a_mosaic(data, facts):
        return MOSAIC
    ceiling = 1.0 if float(sample.min()) >= 0.0 and float(sample.max()) <= 1.0 else FULL_SCALE
    if facts.saturation and facts.saturation_unit == "data":
        ceiling = facts.saturation
    if float(np.median(sample)) > FLAT_SHARE * ceiling:
        return "It looks like a flat frame whose header says that it is a light."
    gain, read_noise = facts.gain_e_per_adu, facts.read_noise_e
    if gain and read_noise and noise * gain < DARK_NOISE_TIMES * read_noise:
        return "It looks like a dark or bias frame whose header says that it is a light: no light arrived at all."
    return ""
