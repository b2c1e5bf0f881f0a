"""Fit a PSF that is drawn out along a line, blurred, or both, to what stands at a peak of a difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, optimize

from observations.numerics.frame import Image, Mask

Array = NDArray[np.float64]

# Which of the numbers of a profile are free: flux, x, y, the two parts of the line's vector, sigma of the blur, sky.
POINT, TRAIL = (0, 1, 2), (0, 1, 2, 3, 4)
COMA, DRAWN_COMA, COMA_ON_SKY = (0, 1, 2, 5), (0, 1, 2, 3, 4, 5), (0, 1, 2, 5, 6)
NUMBERS = 7
# The window reaches so many FWHM beyond the trail's ends.
_MARGIN_FWHM = 4.0
# A fit has come to its end when a step changes the sum of squares, or itself, by less than this share: far below noise.
ENOUGH = 1e-6
# Turns below which the slope of sin(q) / q is its first term.
_SMALL = 1e-6


class Peak(NamedTuple):
    """Where a trail or a coma may be: place, flux as of a point, FWHM, ellipticity and angle as measured (or NaN)."""

    x: float
    y: float
    flux: float
    fwhm: float
    ellipticity: float
    theta_deg: float


class Scene(NamedTuple):
    """A difference image with its mask, the noise of a pixel, and electrons per count (None: sky noise alone)."""

    image: Image
    mask: Mask
    sigma: float
    gain: float | None


class Window(NamedTuple):
    """Pixels around a peak: values, mask, the peak's pixel, longest trail it holds, noise, gain."""

    values: Array
    mask: NDArray[np.bool_]
    centre: tuple[int, int]
    length: float
    sigma: float
    gain: float | None


def window_about(scene: Scene, peak: Peak, length: float, fwhm: float) -> Window:
    """Cut a square that holds a trail of some length, or a coma of some FWHM; what is beyond the frame is masked."""
    half = int(np.ceil(0.5 * length + _MARGIN_FWHM * fwhm))
    row, column = round(peak.y), round(peak.x)
    ys, xs = (np.arange(c - half, c + half + 1) for c in (row, column))
    ny, nx = scene.image.shape
    inside = np.ix_(np.clip(ys, 0, ny - 1), np.clip(xs, 0, nx - 1))
    outside = ((ys < 0) | (ys >= ny))[:, None] | ((xs < 0) | (xs >= nx))[None, :]
    values = scene.image[inside].astype(np.float64)
    mask = scene.mask[inside] | outside | ~np.isfinite(values)
    return Window(np.where(mask, 0.0, values), mask, (column, row), length, scene.sigma, scene.gain)


@dataclass(frozen=True)
class Fitted:
    """The numbers of a profile, half of the sum of weighted squares that it leaves, and the slopes of its residuals."""

    numbers: Array
    cost: float
    slopes: Array

    def covariance(self) -> Array | None:
        """Return the covariance of the free numbers in their order; None where they cannot be told apart."""
        try:
            covariance = np.asarray(np.linalg.inv(self.slopes.T @ self.slopes), dtype=np.float64)
        except np.linalg.LinAlgError:
            return None
        return covariance if (np.diag(covariance) > 0.0).all() else None


