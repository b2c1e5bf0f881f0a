"""A flat from the night's own lights, where none was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ndtr

from observations.numerics.doubts import TRUSTED_FLUX_SHARE
from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import MAD_TO_SIGMA
from preprocessing.numerics.background import Background, follow_background
from preprocessing.numerics.calibrate import CalibrationError, Master
from preprocessing.numerics.hot_pixels import hot_pixels

# Two lights cannot tell whose the star is.
FEWEST_LIGHTS = 3
# Stars are cut out at 2 sigma of a 5 px boxcar, 0.4 sigma per pixel, and then widened: what stays in the flat is taken
# out of every light.
STAR_CUT_SIGMA = 2.0
BOX_PX = 5
GROW_PX = 4
HALO_CUT_SIGMA = 30.0
HALO_GROW_PX = 20
# Sky that differs in shape by more than this from the other lights' is not the sky (a flashlight, moonlit cloud).
LARGEST_SHAPE_DIFFERENCE = 0.05
MESH_PX = 64
# Starlet planes of 2, 4, ... 64 px; the first, of single pixels, is left out: four lights know a pixel's response to
# 0.7 %, and it scatters by 0.4 %.
PLANES = 6
# Dust only darkens; what brightens may be the sum of stars below the cut, and has to prove more. Of a hundred thousand
# pixels noise puts 135 below -3 sigma: a cut is raised until no more than this share of what is beyond it is noise.
DARK_CUT_SIGMA = 2.0
BRIGHT_CUT_SIGMA = 4.0
NOISE_SHARE = 0.1
CUTS_SIGMA = np.arange(DARK_CUT_SIGMA, 8.0, 0.1)
# Dust rings of 1-3 % are seen; a small-scale response further from 1 is a defect, which is the mask's business.
LARGEST_DEPARTURE = 0.2


# The Moon, twilight and towns make one side of a frame brighter, optics darken its rim alike on opposite sides: by half
# the radius a vignette has lost a quarter of what it loses in the corners, a cone half, a galaxy nearly all.
MOST_EARLY_LOSS = 0.5
# What the rim may lose less than the middle without being a vignette: the error of the sky's shape.
SHAPE_ERROR = 0.01
RADII = 8


class TooFewLights(CalibrationError):
    """Not enough agreeing lights for a sky flat."""


@dataclass(frozen=True)
class _Light:
    ratio: Image  # light / its own sky level - 1, zero where not seen
    seen: Mask
    shape: Image  # sky level / its median
    excess: Image  # over the sky, in its noise; NaN where bad
    noise: float


def sky_flat(lights: Sequence[Image], masks: Sequence[Mask]) -> Master:
    """Make a flat from the sky of dithered lights.

    The large-scale part is what optics may do to the median of the lights' sky shapes (see `response_of`): light that
    was added, by the Moon or a galaxy, is no response. The small-scale part is the mean of the star-masked lights over
    their skies, denoised so that it adds less than it takes out. Pixels that are hot in all of the lights have no
    response: NaN.

    Parameters
    ----------
    lights : n images (ny, nx), bias and dark removed, ADU. masks : True = bad.

    Returns
    -------
    Master
        of kind "sky_flat", mean 1, with the error of its small-scale part; `diagnostics`: lights used and left out, rms
        of the small-scale part, hot pixels.

    Raises
    ------
    TooFewLights
        with fewer than 3 lights whose skies have one shape.

    Notes
    -----
    Measured on four lights of the 2713 night, dithered by 3 to 26 px, each divided by the flat of the other three (sky
    pixels 14 px and more from the edge, after a matched filter of 1.3 px): pixels below -5 sigma 1192 -> 2, 1230 -> 14,
    1093 -> 21 and, for the hazy first one, 2399 -> 802; scatter 1.18 -> 1.08, 1.17 -> 1.08, 1.15 -> 1.08 and
    1.23 -> 1.11. A filter by the power that halves of the lights share left half of the dust rings; a plain median of
    the lights left star residues of 30 sigma.
    """
    measured = [_measure(light, mask) for light, mask in zip(lights, masks, strict=True)]
    agreeing = _agreeing(measured)
    if len(agreeing) < FEWEST_LIGHTS:
        raise TooFewLights(f"{len(agreeing)} of {len(lights)} lights have one sky shape; {FEWEST_LIGHTS} are needed")
    shape = np.median(np.stack([light.shape for light in agreeing]), axis=0).astype(np.float32)
    large = response_of(shape)
    small, error = _small_scale(agreeing)
    flat = large * (1 + small)
    hot = hot_pixels([light.excess for light in agreeing])
    diagnostics = {
        "lights_used": float(len(agreeing)),
        "lights_left_out": float(len(lights) - len(agreeing)),
        "small_scale_rms": float(small.std()),
        "hot_pixels": float(np.count_nonzero(hot)),
    }
    flat = (flat / flat.mean(dtype=np.float64)).astype(np.float32)
    flat[hot] = np.nan
    return Master(flat, "sky_flat", len(agreeing), diagnostics=diagnostics, error=error)


def response_of(shape: Image) -> Image:
    """Return the part of a sky's shape that can be a detector's response: alike on opposite sides, fading outwards.

    No sky alone can tell light that was added from light that was lost. What differs between opposite sides is taken
    for added light; what does not is a vignette where its rings darken outwards, more and more, as optics have it, and
    nothing otherwise: a galaxy in the middle darkens at once, a lamp brightens the rim. What moves no flux by more than
    is trusted is taken for response as it is, as it mostly will be.

    Parameters
    ----------
    shape : (ny, nx) sky level over its median.

    Returns
    -------
    (ny, nx) float32; 1 where no response is to be seen.
    """
    even = np.asarray(0.5 * (shape + shape[::-1, ::-1]), dtype=np.float32)
    if not _is_vignette(_rings(even)) and _departure(even[::4, ::4] - 1.0) > TRUSTED_FLUX_SHARE:
        even = np.ones_like(even)
    odd = np.asarray(0.5 * (shape - shape[::-1, ::-1]), dtype=np.float32)
    return even + odd if _departure(odd[::4, ::4]) <= TRUSTED_FLUX_SHARE else even


def _is_vignette(rings: NDArray[np.float64]) -> bool:
    loss = rings[0] - rings
    early, whole = float(loss[RADII // 2 - 1 : RADII // 2 + 1].mean()), float(loss[-1])
    return whole > SHAPE_ERROR and early < MOST_EARLY_LOSS * whole + SHAPE_ERROR


def _rings(even: Image) -> NDArray[np.float64]:
    """Return the medians of rings about the middle, from inside outwards."""
    ny, nx = even.shape
    v, u = np.ogrid[-1.0 : 1.0 : ny * 1j, -1.0 : 1.0 : nx * 1j]
    ring = np.minimum(np.hypot(u, v) / np.sqrt(2.0) * RADII, RADII - 1).astype(np.intp)
    return np.array([np.nanmedian(even[ring == k]) for k in range(RADII)])


def _departure(part: Image) -> float:
    return float(np.percentile(np.abs(part), 95.0))


def vignette_loss(level: Image) -> float:
    """Return by how much the rim is darker than the middle where a sky fades as behind a vignette, 0 elsewhere."""
    some = level[::4, ::4]
    rings = _rings(0.5 * (some + some[::-1, ::-1]) / np.nanmedian(some))
    return float(1.0 - rings[-1] / rings[0]) if _is_vignette(rings) else 0.0


def lopsidedness(level: Image) -> float:
    """Return by how much of its median a sky differs from its mirror image through the middle, halved.

    Were it response, fluxes would be off by so much at the rim.
    """
    middle = float(np.median(level[::4, ::4]))
    return _departure(0.5 * (level[::4, ::4] - level[::-1, ::-1][::4, ::4])) / abs(middle) if middle else 0.0


def _measure(light: Image, mask: Mask) -> _Light:
    sky: Background = follow_background(light, mask, mesh_px=MESH_PX)
    middle = sky.median_level
    if not middle > 0:
        raise CalibrationError(f"a light has no sky to make a flat of: median {middle:.1f} ADU")
    bad = mask | ~np.isfinite(light)
    excess = (np.where(bad, 0, light - sky.level) / np.maximum(sky.noise, 1e-30)).astype(np.float32)
    smooth = ndimage.uniform_filter(excess, BOX_PX) * BOX_PX
    stars = ndimage.binary_dilation(smooth > STAR_CUT_SIGMA, iterations=GROW_PX)
    stars |= ndimage.binary_dilation(smooth > HALO_CUT_SIGMA, iterations=HALO_GROW_PX)
    seen = ~(bad | stars)
    level = np.maximum(sky.level, 0.05 * middle)
    ratio = np.where(seen, (light - sky.level) / level, 0).astype(np.float32)
    seen &= np.abs(ratio) < LARGEST_DEPARTURE
    ratio = np.where(seen, ratio, np.float32(0)).astype(np.float32)
    excess[bad] = np.nan
    return _Light(ratio, seen, (level / np.float32(middle)).astype(np.float32), excess, float(ratio[seen].std()))


def _agreeing(lights: list[_Light]) -> list[_Light]:
    """Return the lights whose sky has the shape of the median light's, compared on every eighth pixel."""
    thumbnails = np.stack([light.shape[::8, ::8] for light in lights])
    middle = np.median(thumbnails, axis=0)
    off = [float(np.sqrt(np.mean((t / middle - 1) ** 2))) for t in thumbnails]
    return [light for light, far in zip(lights, off, strict=True) if far < LARGEST_SHAPE_DIFFERENCE]


