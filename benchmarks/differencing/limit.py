"""What a subtraction could find at best: the matched filter that knows PSFs, registration, sky and noise exactly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from benchmarks.differencing.scenarios import Case
from observations.numerics.frame import Image, Mask
from observations.numerics.simulate.sources import MoffatPsf
from observations.numerics.simulate.survey import SurveySide, dithered

# The PSF is constant within such a square: at 18 % from centre to corner of 1024 px it changes by 1 % across one.
TILE_PX, PAD_PX = 64, 32


class Ideal(NamedTuple):
    """score : in sigma, NaN where masked. flux, flux_error : science ADU."""

    score: Image
    flux: Image
    flux_error: Image


class _Known(NamedTuple):
    """One side, science counts: what is no static light, the variance of each pixel, the noise of the sky, the PSF.

    dithers_px : as in `SurveySide`.
    """

    image: Image
    variance: Image
    sky_variance: float
    psf: MoffatPsf
    dithers_px: tuple[tuple[float, float], ...]

    def cut(self, where: tuple[slice, slice]) -> _Known:
        return self._replace(image=self.image[where], variance=self.variance[where])

    def padded(self) -> _Known:
        """Return it with room for a tile's margin on all sides, empty."""
        wide = ((PAD_PX, PAD_PX + TILE_PX),) * 2
        return self._replace(image=np.pad(self.image, wide), variance=np.pad(self.variance, wide))


def ideal(case: Case) -> Ideal:
    """Return the score of Zackay, Ofek & Gal-Yam (2016, ApJ 830, 27) of the pair without its static light.

    Both frames are their noise and what has changed, so that nothing static can be subtracted wrongly; a changed source
    stands at its place in the science frame in both. Variances are the true ones, of the static light's photons and the
    read noise, and so is the correlation of a stack's noise. A pixel that a mask holds, or that was filled in, counts
    for nothing.
    """
    pair = case.pair
    return _all_tiles(
        _known(pair.science, case.unusable_science, 1.0),
        _known(pair.reference, case.unusable_reference, pair.flux_scale),
        case.mask,
    )


def _known(side: SurveySide, unusable: Mask, scale: float) -> _Known:
    image = np.where(unusable, np.float32(0), (side.noise + side.changes) * np.float32(scale))
    variance = np.where(unusable, np.float32(0), side.variance * np.float32(scale**2))
    gain, read_noise = side.frame.gain or 1.0, side.frame.read_noise or 0.0
    sky = float(side.sky.mean() / gain + (read_noise / gain) ** 2) * scale**2
    return _Known(image, variance, sky, side.psf, side.dithers_px)


def _all_tiles(new: _Known, ref: _Known, mask: Mask) -> Ideal:
    ny, nx = mask.shape
    score, flux, error = (np.full((ny, nx), np.nan, dtype=np.float32) for _ in range(3))
    side = TILE_PX + 2 * PAD_PX
    wide = new.padded(), ref.padded()
    for y0 in range(0, ny, TILE_PX):
        for x0 in range(0, nx, TILE_PX):
            height, width = min(TILE_PX, ny - y0), min(TILE_PX, nx - x0)
            cuts = [one.cut(np.s_[y0 : y0 + side, x0 : x0 + side]) for one in wide]
            s, variance, norm = _tile(cuts[0], cuts[1], (x0 + (width - 1) / 2, y0 + (height - 1) / 2))
            inner = np.s_[PAD_PX : PAD_PX + height, PAD_PX : PAD_PX + width]
            core = np.s_[y0 : y0 + height, x0 : x0 + width]
            # Deep inside a mask nothing is left of the variance.
            root = np.sqrt(np.maximum(variance[inner], 1e-3 * np.median(variance)))
            score[core], flux[core], error[core] = s[inner] / root, s[inner] / norm, root / norm
    score[mask] = np.nan
    return Ideal(score, flux, error)


def _tile(new: _Known, ref: _Known, at: tuple[float, float]) -> tuple[Image, Image, float]:
    """Return S, its variance, and the flux that one unit of S stands for (equations 12 to 16 of the paper)."""
    shape = new.image.shape
    sides = new, ref
    psfs = [_transform(one.psf(*at), shape) for one in sides]
    moves = [_moves(one.dithers_px, shape) for one in sides]
    light = [np.abs(psf) ** 2 for psf in psfs]
    power = [np.mean([np.abs(move) ** 2 for move in own], axis=0) for own in moves]
    noise = new.sky_variance * power[0], ref.sky_variance * power[1]
    denominator = noise[0] * light[1] + noise[1] * light[0]
    denominator = np.maximum(denominator, 1e-9 * denominator.max())
    score, variance = np.zeros((2, *shape), dtype=np.float32)
    for k, sign in ((0, 1.0), (1, -1.0)):
        kernel = np.conj(psfs[k]) * light[1 - k] / denominator
        score = score + sign * fft.irfft2(kernel * fft.rfft2(sides[k].image), shape)
        squared = np.mean([fft.rfft2(fft.irfft2(kernel * move, shape) ** 2) for move in moves[k]], axis=0)
        variance = variance + fft.irfft2(squared * fft.rfft2(sides[k].variance), shape)
    return score, variance, float(fft.irfft2(light[0] * light[1] / denominator, shape)[0, 0])


def _moves(dithers_px: tuple[tuple[float, float], ...], shape: tuple[int, int]) -> list[NDArray[np.complexfloating]]:
    """Return the transforms of the linear interpolations that a stack's frames went through."""
    if not dithers_px:
        return [np.ones((1, 1), dtype=np.complex64)]
    point = np.zeros(shape)
    point[0, 0] = 1.0
    return [fft.rfft2(dithered(point, move)) for move in dithers_px]


def _transform(stamp: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.complexfloating]:
    """Return the transform of a PSF whose centre is moved to pixel (0, 0), cut where it exceeds the tile."""
    half = stamp.shape[0] // 2
    keep = min(half, (min(shape) - 1) // 2)
    image, index = np.zeros(shape), np.arange(-keep, keep + 1)
    middle = np.s_[half - keep : half + keep + 1]
    image[np.ix_(index % shape[0], index % shape[1])] = stamp[middle, middle]
    return fft.rfft2(image)
