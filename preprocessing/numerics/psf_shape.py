"""The shape of a PSF stamp: shifting, centring, wings, normalisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.stars import core_shape

Cube = NDArray[np.float64]

# A Gaussian window of the star's width has nothing beyond this.
WINDOW_FWHM = 3.0
# Nothing that is measured on a star is as good as this.
CENTRED_PX = 1e-3
# The rim of the stamp over which wings fade to zero, as a share of its radius.
TAPER_SHARE = 0.15


@dataclass(frozen=True)
class StampGrid:
    """The pixels of an odd square stamp, and the width (px) of the star in it."""

    size: int
    fwhm: float

    @property
    def radius(self) -> NDArray[np.float64]:
        """Distance of each pixel from the middle, (size, size) px."""
        span = np.arange(self.size, dtype=np.float64) - self.size // 2
        return np.hypot(span[:, None], span[None, :])


def core_of(stamp: NDArray[np.float64]) -> tuple[float, float]:
    """Return the full width at half maximum in px and the ellipticity 1 - b/a of a PSF's core."""
    middle = np.array([stamp.shape[0] // 2], dtype=float)
    width = 3.0
    for _ in range(3):
        fwhm, ellipticity = core_shape(stamp.astype(np.float32), middle, middle, width)
        width = float(np.clip(fwhm[0], 1.5, stamp.shape[0] / 2))
    return float(fwhm[0]), float(ellipticity[0])


def shift_stamps(stamps: Cube, dx: NDArray[np.float64], dy: NDArray[np.float64]) -> Cube:
    """Shift (n, k, k) stamps by (n,) px by a Fourier phase, on a grid padded by 4 px against wrap-around."""
    size = stamps.shape[-1]
    wide = fft.next_fast_len(size + 4, real=True)
    fy, fx = fft.fftfreq(wide)[:, None], fft.rfftfreq(wide)[None, :]
    phase = np.exp(-2j * np.pi * (fx * dx[:, None, None] + fy * dy[:, None, None]))
    padded = fft.rfft2(stamps, s=(wide, wide))
    return np.asarray(fft.irfft2(padded * phase, s=(wide, wide))[:, :size, :size], dtype=np.float64)


def windowed_centroid(stamp: NDArray[np.float64], fwhm_px: float) -> tuple[float, float]:
    """Return the Gaussian-windowed centroid (dx, dy) of a stamp, px from its middle pixel."""
    half = min(stamp.shape[0] // 2, int(np.ceil(WINDOW_FWHM * fwhm_px)))
    rim = stamp.shape[0] // 2 - half
    stamp = stamp[rim : stamp.shape[0] - rim, rim : stamp.shape[1] - rim]
    span = np.arange(stamp.shape[0]) - half
    dx = dy = 0.0
    for _ in range(20):
        gx = np.exp(-0.5 * ((span - dx) * FWHM_PER_SIGMA / fwhm_px) ** 2)
        gy = np.exp(-0.5 * ((span - dy) * FWHM_PER_SIGMA / fwhm_px) ** 2)
        window = gy[:, None] * gx[None, :] * stamp
        total = window.sum()
        if total <= 0:
            break
        step_x = 2 * (window.sum(axis=0) @ (span - dx)) / total
        step_y = 2 * (window.sum(axis=1) @ (span - dy)) / total
        dx, dy = dx + step_x, dy + step_y
        if abs(step_x) + abs(step_y) < 1e-5:
            break
    return float(np.clip(dx, -2, 2)), float(np.clip(dy, -2, 2))


def centred(cube: Cube, grid: StampGrid) -> Cube:
    """Move the mean PSF onto the middle pixel, and let no term move it away."""
    for _ in range(3):
        dx, dy = windowed_centroid(cube[0], grid.fwhm)
        if abs(dx) + abs(dy) < CENTRED_PX:
            break
        cube = shift_stamps(cube, np.full(len(cube), -dx), np.full(len(cube), -dy))
    gy, gx = np.gradient(cube[0])
    cube = cube.copy()
    for term in cube[1:]:
        # First order: a term that moves the windowed centre gets the opposite shift of the mean PSF added.
        step = 0.2 * np.abs(cube[0]).max() / max(np.abs(term).max(), 1e-30)
        px, py = windowed_centroid(cube[0] + step * term, grid.fwhm)
        mx, my = windowed_centroid(cube[0] - step * term, grid.fwhm)
        term += (px - mx) / (2 * step) * gx + (py - my) / (2 * step) * gy
    return cube


def calmed(term: NDArray[np.float64], noise: NDArray[np.float64], grid: StampGrid) -> NDArray[np.float64]:
    """Draw the wings towards the ring's mean, ring by ring, as far as noise explains their scatter."""
    radius = grid.radius
    ring = np.round(radius).astype(int)
    calm = term.copy()
    for r in range(int(np.ceil(grid.fwhm)), int(ring.max()) + 1):
        here = ring == r
        wide = np.abs(radius - r) <= 1.5
        slope = np.polynomial.polynomial.polyfit(radius[wide] - r, term[wide], 1)
        smooth = np.polynomial.polynomial.polyval(radius[here] - r, slope)
        scatter = float(np.mean((term[here] - smooth) ** 2))
        trust = max(0.0, 1 - float(np.mean(noise[here])) / scatter) if scatter > 0 else 0.0
        calm[here] = smooth + trust * (term[here] - smooth)
    return calm


def trusted_share(terms: Cube, noise: Cube, grid: StampGrid) -> NDArray[np.float64]:
    """Return the share of each field term's power that noise does not explain (James & Stein 1961)."""
    core = grid.radius < 1.5 * grid.fwhm
    power = (terms[:, core] ** 2).sum(axis=1)
    return np.clip(1 - noise[:, core].sum(axis=1) / np.maximum(power, 1e-300), 0, 1)


def faded(cube: Cube, grid: StampGrid) -> Cube:
    """Fade a cube's wings to zero at the rim of the stamp and make every position sum to one."""
    half = grid.size // 2
    inner = (1 - TAPER_SHARE) * half
    fade = np.cos(0.5 * np.pi * np.clip((grid.radius - inner) / (half + 0.5 - inner), 0, 1)) ** 2
    cube = cube * fade
    cube[0] /= cube[0].sum()
    for term in cube[1:]:
        term -= term.sum() * cube[0]
    return cube
