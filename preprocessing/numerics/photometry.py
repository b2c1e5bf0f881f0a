"""Fluxes and positions of point sources by fitting the PSF, all of a frame in one batch."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from observations.numerics.frame import Column, Cube, Image, Mask, PsfFunction, PsfModel, Stars

# Stars measured at once: bounds the memory of their stamps to 16 MB.
BATCH = 500
# Gauss-Newton steps of a PSF fit: from half a pixel off, the fourth moves by less than a thousandth.
ITERATIONS = 4
# A fit that ends farther from its first guess has found something else.
LARGEST_STEP_PX = 1.5
# A fit of position, flux and sky uses all pixels within 1.5 FWHM: 95 % of a Moffat of index 3.
FIT_RADII = 3.0
# A flux at a given position is a matched filter out to 3 FWHM: what lies beyond adds 1e-4 to it.
FILTER_RADII = 6.0
# Pixels that a stamp is longer than the pixels used, so that its cut end does not ring where it counts.
MARGIN_PX = 4


@dataclass(frozen=True)
class PsfPhotometry:
    """Fits of the PSF at given positions: 1-d arrays, fluxes in the image's unit, positions in pixels.

    flux_error, position_error_px : 1 sigma (of one axis) from the sky noise.
    """

    flux: Column
    flux_error: Column
    x: Column
    y: Column
    position_error_px: Column
    is_good: NDArray[np.bool_]

    def __getitem__(self, which: NDArray[np.bool_] | slice) -> PsfPhotometry:
        return PsfPhotometry(*(getattr(self, f.name)[which] for f in fields(self)))


def psf_radius_px(stamp: NDArray[np.float64]) -> float:
    """Return half the FWHM of a PSF array from the area above half its maximum, pixels."""
    return float(np.sqrt(np.count_nonzero(stamp > 0.5 * stamp.max()) / np.pi))


def psf_stamps(psf: PsfFunction, x: Column, y: Column, half: int | None = None) -> Cube:
    """Return the (n, k, k) PSFs at n > 0 positions, or only their middle, `half` px to each side."""
    if isinstance(psf, PsfModel):
        return (psf if half is None else replace(psf, coefficients=_cut(psf.coefficients, half))).at(x, y)
    stamps = np.stack([psf(float(a), float(b)) for a, b in zip(x, y, strict=True)])
    return stamps if half is None else _cut(stamps, half)


def _radius(psf: PsfFunction, shape: tuple[int, ...], radii: float) -> int:
    """Return how many px a fit reaches from the middle: `radii` half widths of the frame's middle PSF."""
    return max(2, round(radii * psf_radius_px(psf((shape[1] - 1) / 2, (shape[0] - 1) / 2))))


def _cut(stamps: Cube, half: int) -> Cube:
    """Return the middle of stamps, `half` px to each side as far as they reach; beyond they are zero."""
    own = stamps.shape[-1] // 2
    if own < half:
        return np.pad(stamps, ((0, 0), (half - own,) * 2, (half - own,) * 2))
    return stamps[:, own - half : own + half + 1, own - half : own + half + 1]


