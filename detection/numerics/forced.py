"""Measure what a difference holds at positions that are known beforehand, whether or not anything stands out there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from detection.numerics.significance import DETECTED_SIGMA, LIMIT_SIGMA
from differencing.numerics.positions import squared_slope
from observations.numerics.frame import BAD_BITS, Mask, MaskBit, PsfFunction
from preprocessing.numerics.photometry import FILTER_RADII, psf_radius_px

Array = NDArray[np.float64]
Window = tuple[slice, slice]

# Half of a spline's window: its boundary is felt by less than 0.1 % in the middle.
_REACH_PX = 4


class Trouble(StrEnum):
    """Why a place has no flux."""

    NONE = ""
    MASKED = "masked"
    SATURATED = "saturated"
    OUTSIDE = "outside"


class Plane(Protocol):
    """An image that is cut before it is read: an array, or a file that is mapped."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, window: Window) -> NDArray[np.number]: ...


@dataclass(frozen=True)
class Subtracted:
    """What a subtraction left behind, images (ny, nx) of one grid in science counts.

    flux : PSF flux beyond the reference at each pixel. score : the same over its error, NaN where masked. science,
    reference : the matched images, sky 0. mask : 0 = good, else the `MaskBit` of either frame. psf : the science
    frame's. sigma_science, sigma_reference : noise of an empty pixel of either image; NaN where it is not known.
    gain : electrons per count; None where it is not known.
    """

    flux: Plane
    score: Plane
    science: Plane
    reference: Plane
    mask: Plane
    psf: PsfFunction
    sigma_science: float
    sigma_reference: float
    gain: float | None


@dataclass(frozen=True)
class ForcedParameters:
    """Limits of what can be measured.

    most_lost_share : share of the PSF's weight (its square) on bad pixels, or outside the frame. A bad pixel is filled
        with a guess; the pixel under the peak alone holds a fifth of the weight of a PSF of FWHM 3 px.
    reference_snr, reference_likeness : the reference holds a star there when its PSF flux is this significant and the
        pixels are this alike the PSF (cosine; 1 = the same). Frames whose seeing differs by half give .93, a galaxy
        of twice the PSF's width .84; the noise of a star at the least significance moves it by .05.
    """

    most_lost_share: float = 0.15
    reference_snr: float = 10.0
    reference_likeness: float = 0.9


@dataclass(frozen=True)
class Forced:
    """One entry per place, science counts; NaN where there is `trouble`.

    flux, flux_error : beyond the reference, signed. limit : flux that would have been found, NaN from 3 sigma on.
    total_flux, total_flux_error : of the star that the reference holds there and what has been added to it or taken
    away; NaN where it holds none.
    """

    flux: Array
    flux_error: Array
    limit: Array
    total_flux: Array
    total_flux_error: Array
    trouble: list[Trouble]


def force(
    images: Subtracted, x: Array, y: Array, position_error_px: Array, *, parameters: ForcedParameters | None = None
) -> Forced:
    """Measure the PSF flux of a difference at fixed positions.

    The image of fluxes is the matched filter's answer for a source at each pixel's centre; between pixels it is
    interpolated by a cubic spline. The error is the subtraction's own at that place, with the noise of sky and sources,
    of registration and model, and of filled pixels. A position that is wrong by delta loses flux: the expected share
    L = sigma_p² sum(|grad P|²) / (2 sum(P²)), with P the PSF in the frame's middle, is given back, and counts as an
    error of the same size. For sigma_p of 0.1 px and a FWHM of 3 px it is 0.3 %.

    Parameters
    ----------
    images : what the subtraction left. x, y : (n,) 0-based pixels of its grid. position_error_px : (n,) 1 sigma in each
        axis, of the position and of the WCS that put it on the grid.

    Returns
    -------
    Forced. A place has no value where it lies outside, or where more of the PSF's weight than `most_lost_share` lies
    outside or on bad pixels; `saturated` is told where saturated pixels are among these.
    """
    p = parameters or ForcedParameters()
    flux, error, limit, total, total_error = (np.full(len(x), np.nan) for _ in range(5))
    ny, nx = images.mask.shape
    slope = squared_slope(_core(images.psf((nx - 1) / 2, (ny - 1) / 2)))
    trouble = []
    for k in range(len(x)):
        found = _place(images, float(x[k]), float(y[k]), p)
        trouble.append(found.trouble)
        if found.trouble:
            continue
        lost = 0.5 * float(position_error_px[k]) ** 2 * slope
        value, noise = _flux_at(images, float(x[k]), float(y[k]))
        flux[k] = (1.0 + lost) * value
        error[k] = np.hypot((1.0 + lost) * noise, lost * value)
        if abs(flux[k]) < DETECTED_SIGMA * error[k]:
            limit[k] = LIMIT_SIGMA * error[k]
        total[k], total_error[k] = _total(images, found, p)
    return Forced(flux, error, limit, total, total_error, trouble)


@dataclass(frozen=True)
class _Place:
    """Where the PSF lies, its pixels, and which of them are good."""

    window: Window
    stamp: Array
    good: Mask
    trouble: Trouble


