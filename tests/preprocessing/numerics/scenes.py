"""Seeded star fields of known truth for the tests of preprocessing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Field:
    """Stars at x, y (px) of total flux, and the noisy image of them; no star's flux is cut by its stamp."""

    image: NDArray[np.float32]
    x: Column
    y: Column
    flux: Column
    noise: float

    @property
    def no_mask(self) -> NDArray[np.bool_]:
        return np.zeros(self.image.shape, dtype=bool)


def moffat_stars(shape: tuple[int, int], stars: tuple[Column, Column, Column], fwhm: float, beta: float = 3.0):
    """Return the pixel-integrated image of Moffat stars (x, y, total flux), sampled 5 x 5 a pixel (3 x 3 if wide)."""
    image = np.zeros(shape)
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    reach = int(8 * fwhm)
    fine = 5 if fwhm < 3.5 else 3
    sub = (np.arange(fine) + 0.5) / fine - 0.5
    for x, y, flux in zip(*stars, strict=True):
        left, right = max(round(x) - reach, 0), min(round(x) + reach + 1, shape[1])
        low, high = max(round(y) - reach, 0), min(round(y) + reach + 1, shape[0])
        if right <= left or high <= low:
            continue
        dx = (np.arange(left, right)[:, None] + sub).ravel() - x
        dy = (np.arange(low, high)[:, None] + sub).ravel() - y
        light = (1 + (dx[None, :] ** 2 + dy[:, None] ** 2) / alpha**2) ** -beta * (beta - 1) / np.pi / alpha**2
        pixels = light.reshape(high - low, fine, right - left, fine).mean(axis=(1, 3))
        image[low:high, left:right] += flux * pixels
    return image


def star_field(
    seed: int, *, size: int = 400, count: int = 60, fwhm: float = 3.0, beta: float = 3.0, sky: float = 400.0
) -> Field:
    """Return a field of `count` Moffat stars, power-law fluxes, Poisson noise at 1 e-/count."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(2, size - 3, (2, count))
    flux = 2000.0 * fwhm**2 * rng.uniform(0.02, 1.0, count) ** -1.0
    clean = moffat_stars((size, size), (x, y, flux), fwhm, beta) + sky
    image = rng.normal(clean, np.sqrt(clean)).astype(np.float32)
    return Field(image, x, y, flux, float(np.sqrt(sky)))


def drawn_out(image: NDArray[np.float64], length_px: float, angle: float) -> NDArray[np.float64]:
    """Return an image whose points have become even lines of a length (px) at an angle (radians from x to y)."""
    ky, kx = np.fft.fftfreq(image.shape[0])[:, None], np.fft.rfftfreq(image.shape[1])[None, :]
    line = np.sinc(length_px * (kx * np.cos(angle) + ky * np.sin(angle)))
    return np.fft.irfft2(np.fft.rfft2(image) * line, s=image.shape)


def line_field(
    seed: int, length_px: float, angle: float, *, size: int = 480, count: int = 40, fwhm: float = 3.0, exposure: int = 0
) -> Field:
    """Return a field of lines, as a telescope that follows something else makes of stars; x, y are their middles.

    The sky has 400 counts. Exposures of one seed differ in their noise.
    """
    rng, noise = np.random.default_rng(seed), np.random.default_rng([seed, exposure])
    x, y = rng.uniform(2, size - 3, (2, count))
    flux = 10_000.0 * fwhm * rng.uniform(0.05, 1.0, count) ** -1.0
    clean = drawn_out(moffat_stars((size, size), (x, y, flux), fwhm), length_px, angle) + 400.0
    image = noise.normal(clean, np.sqrt(np.maximum(clean, 1.0))).astype(np.float32)
    return Field(image, x, y, flux, 20.0)


def satellite_trail(
    shape: tuple[int, int], angle_deg: float, *, crest: float, fwhm: float, through: tuple[float, float] = (250, 240)
) -> NDArray[np.float32]:
    """Return the image of a straight Gaussian trail through a point (x, y, px), at an angle from the columns."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    angle = np.radians(angle_deg)
    across = (x - through[0]) * np.cos(angle) - (y - through[1]) * np.sin(angle)
    return (crest * np.exp(-0.5 * (across * 2.3548 / fwhm) ** 2)).astype(np.float32)
