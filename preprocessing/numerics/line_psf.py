"""The PSF of a frame whose stars are lines: one shape for all, measured on the lines themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from observations.numerics.frame import Image, Mask, PsfModel, Stars
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.background import as_plain_image
from preprocessing.numerics.photometry import PsfPhotometry, psf_photometry
from preprocessing.numerics.psf import FAINTEST_SNR, LARGEST_HALF_PX, PsfError
from preprocessing.numerics.psf_correction import FEWEST_STARS
from preprocessing.numerics.psf_shape import TAPER_SHARE, StampGrid, faded, shift_stamps
from preprocessing.numerics.stars import NEIGHBOUR_FLUX_SHARE
from preprocessing.numerics.trailed_stars import TRAILED_ELLIPTICITY, Lines

MOST_LINES = 100
# Positions and shape improve each other; after four rounds neither changes by a hundredth.
ROUNDS = 4
# A line's stamp reaches so far beyond its ends, in widths across.
REACH_WIDTHS = 3.0
# Beyond this distance from the line, in widths across, single pixels are noise: each gets the mean of its distance.
PLAIN_WIDTHS = 1.2
# Pixels that deviate from the mean line by more are a neighbour, a hit, or no star.
CLIP_SIGMA = 4.0
# No line is known better than this share of its peak: rates and seeing change while it is drawn.
MODEL_ERROR = 0.03
# What is lower than this share of the peak are wings.
CORE_SHARE = 0.1


@dataclass(frozen=True)
class _Shape:
    """A straight line: length and width across in px, angle from x to y."""

    length: float
    across: float
    angle: float

    @property
    def reach(self) -> float:
        """From the middle to where a stamp ends, px."""
        return self.length / 2 + REACH_WIDTHS * self.across

    def distance(self, half: int) -> NDArray[np.float64]:
        """Return how far each pixel of a stamp lies from the line, px."""
        v, u = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
        c, s = np.cos(self.angle), np.sin(self.angle)
        along = np.clip(u * c + v * s, -self.length / 2, self.length / 2)
        return np.hypot(u - along * c, v - along * s)


def longest_line_px(fwhm_across_px: float) -> float:
    """Return the longest line that a stamp holds, px."""
    return 2 * ((1 - TAPER_SHARE) * LARGEST_HALF_PX - fwhm_across_px)


def fit_line_psf(
    data: Image, mask: Mask, lines: Lines, *, background: Image | float, noise: Image | float, across_px: float
) -> tuple[PsfModel, Stars]:
    """Measure the PSF of a frame whose stars are lines, and the lines' positions and fluxes by it.

    It is the mean of bright lines, each moved to a common middle and weighted by its light; far from the line pixels of
    one distance are one number. It does not vary over the field. Lines that were not fitted keep their barycentre.

    Parameters
    ----------
    data : (ny, nx) image, background included. mask : (ny, nx) bool, True = bad. lines : of this image.
    background, noise : sky level and rms per pixel, (ny, nx) or one number, unit of `data`.
    across_px : FWHM across the lines.

    Returns
    -------
    psf : sum 1, its middle that of the line. stars : brightest first; their widths are those of the PSF.

    Raises
    ------
    PsfError
        with fewer than 3 usable lines, or where they are longer than a stamp.
    """
    shape = _Shape(lines.length_px, across_px, lines.angle)
    if shape.length > longest_line_px(across_px):
        raise PsfError(
            f"the stars are lines of {shape.length:.0f} px, and {longest_line_px(across_px):.0f} px is as long as a "
            "PSF can be"
        )
    image = as_plain_image(data) - np.asarray(background, dtype=np.float32)
    bad = mask | ~np.isfinite(image)
    image[bad] = 0
    rms = np.broadcast_to(np.asarray(noise, dtype=np.float32), image.shape)
    half = min(LARGEST_HALF_PX, (min(image.shape) - 1) // 2 - 1)
    alone = lines.is_single & _isolated(lines, shape)
    clear = _clear(bad, lines.xy, min(half, int(np.ceil(shape.reach))))
    chosen = np.flatnonzero(lines.is_long & alone & clear)[:MOST_LINES]
    psf = _model(_drawn(shape, half), image.shape)
    for _ in range(ROUNDS):
        fit = psf_photometry(image, bad, rms, psf, *lines.xy[chosen].T)
        psf = _model(_mean(image, rms, fit, shape, half), image.shape)
    fit = psf_photometry(image, bad, rms, psf, *lines.xy.T)
    return psf, _stars(lines, fit, psf, (alone, clear))


def stars_without_psf(lines: Lines, across_px: float) -> Stars:
    """Return lines as stars where no PSF could be measured: good for their places alone."""
    same, no = np.ones(len(lines)), np.zeros(len(lines), dtype=bool)
    width = float(np.sqrt(across_px * np.hypot(across_px, lines.length_px)))
    ellipticity = 1 - across_px / np.hypot(across_px, lines.length_px)
    error = np.abs(lines.flux)
    stars = Stars(lines.xy[:, 0], lines.xy[:, 1], lines.flux, error, width * same, ellipticity * same, ~no, no, width)
    return stars[lines.is_long]


def width_of(stamp: NDArray[np.float64]) -> tuple[float, float]:
    """Return the FWHM of the round Gaussian with as much noise as a PSF, px, and 1 - b/a of its second moments."""
    small, large = _moments(stamp)
    width = FWHM_PER_SIGMA * np.sqrt(1 / (4 * np.pi * ((stamp / stamp.sum()) ** 2).sum()))
    return float(width), float(1 - np.sqrt(small / large))


def width_across(stamp: NDArray[np.float64]) -> float | None:
    """Return the FWHM across a PSF that is a line, px; None where it is none."""
    small, large = _moments(stamp)
    is_line = np.sqrt(small / large) < 1 - TRAILED_ELLIPTICITY
    return FWHM_PER_SIGMA * float(np.sqrt(small)) if is_line else None


def _moments(stamp: NDArray[np.float64]) -> tuple[float, float]:
    """Return the smaller and the larger variance of a stamp, px²."""
    core, u, v = _core(stamp)
    x, y = _middle(stamp)
    xx, xy, yy = ((core * a * b).sum() for a, b in ((u - x, u - x), (u - x, v - y), (v - y, v - y)))
    small, large = np.linalg.eigvalsh([[xx, xy], [xy, yy]])
    return max(float(small), 1e-3), max(float(large), 1e-3)


def _middle(stamp: NDArray[np.float64]) -> tuple[float, float]:
    """Return where the light of a stamp has its middle, px from the middle pixel in x and y."""
    core, u, v = _core(stamp)
    return float((core * u).sum()), float((core * v).sum())


def _core(stamp: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return a stamp of sum 1 without its wings, which say little of a line and weigh much in its moments; x and y."""
    half = stamp.shape[0] // 2
    v, u = np.mgrid[-half : half + 1, -half : half + 1]
    core = np.where(stamp > CORE_SHARE * stamp.max(), stamp, 0.0)
    return core / core.sum(), u, v


