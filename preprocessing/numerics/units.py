"""What the pixels of a frame count, by header and pixels together: only so does a gain mean anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.doubts import Doubt
from observations.numerics.fits.facts import FrameFacts
from observations.numerics.frame import Image
from preprocessing.numerics.look_alike import is_like_a_mosaic

# Programs that bring pixels to 0 … 1 divide by the largest number of the camera's bits, or by how many there are; the
# coarsest grid on which the pixels lie is the one.
FULL_SCALES = tuple(float(2**bits - less) for bits in (12, 14, 16) for less in (1, 0))
# Single exposures divided so lie on multiples of 1/65535; float32 keeps them to a hundredth of that.
ON_GRID, GRID_SHARE = 0.02, 0.99
SAMPLE_STEP = 7
# Less noise than half the amplifier's is that of no single exposure. More than three times what all the light in the
# pixels could make is no light's: uneven response makes a frame noisier by tens of per cent.
LEAST_NOISE_SHARE, MOST_NOISE_TIMES = 0.5, 3.0


@dataclass(frozen=True)
class Scale:
    """What one data unit is worth, as far as it is known.

    gain : electrons per data unit. read_noise_e : electrons. doubts : what is not used, and why.
    """

    gain: float | None
    read_noise_e: float | None
    doubts: tuple[Doubt, ...] = ()


def scale_of(data: Image, facts: FrameFacts, noise: float) -> Scale:
    """Return what the gain is in the unit of the pixels; what the pixels contradict is not used.

    Parameters
    ----------
    data : (ny, nx) as delivered; NaN allowed.
    facts : what the header says, its unit of the pixels among it.
    noise : measured rms of one sky pixel, data units.

    Notes
    -----
    Electrons count as themselves; a rate is multiplied by the exposure. Numbers from 0 to 1 are ADU divided by 65535
    or the full scale of 12 or 14 bits where they lie on that grid, and of an unknown unit where they do not. In every
    other case the noise decides whether the gain can be electrons per unit of these pixels, but for those of a mosaic
    that its header does not name: the colours are none of the noise.
    """
    sample = data[::SAMPLE_STEP, ::SAMPLE_STEP]
    sample = sample[np.isfinite(sample)]
    gain, read_noise, unit = facts.gain_e_per_adu, facts.read_noise_e, facts.pixel_unit
    if sample.size == 0:
        return Scale(gain, read_noise)
    if unit in ("electron", "electron/s"):
        return Scale(1.0 if unit == "electron" else facts.exposure_s, read_noise)
    if unit == "adu/s":
        return Scale(gain * facts.exposure_s if gain and facts.exposure_s else None, read_noise)
    if unit == "normalised" or _is_normalised(sample, facts):
        return _normalised(sample, Scale(gain, read_noise))
    if is_like_a_mosaic(data, facts):
        return Scale(gain, read_noise)
    return _judged_by_noise(sample, facts, Scale(gain, read_noise), noise)


def _is_normalised(sample: NDArray[np.float32], facts: FrameFacts) -> bool:
    """Whether all pixels lie between 0 and 1, as no camera counts."""
    return bool(sample.max() <= 1.0) and bool(sample.min() >= 0.0) and facts.pixel_unit is None


def _normalised(sample: NDArray[np.float32], claimed: Scale) -> Scale:
    if claimed.gain is None:
        return claimed
    full = next((full for full in FULL_SCALES if _is_on_grid(sample, full)), None)
    if full is not None:
        said = Doubt(
            "pixels_were_divided", "gain", "BUNIT", full,
            f"The pixels are the camera's counts divided by {full:.0f}, by their steps: the header's gain was "
            "multiplied by that.",
        )  # fmt: skip
        return Scale(claimed.gain * full, claimed.read_noise_e, (said,))
    doubt = Doubt(
        "pixels_between_0_and_1", "gain", "BUNIT", round(float(sample.max()), 6),
        "The pixels lie between 0 and 1, and not on the steps of a camera: gain and read noise of the header were not "
        "used, and the noise was measured in the pixels alone.",
    )  # fmt: skip
    return Scale(None, None, (doubt,))


def _is_on_grid(sample: NDArray[np.float32], full: float) -> bool:
    counts = sample.astype(np.float64) * full
    return float(np.mean(np.abs(counts - np.rint(counts)) < ON_GRID)) >= GRID_SHARE


def _judged_by_noise(sample: NDArray[np.float32], facts: FrameFacts, claimed: Scale, noise: float) -> Scale:
    """The claimed scale where the noise can be that of these pixels, else none."""
    if claimed.gain is None or not noise > 0:
        return claimed
    read_noise = claimed.read_noise_e or 0.0
    found_e = noise * claimed.gain
    most_e = float(np.hypot(read_noise, np.sqrt(max(float(np.median(sample)), 0.0) * claimed.gain)))
    if found_e < LEAST_NOISE_SHARE * read_noise:
        what = f"less than its read noise of {read_noise:.3g} e-"
    elif most_e > 0 and found_e > MOST_NOISE_TIMES * most_e:
        what = f"more than the {most_e:.3g} e- that all the light in them could make"
    else:
        return claimed
    doubt = Doubt(
        "gain_contradicted", "gain", facts.origins["gain"].source if "gain" in facts.origins else "", claimed.gain,
        f"With {claimed.gain:.4g} electrons per count the sky's noise would be {found_e:.3g} e-, {what}: the pixels "
        "are in another unit. Gain and read noise were not used; the noise was measured in the pixels.",
    )  # fmt: skip
    return Scale(None, None, (doubt,))
