"""What stands around a peak, and what a point, something sharper or something wider would leave there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import FWHM_PER_SIGMA

Array = NDArray[np.float64]
Vector = tuple[float, float]
NOWHERE = (0.0, 0.0)


@dataclass(frozen=True)
class Window:
    """The good pixels about a place: data and weight (1 / sigma), (n,); which of the square they are; its half side.

    offset : of the place from the middle pixel, px in x and y.
    """

    data: Array
    weight: Array
    good: NDArray[np.bool_]
    reach: int
    offset: tuple[float, float]


def window_of(image: Image, mask: Mask, place: tuple[float, float], reach: int, sigma: Array | float) -> Window | None:
    """Cut the pixels about a place out of an image; None where they leave it."""
    column, row = round(place[0]), round(place[1])
    ny, nx = image.shape
    if not (reach <= column < nx - reach and reach <= row < ny - reach):
        return None
    around = (slice(row - reach, row + reach + 1), slice(column - reach, column + reach + 1))
    values = image[around].astype(np.float64)
    good = ~mask[around] & np.isfinite(values)
    weight = 1.0 / np.broadcast_to(sigma, values.shape)
    return Window(values[good], weight[good], good, reach, (place[0] - column, place[1] - row))


class Pen:
    """Draws one stamp, moved and blurred, with its slopes."""

    def __init__(self, stamp: Array, reach: int) -> None:
        self.reach = reach
        half = min(stamp.shape[0] // 2, 2 * reach + 2)
        middle = stamp.shape[0] // 2
        cut = stamp[middle - half : middle + half + 1, middle - half : middle + half + 1]
        self._half, self._wide = half, fft.next_fast_len(2 * half + 1 + reach, real=True)
        self._spectrum = fft.rfft2(cut, s=(self._wide, self._wide))
        self._ky, self._kx = fft.fftfreq(self._wide)[:, None], fft.rfftfreq(self._wide)[None, :]

    def columns(
        self, window: Window, *, blur_fwhm: float = 0.0, line: Vector = NOWHERE, moved: Vector = NOWHERE
    ) -> Array:
        """Return the stamp at the window's place, and what moving it by a pixel in x and in y adds: (n, 3).

        It may be blurred by a Gaussian, drawn out along a line, or moved, all in px.
        """
        dx, dy = window.offset[0] + moved[0], window.offset[1] + moved[1]
        blur = 2.0 * (np.pi * blur_fwhm / FWHM_PER_SIGMA) ** 2
        at = self._spectrum * np.exp(-2j * np.pi * (self._kx * dx + self._ky * dy) - blur * (self._kx**2 + self._ky**2))
        at *= np.sinc(self._kx * line[0] + self._ky * line[1])
        spectra = np.stack([at, -2j * np.pi * self._kx * at, -2j * np.pi * self._ky * at])
        drawn = fft.irfft2(spectra, s=(self._wide, self._wide))
        index = np.arange(self._half - window.reach, self._half + window.reach + 1)
        whole = drawn[:, index[:, None] % self._wide, index[None, :] % self._wide]
        return np.asarray(whole[:, window.good].T)


def explained(window: Window, columns: Array) -> tuple[float, Array]:
    """Return what is left of chi² when columns are fitted, and their coefficients."""
    weighted = columns * window.weight[:, None]
    target = window.data * window.weight
    coefficients = np.linalg.lstsq(weighted, target, rcond=None)[0]
    return float(((target - weighted @ coefficients) ** 2).sum()), np.asarray(coefficients, dtype=np.float64)


def with_sky(columns: Array) -> Array:
    """Return columns with a constant beside them."""
    return np.column_stack([columns, np.ones(len(columns))])