class _Shifted:
    """Stamps that can be moved by parts of a pixel, with their derivatives, by Fourier phases."""

    def __init__(self, stamps: Cube) -> None:
        self.size = stamps.shape[-1]
        self.wide = fft.next_fast_len(self.size + MARGIN_PX, real=True)
        self.spectrum = fft.rfft2(stamps, s=(self.wide, self.wide))
        self.ky = -2j * np.pi * fft.fftfreq(self.wide)[:, None]
        self.kx = -2j * np.pi * fft.rfftfreq(self.wide)[None, :]

    def at(self, dx: Column, dy: Column, radius: int) -> Cube:
        """Return the stamps moved by (n,) px, the middle `radius` px to each side: (n, k, k)."""
        return self._image(self._moved(dx, dy), radius)

    def with_slopes(self, dx: Column, dy: Column, radius: int) -> Cube:
        """Return the moved stamps and their derivatives by dx and dy: (3, n, k, k)."""
        moved = self._moved(dx, dy)
        return np.stack([self._image(one, radius) for one in (moved, moved * self.kx, moved * self.ky)])

    def _moved(self, dx: Column, dy: Column) -> NDArray[np.complex128]:
        phase = np.exp(self.ky * dy[:, None, None]) * np.exp(self.kx * dx[:, None, None])
        return np.asarray(self.spectrum * phase, dtype=np.complex128)

    def _image(self, spectrum: NDArray[np.complex128], radius: int) -> Cube:
        image = fft.irfft2(spectrum, s=(self.wide, self.wide))
        middle = slice(self.size // 2 - radius, self.size // 2 + radius + 1)
        return np.asarray(image[:, middle, middle], dtype=np.float64)


def psf_photometry(
    image: Image, mask: Mask, noise: float | Image, psf: PsfFunction, x: Column, y: Column
) -> PsfPhotometry:
    """Fit flux, position and local sky of isolated point sources by Gauss-Newton steps on the PSF.

    All pixels within 1.5 FWHM weigh the same, which is what a bright star wants (its PSF error grows with its
    flux), so the errors are those of this weighting. Stamps that leave the frame, hold a masked pixel within
    one FWHM or move by more than 1.5 px are not good.

    Parameters
    ----------
    image : (ny, nx), finite: masked pixels filled. mask : True = bad. noise : of one pixel of sky, scalar or (ny, nx).
    psf : callable (x, y) -> odd square array of sum 1. x, y : (n,) first guesses in pixels.

    Returns
    -------
    PsfPhotometry of n entries; entries that are not good hold NaN.
    """
    n = len(x)
    flux, flux_error, fitted_x, fitted_y, position_error = np.full((5, n), np.nan)
    found = PsfPhotometry(flux, flux_error, fitted_x, fitted_y, position_error, np.zeros(n, dtype=bool))
    ny, nx = image.shape
    radius = _radius(psf, image.shape, FIT_RADII)
    column, row = np.round(x).astype(int), np.round(y).astype(int)
    inside = (column >= radius) & (row >= radius) & (column < nx - radius) & (row < ny - radius)
    span = np.arange(-radius, radius + 1)
    for start in range(0, n, BATCH):
        k = start + np.flatnonzero(inside[start : start + BATCH])
        at = (row[k, None, None] + span[:, None], column[k, None, None] + span)
        clear = ~mask[at][:, 1:-1, 1:-1].any(axis=(1, 2))
        k, at = k[clear], (at[0][clear], at[1][clear])
        if k.size == 0:
            continue
        sigma = np.broadcast_to(np.asarray(noise, dtype=np.float64), image.shape)[row[k], column[k]]
        shapes = _Shifted(psf_stamps(psf, x[k], y[k], radius + MARGIN_PX))
        fit = _fit(image[at].astype(np.float64), shapes, np.column_stack([x[k] - column[k], y[k] - row[k]]), radius)
        values = (fit[0], fit[1] * sigma, fit[2] + column[k], fit[3] + row[k], fit[4] * sigma)
        found.is_good[k] = good = np.isfinite(fit).all(axis=0)
        for field, value in zip(fields(found), values, strict=False):
            getattr(found, field.name)[k[good]] = value[good]
    return found


def _fit(values: Cube, shapes: _Shifted, guess: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Return (5, n): flux, its error at unit noise, the offsets dx and dy, their error; NaN where no fit holds."""
    n = len(values)
    flat = values.reshape(n, -1)
    offset, holds = guess.copy(), np.ones(n, dtype=bool)
    flux, covariance = np.full(n, np.nan), np.full((n, 4, 4), np.nan)
    for _ in range(ITERATIONS):
        p, by_x, by_y = shapes.with_slopes(offset[:, 0], offset[:, 1], radius).reshape(3, n, -1)
        mean = p.mean(axis=1, keepdims=True)
        flux = ((p - mean) * flat).sum(axis=1) / np.maximum(((p - mean) ** 2).sum(axis=1), 1e-300)
        holds &= np.isfinite(flux) & (flux != 0.0)
        level = np.where(holds, flux, 1.0)[:, None]
        sky = (flat - level * p).mean(axis=1, keepdims=True)
        slopes = np.stack([level * by_x, level * by_y, p, np.ones_like(p)], axis=1)
        covariance = np.linalg.pinv(slopes @ slopes.transpose(0, 2, 1), hermitian=True)
        step = np.where(holds[:, None], np.einsum("nij,njk,nk->ni", covariance, slopes, flat - level * p - sky), 0.0)
        offset = offset + np.clip(step[:, :2], -0.5, 0.5)
        holds &= np.abs(offset - guess).max(axis=1) <= LARGEST_STEP_PX
        offset = np.where(holds[:, None], offset, guess)
        flux = flux + step[:, 2]
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    out = np.stack([flux, np.sqrt(variance[:, 2]), *offset.T, np.sqrt(variance[:, :2].mean(axis=1))])
    return np.where(holds, out, np.nan)


def filter_fluxes(
    image: Image, mask: Mask | None, psf: PsfFunction, x: Column, y: Column
) -> tuple[Column, Column, Column]:
    """Measure fluxes at fixed positions on a sky of 0 by the matched filter of white noise, sum(P I) / sum(P²).

    Pixels that are masked, not finite or outside the frame take no part.

    Returns
    -------
    flux : (n,), unit of `image`; NaN where no pixel is seen. flux_error : (n,) at a noise of 1 per pixel.
    seen : (n,) share of the PSF's light on pixels that take part.
    """
    n, (ny, nx) = len(x), image.shape
    out = np.full((3, n), np.nan)
    radius = _radius(psf, image.shape, FILTER_RADII)
    column = np.round(x).astype(int)
    row = np.round(y).astype(int)
    span = np.arange(-radius, radius + 1)
    for start in range(0, n, BATCH):
        k = np.s_[start : start + BATCH]
        rows, columns = row[k, None, None] + span[:, None], column[k, None, None] + span
        at = np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)
        used = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx) & np.isfinite(image[at])
        if mask is not None:
            used &= ~mask[at]
        shapes = _Shifted(psf_stamps(psf, x[k], y[k], radius + MARGIN_PX))
        p = shapes.at(x[k] - column[k], y[k] - row[k], radius)
        p = np.where(used, p, 0.0)
        power = (p * p).sum(axis=(1, 2))
        power = np.where(power > 0, power, np.nan)
        out[:, k] = (p * np.where(used, image[at], 0)).sum(axis=(1, 2)) / power, power**-0.5, p.sum(axis=(1, 2))
    return out[0], out[1], out[2]


def psf_fluxes(
    data: Image, mask: Mask, psf: PsfModel, stars: Stars, *, background: Image | float, noise: Image | float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the total flux of each star by fitting the PSF at its place.

    Matched-filter flux under white noise; masked pixels take no part. NaN where less than half of the PSF is visible.

    Returns
    -------
    flux, flux_error : (n,), unit of `data`; the error is that of the sky alone.
    """
    image = np.asarray(data - np.asarray(background, dtype=np.float32), dtype=np.float32)
    flux, error, seen = filter_fluxes(image, mask, psf, stars.x, stars.y)
    column = np.clip(np.round(stars.x), 0, data.shape[1] - 1).astype(int)
    row = np.clip(np.round(stars.y), 0, data.shape[0] - 1).astype(int)
    rms = np.broadcast_to(np.asarray(noise, dtype=np.float32), data.shape)[row, column]
    usable = seen > 0.5
    return np.where(usable, flux, np.nan), np.where(usable, error * rms, np.nan)
