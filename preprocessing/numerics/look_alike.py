"""What a frame without stars looks like, whatever its header calls it."""

from __future__ import annotations

import numpy as np

from observations.numerics.fits.facts import FrameFacts
from observations.numerics.frame import Image

# The largest number of a 16-bit camera, where the header states no ceiling.
FULL_SCALE = 65535.0
# Flats are exposed to a third or a half of the ceiling; a sky so bright shows stars all the same.
FLAT_SHARE = 0.15
# Read noise alone, with what defects and fixed pattern add to it.
DARK_NOISE_TIMES = 1.3
STEP = 7


def looks_like(data: Image, facts: FrameFacts, noise: float, star_count: int, fewest_stars: int) -> str:
    """Return in a sentence what a light without stars looks like; "" where it may be a light.

    noise : rms of one sky pixel, data units.
    """
    sample = data[::STEP, ::STEP]
    sample = sample[np.isfinite(sample)]
    if star_count >= fewest_stars or sample.size == 0:
        return ""
    ceiling = facts.saturation if facts.saturation and facts.saturation_unit == "data" else FULL_SCALE
    if float(np.median(sample)) > FLAT_SHARE * ceiling:
        return "It looks like a flat frame whose header says that it is a light."
    gain, read_noise = facts.gain_e_per_adu, facts.read_noise_e
    if gain and read_noise and noise * gain < DARK_NOISE_TIMES * read_noise:
        return "It looks like a dark or bias frame whose header says that it is a light: no light arrived at all."
    return ""