def _drawn(shape: _Shape, half: int) -> NDArray[np.float64]:
    """Return the first guess: an even line as wide as the seeing."""
    return np.asarray(np.exp(-0.5 * (shape.distance(half) * FWHM_PER_SIGMA / shape.across) ** 2))


def _model(stamp: NDArray[np.float64], shape: tuple[int, ...]) -> PsfModel:
    """Return a PSF that is the same all over the field, with the middle of the line in its own."""
    for _ in range(3):
        x, y = _middle(stamp)
        stamp = shift_stamps(stamp[None], np.array([-x]), np.array([-y]))[0]
    grid = StampGrid(stamp.shape[0], 1.0)
    return PsfModel(faded((stamp / stamp.sum())[None], grid), 0, shape[1], shape[0])


def _mean(image: Image, rms: NDArray[np.float32], fit: PsfPhotometry, shape: _Shape, half: int) -> NDArray[np.float64]:
    """Return the mean of the lines that were fitted, without what deviates from it; far from the line by distances."""
    ny, nx = image.shape
    inside = (np.minimum(fit.x, nx - 1 - fit.x) > half + 1) & (np.minimum(fit.y, ny - 1 - fit.y) > half + 1)
    good = fit[fit.is_good & inside & (fit.flux > FAINTEST_SNR / 3 * fit.flux_error)]
    if len(good.flux) < FEWEST_STARS:
        raise PsfError(f"{len(good.flux)} usable lines; a PSF needs {FEWEST_STARS}")
    column, row = np.round(good.x).astype(int), np.round(good.y).astype(int)
    span = np.arange(-half, half + 1)
    cut = image[row[:, None, None] + span[:, None], column[:, None, None] + span].astype(np.float64)
    stamps = shift_stamps(cut, column - good.x, row - good.y) / good.flux[:, None, None]
    relative = rms[row, column] / good.flux
    middle = np.median(stamps, axis=0)
    error = np.hypot(relative[:, None, None], MODEL_ERROR * middle.max())
    weight = np.where(np.abs(stamps - middle) < CLIP_SIGMA * error, error**-2, 0.0)
    mean = (weight * stamps).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
    return _plain_far_away(mean, shape, half)