def _place(images: Subtracted, x: float, y: float, p: ForcedParameters) -> _Place:
    """Cut out what the PSF covers, and say whether that is enough."""
    ny, nx = images.mask.shape
    nowhere = (slice(0, 0), slice(0, 0))
    if not (-0.5 <= x <= nx - 0.5 and -0.5 <= y <= ny - 0.5):
        return _Place(nowhere, np.empty((0, 0)), np.empty((0, 0), dtype=bool), Trouble.OUTSIDE)
    window, stamp, outside = _stamp_at(images.psf, x, y, (ny, nx))
    bits = np.asarray(images.mask[window], dtype=np.uint16)
    bad = (bits & BAD_BITS) != 0
    weight = stamp**2 / (stamp**2).sum()
    trouble = Trouble.NONE
    if outside > p.most_lost_share:
        trouble = Trouble.OUTSIDE
    elif float(weight[bad].sum()) > p.most_lost_share:
        is_saturated = bool((weight[(bits & int(MaskBit.SATURATED)) != 0] > 0.0).any())
        trouble = Trouble.SATURATED if is_saturated else Trouble.MASKED
    return _Place(window, stamp, ~bad, trouble)


def _stamp_at(psf: PsfFunction, x: float, y: float, shape: tuple[int, int]) -> tuple[Window, Array, float]:
    """Return the window of an image that the PSF at a position covers, the PSF in it, and its share outside the image.

    The share is that of the weight which a fit of the PSF gives its pixels, the squared PSF.
    """
    stamp = _core(psf(x, y))
    half = (stamp.shape[0] - 1) // 2
    row, column = round(y), round(x)
    shifted = ndimage.shift(stamp, (y - row, x - column), order=3)
    ny, nx = shape
    ys = slice(min(max(0, row - half), ny), max(0, min(ny, row + half + 1)))
    xs = slice(min(max(0, column - half), nx), max(0, min(nx, column + half + 1)))
    part = shifted[ys.start - row + half : ys.stop - row + half, xs.start - column + half : xs.stop - column + half]
    return (ys, xs), part, 1.0 - float((part**2).sum() / (shifted**2).sum())


def _core(stamp: Array) -> Array:
    """Return the middle of a PSF, out to 3 FWHM: the wings beyond add 1e-4 to a flux, and hold other sources."""
    half = (stamp.shape[0] - 1) // 2
    cut = max(0, half - round(FILTER_RADII * psf_radius_px(stamp)))
    return stamp[cut : stamp.shape[0] - cut, cut : stamp.shape[1] - cut]


def _flux_at(images: Subtracted, x: float, y: float) -> tuple[float, float]:
    """Interpolate the flux between pixels; the error is that of the good ones among the four around."""
    ny, nx = images.flux.shape
    row, column = round(y), round(x)
    ys = slice(max(0, row - _REACH_PX), min(ny, row + _REACH_PX + 1))
    xs = slice(max(0, column - _REACH_PX), min(nx, column + _REACH_PX + 1))
    near = np.asarray(images.flux[ys, xs], dtype=np.float64)
    flux = float(ndimage.map_coordinates(near, [[y - ys.start], [x - xs.start]], order=3, mode="nearest")[0])
    score = np.asarray(images.score[ys, xs], dtype=np.float64)
    # Score is flux over error; where it is exactly 0, nothing can be said.
    errors = np.divide(near, score, out=np.full(near.shape, np.nan), where=np.isfinite(score) & (score != 0.0))
    v, u = np.mgrid[ys, xs]
    weight = np.maximum(1.0 - np.abs(u - x), 0.0) * np.maximum(1.0 - np.abs(v - y), 0.0) * np.isfinite(errors)
    if weight.sum() <= 0.0:
        # Both sides of the place are masked, if little enough: the nearest that is known.
        weight = np.isfinite(errors) / (1.0 + (u - x) ** 2 + (v - y) ** 2) ** 2
    return flux, float((weight * np.nan_to_num(errors)).sum() / weight.sum())


def _total(images: Subtracted, place: _Place, p: ForcedParameters) -> tuple[float, float]:
    """Return the flux in the science image, and its error, where the reference holds a star; else NaN."""
    nothing = (float("nan"), float("nan"))
    in_reference = np.asarray(images.reference[place.window], dtype=np.float64)[place.good]
    in_science = np.asarray(images.science[place.window], dtype=np.float64)[place.good]
    psf = place.stamp[place.good]
    norm = float((psf**2).sum())
    flux = float((psf * in_reference).sum()) / norm
    if not flux > p.reference_snr * images.sigma_reference / np.sqrt(norm):
        return nothing
    # Within the core: far out, neighbours are more than the noise.
    core = psf > 0.01 * psf.max()
    pixels, shape = in_reference[core], psf[core]
    power = float((pixels**2).sum()) - pixels.size * images.sigma_reference**2
    if power > 0.0 and float((shape * pixels).sum()) < p.reference_likeness * np.sqrt((shape**2).sum() * power):
        return nothing
    total = float((psf * in_science).sum()) / norm
    variance = images.sigma_science**2 / norm
    if images.gain:
        variance += max(total, 0.0) / images.gain
    return total, float(np.sqrt(variance))
