"""What a subtraction could find at best: the matched filter that knows PSFs, registration, sky and noise exactly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from benchmarks.differencing.scenarios import Case
from observations.numerics.frame import Image
from observations.numerics.simulate.sources import MoffatPsf

# The PSF is constant within such a square: at 18 % from centre to corner of 1024 px it changes by 1 % across one.
TILE_PX, PAD_PX = 64, 32


class Ideal(NamedTuple):
    """score : in sigma, NaN where masked. flux, flux_error : science ADU."""

    score: Image
    flux: Image
    flux_error: Image


class _Known(NamedTuple):
    """One side, science counts: what is no static light, the variance of each pixel, the noise of the sky, the PSF."""

    image: Image
    variance: Image
    sky_variance: float
    psf: MoffatPsf


def ideal(case: Case) -> Ideal:
    """Return the score of Zackay, Ofek & Gal-Yam (2016, ApJ 830, 27) of the pair without its static light.

    Both frames are their noise and what has changed, so that nothing static can be subtracted wrongly; a changed source
    stands at its place in the science frame in both. Variances are the true ones, of the static light's photons and the
    read noise. A pixel that a mask holds, or that was filled in, counts for nothing.
    """
    pair = case.pair
    sides = []
    for static, changes, noise, frame, unusable, psf, scale in (
        (pair.static_science, pair.changes_science, pair.noise_science, pair.science, case.unusable_science,
         pair.psf_science, 1.0),
        (pair.static_reference, pair.changes_reference, pair.noise_reference, pair.reference, case.unusable_reference,
         pair.psf_reference, pair.flux_scale),
    ):  # fmt: skip
        gain, read_noise = frame.gain or 1.0, frame.read_noise or 0.0
        variance = (static / gain + (read_noise / gain) ** 2) * scale**2
        image = np.where(unusable, 0.0, (noise + changes) * scale).astype(np.float32)
        sky = float(np.percentile(variance, 10))
        sides.append(_Known(image, np.where(unusable, 0.0, variance).astype(np.float32), sky, psf))
    return _all_tiles(sides[0], sides[1], case)


def _all_tiles(new: _Known, ref: _Known, case: Case) -> Ideal:
    ny, nx = case.mask.shape
    score, flux, error = (np.full((ny, nx), np.nan, dtype=np.float32) for _ in range(3))
    side = TILE_PX + 2 * PAD_PX
    whole = [[np.pad(a, PAD_PX + TILE_PX)[TILE_PX:, TILE_PX:] for a in (s.image, s.variance)] for s in (new, ref)]
    for y0 in range(0, ny, TILE_PX):
        for x0 in range(0, nx, TILE_PX):
            cut = np.s_[y0 : y0 + side, x0 : x0 + side]
            at = (min(x0 + TILE_PX / 2, nx - 1) - 0.5, min(y0 + TILE_PX / 2, ny - 1) - 0.5)
            stamps = [_kernel(s.psf(*at), (side, side)) for s in (new, ref)]
            s, variance, norm = _tile(
                [[a[cut] for a in one] for one in whole], stamps, new.sky_variance, ref.sky_variance
            )
            inner = np.s_[PAD_PX : PAD_PX + min(TILE_PX, ny - y0), PAD_PX : PAD_PX + min(TILE_PX, nx - x0)]
            core = np.s_[y0 : y0 + TILE_PX, x0 : x0 + TILE_PX]
            root = np.sqrt(np.maximum(variance[inner], 1e-3 * np.median(variance)))
            score[core], flux[core], error[core] = s[inner] / root, s[inner] / norm, root / norm
    score[case.mask] = np.nan
    return Ideal(score, flux, error)


def _tile(
    sides: list[list[Image]], psfs: list[NDArray[np.complexfloating]], sky_n: float, sky_r: float
) -> tuple[Image, Image, float]:
    """Return S, its variance, and the flux that one unit of S stands for (equations 12 to 16 of the paper)."""
    power = [np.abs(p) ** 2 for p in psfs]
    denominator = sky_n * power[1] + sky_r * power[0]
    denominator = np.maximum(denominator, 1e-9 * denominator.max())
    score, variance = 0.0, 0.0
    for k, sign in ((0, 1.0), (1, -1.0)):
        kernel = np.conj(psfs[k]) * power[1 - k] / denominator
        image, noise = sides[k]
        score = score + sign * fft.irfft2(kernel * fft.rfft2(image), image.shape)
        squared = fft.rfft2(fft.irfft2(kernel, image.shape) ** 2)
        variance = variance + fft.irfft2(squared * fft.rfft2(noise), image.shape)
    norm = fft.irfft2(power[0] * power[1] / denominator, sides[0][0].shape)[0, 0]
    return score, variance, float(norm)


def _kernel(stamp: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.complexfloating]:
    """Return the transform of a PSF whose centre is moved to pixel (0, 0)."""
    half = stamp.shape[0] // 2
    image = np.zeros(shape)
    index = np.arange(-half, half + 1)
    image[np.ix_(index % shape[0], index % shape[1])] = stamp
    return fft.rfft2(image)