def _plain_far_away(mean: NDArray[np.float64], shape: _Shape, half: int) -> NDArray[np.float64]:
    distance = shape.distance(half)
    ring = np.round(distance).astype(int)
    number = np.bincount(ring.ravel())
    rings = np.bincount(ring.ravel(), mean.ravel()) / np.maximum(number, 1)
    share = np.clip((distance / shape.across - PLAIN_WIDTHS) / PLAIN_WIDTHS, 0.0, 1.0)
    return np.asarray((1 - share) * mean + share * np.maximum(rings, 0.0)[ring])


def _isolated(lines: Lines, shape: _Shape) -> NDArray[np.bool_]:
    """Tell which lines overlap with no other that has a twentieth of their light."""
    alone = np.ones(len(lines), dtype=bool)
    c, s = np.cos(shape.angle), np.sin(shape.angle)
    # On axes along and across, where neighbours are nearer by the line's own shape.
    along, across = lines.xy @ (c, s) / (shape.length + 2 * shape.across), lines.xy @ (-s, c) / (4 * shape.across)
    pairs = cKDTree(np.column_stack([along, across])).query_pairs(1.0, output_type="ndarray")
    for one, other in ((0, 1), (1, 0)):
        disturbed = lines.flux[pairs[:, other]] > NEIGHBOUR_FLUX_SHARE * lines.flux[pairs[:, one]]
        alone[pairs[disturbed, one]] = False
    return alone


def _clear(bad: Mask, xy: NDArray[np.float64], half: int) -> NDArray[np.bool_]:
    """Tell which lines' stamps are whole, and hold no bad pixel in the line's own surroundings."""
    ny, nx = bad.shape
    column, row = np.round(xy).astype(int).T
    inside = (column >= half) & (row >= half) & (column < nx - half) & (row < ny - half)
    for k in np.flatnonzero(inside):
        inside[k] = not bad[row[k] - half : row[k] + half + 1, column[k] - half : column[k] + half + 1].any()
    return inside


def _stars(
    lines: Lines, fit: PsfPhotometry, psf: PsfModel, kinds: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> Stars:
    """Return the lines as stars: what has the shape of none is left out."""
    alone, clear = kinds
    width, ellipticity = width_of(psf.middle)
    is_fit = fit.is_good & (fit.flux > 0)
    x, y = np.where(is_fit, fit.x, lines.xy[:, 0]), np.where(is_fit, fit.y, lines.xy[:, 1])
    flux = np.where(is_fit, fit.flux, lines.flux)
    error = np.where(is_fit, fit.flux_error, np.abs(lines.flux))
    same = np.ones(len(lines))
    stars = Stars(x, y, flux, error, width * same, ellipticity * same, ~(clear & is_fit), alone, width)
    stars = stars[lines.is_long & (flux > 0)]
    return stars[np.argsort(-stars.flux, kind="stable")]