def _mean(lights: list[_Light]) -> tuple[Image, Image]:
    """Return the mean ratio of the lights that see each pixel, by their noise, and its variance; 0 where none does."""
    weight = np.zeros(lights[0].ratio.shape, dtype=np.float32)
    total = np.zeros_like(weight)
    for light in lights:
        one = np.float32(1 / light.noise**2)
        weight += one * light.seen
        total += one * light.ratio
    inverse = np.divide(1, weight, out=np.zeros_like(weight), where=weight > 0)
    return total * inverse, inverse


def _small_scale(lights: list[_Light]) -> tuple[Image, Image]:
    """Return the denoised small-scale response and its error.

    Starlet planes (Starck & Murtagh 2006, Astronomical Image and Data Analysis, section 2.3.5), each shrunk where
    it is not significant against the scatter between the lights that see the place.
    """
    mean, variance = _mean(lights)
    (one, one_variance), (other, other_variance) = _mean(lights[0::2]), _mean(lights[1::2])
    # What the halves of the lights do not share is noise; scaled to that of the mean, pixel by pixel.
    noise, noise_variance = one - other, one_variance + other_variance
    result, error = np.zeros_like(mean), np.zeros_like(mean)
    for scale in range(PLANES):
        wider, wider_noise = _blur(mean, 2**scale), _blur(noise, 2**scale)
        plane, noise_plane = mean - wider, noise - wider_noise
        mean, noise = wider, wider_noise
        variance, noise_variance = _blur(variance, 2**scale), _blur(noise_variance, 2**scale)
        known = noise_variance > 0
        if scale == 0 or not known.any():
            continue
        unit = MAD_TO_SIGMA * float(np.median(np.abs(noise_plane[known]) / np.sqrt(noise_variance[known])))
        kept, unsure = _significant(plane, np.float32(unit) * np.sqrt(variance), patch_px=4**scale)
        result += kept
        error += np.square(unsure)
    # What is wider than the planes is what the background mesh rounded off.
    return (result + mean).astype(np.float32), np.sqrt(error)