class Profile:
    """A PSF's image on one window, moved, drawn out and blurred, exact in Fourier space:

        M^(k) = F P^(k) sinc(k . L) exp(-2 pi² b² k²) exp(-2 pi i k . x) + sky,  sinc(q) = sin(pi q) / (pi q)

    with the line's vector L and the blur's sigma b, px. The weights are the noise of sky and source.
    """

    def __init__(self, psf: Array, window: Window, start: Array) -> None:
        half = (window.values.shape[0] - 1) // 2
        reach = min((psf.shape[0] - 1) // 2, half)
        # What a trail throws beyond one side must not come back from the other.
        least = half + reach + int(0.5 * window.length) + 2 + half // 2
        # And a PSF that is known less far than the window reaches must not make it smaller than that.
        size = fft.next_fast_len(max(least, 2 * half + 1), real=True)
        middle = (psf.shape[0] - 1) // 2
        stamp = np.zeros((size, size))
        index = np.arange(-reach, reach + 1)
        cut = psf[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
        # The window's first pixel is that of the transform: what is drawn is cut out as it lies.
        stamp[np.ix_((half + index) % size, (half + index) % size)] = cut
        self._psf = fft.rfft2(stamp)
        self._ky, self._kx = fft.fftfreq(size)[:, None], fft.rfftfreq(size)[None, :]
        self._k2 = self._kx**2 + self._ky**2
        self._size, self._side = size, 2 * half + 1
        self._last: tuple[bytes, tuple[NDArray[np.complex128], Array, Array]] | None = None
        self._values = window.values
        noise = np.full(window.values.shape, window.sigma**2)
        if window.gain is not None:
            noise += np.maximum(start[0] * self._image(start), 0.0) / window.gain
        self._weight = np.where(window.mask, 0.0, 1.0 / np.sqrt(noise))

    def fit(self, start: Array, free: tuple[int, ...], *, enough: float = ENOUGH) -> Fitted:
        """Fit some of the numbers, the others as they start, until a step changes the squares by less than a share."""
        which = np.array(free)

        def whole(q: Array) -> Array:
            p = start.copy()
            p[which] = q
            return p

        def residual(q: Array) -> Array:
            p = whole(q)
            return np.asarray((self._weight * (p[0] * self._image(p) + p[6] - self._values)).ravel())

        def jacobian(q: Array) -> Array:
            columns = self._weight * self._slopes(whole(q), free)
            return np.asarray(columns.reshape(len(columns), -1).T)

        found = optimize.least_squares(
            residual, start[which], jacobian, method="lm", max_nfev=60, ftol=enough, xtol=ENOUGH
        )
        return Fitted(whole(found.x), float(found.cost), np.asarray(found.jac))

    def gain_of_blur(self, fitted: Fitted) -> float:
        """Return by how much chi² would fall if what was fitted without a blur were given one, to first order in b².

        It is g² / |c|² with g the slope of half of chi² by b² and c that of the residuals, less what the free numbers
        can make up for; 0 where a blur makes it worse.
        """
        p = fitted.numbers
        placed, _, sinc = self._spectrum(p)
        slope = (self._weight * self._drawn(-2.0 * np.pi**2 * self._k2 * p[0] * placed * sinc)).ravel()
        rest = (self._weight * (p[0] * self._image(p) + p[6] - self._values)).ravel()
        falls = -float(slope @ rest)
        if falls <= 0.0:
            return 0.0
        own = slope - fitted.slopes @ (np.linalg.pinv(fitted.slopes.T @ fitted.slopes) @ (fitted.slopes.T @ slope))
        return falls**2 / max(float(own @ own), 1e-300)

    def fluxes(self, parts: list[Array]) -> tuple[Array, Array]:
        """Return the fluxes of several profiles that share the light between them, and their errors."""
        columns = np.stack([(self._weight * self._image(p)).ravel() for p in parts], axis=-1)
        covariance = np.linalg.pinv(columns.T @ columns)
        found = covariance @ columns.T @ (self._weight * self._values).ravel()
        return np.asarray(found, dtype=np.float64), np.sqrt(np.diag(covariance))

    def _image(self, p: Array) -> Array:
        placed, _, sinc = self._spectrum(p)
        return self._drawn(placed * sinc)

    def _slopes(self, p: Array, free: tuple[int, ...]) -> Array:
        """Return the derivatives by the free numbers."""
        placed, q, sinc = self._spectrum(p)
        image = placed * sinc
        spectra = []
        for number in free:
            if number == 0:
                spectra.append(image)
            elif number in (1, 2):
                spectra.append(-2j * np.pi * (self._kx if number == 1 else self._ky) * p[0] * image)
            elif number in (3, 4):
                with np.errstate(invalid="ignore", divide="ignore"):
                    slope = np.where(np.abs(q) < _SMALL, -q / 3.0, (np.cos(q) - sinc) / q)
                spectra.append(np.pi * (self._kx if number == 3 else self._ky) * p[0] * slope * placed)
            elif number == 5:
                spectra.append(-4.0 * np.pi**2 * p[5] * self._k2 * p[0] * image)
        drawn = self._drawn(np.stack(spectra))
        return drawn if 6 not in free else np.concatenate([drawn, np.ones((1, *drawn.shape[1:]))])

    def _drawn(self, spectra: NDArray[np.complex128]) -> Array:
        # Rows beyond the window are not transformed back.
        rows = fft.ifft(spectra, axis=-2)[..., : self._side, :]
        return np.asarray(fft.irfft(rows, self._size)[..., : self._side])

    def _spectrum(self, p: Array) -> tuple[NDArray[np.complex128], Array, Array]:
        """Return the spectrum of the PSF in its place, pi k . L, and the sine of that over itself.

        The slopes are asked for where the image was just before: the last answer is kept.
        """
        key = p[1:6].tobytes()
        if self._last is None or self._last[0] != key:
            q = np.pi * (self._kx * p[3] + self._ky * p[4])
            safe = np.where(q == 0.0, 1.0, q)
            self._last = key, (self._placed(p), q, np.where(q == 0.0, 1.0, np.sin(safe) / safe))
        return self._last[1]

    def _placed(self, p: Array) -> NDArray[np.complex128]:
        rows, columns = (
            np.exp(-2j * np.pi * k * place - 2.0 * (np.pi * p[5] * k) ** 2)
            for k, place in ((self._ky, p[2]), (self._kx, p[1]))
        )
        return np.asarray(self._psf * (rows * columns))