def _significant(plane: Image, sigma: Image, *, patch_px: int) -> tuple[Image, Image]:
    """Return what of a plane is not noise, shrunk by what may be noise in it, and its error.

    Some of it is noise that went beyond the cut: the error is what noise can be, the cut itself.
    """
    pull: Image = np.divide(plane, np.maximum(sigma, 1e-30), dtype=np.float32)
    kept, error = np.zeros_like(plane), np.zeros_like(plane)
    for side, least in ((-pull, DARK_CUT_SIGMA), (pull, BRIGHT_CUT_SIGMA)):
        cut = _cut(side, least, patch_px)
        found = side > cut
        kept[found] = plane[found] * (1 - (np.float32(cut) / side[found]) ** 4)
        error[found] = np.float32(cut) * sigma[found]
    return kept, error


def _cut(pull: Image, least: float, patch_px: int) -> float:
    """Return the sigmas beyond which noise is a small enough share of what there is (Benjamini & Hochberg 1995).

    patch_px : what noise puts beyond any cut it puts there as a patch of so many pixels; one is always reckoned with.
    """
    high = np.sort(pull[pull > least].ravel())
    cuts = CUTS_SIGMA[least <= CUTS_SIGMA]
    found = high.size - np.searchsorted(high, cuts)
    enough = ndtr(-cuts) * pull.size + patch_px <= NOISE_SHARE * found
    return float(cuts[np.argmax(enough)]) if enough.any() else float(np.inf)


def _blur(image: NDArray[np.floating], step: int) -> Image:
    kernel = np.zeros(4 * step + 1, dtype=np.float32)
    kernel[::step] = np.array([1, 4, 6, 4, 1], dtype=np.float32) / 16
    once = ndimage.convolve1d(image, kernel, axis=0, mode="reflect")
    return np.asarray(ndimage.convolve1d(once, kernel, axis=1, mode="reflect"), dtype=np.float32)
