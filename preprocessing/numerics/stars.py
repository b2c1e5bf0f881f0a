"""Stars of one image: where they are, how bright, how wide, and which of them can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import sep
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from observations.numerics import polynomial
from observations.numerics.frame import Column, Image, Mask, Stars
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.background import as_plain_image
from preprocessing.numerics.ridge import best_ridge

# A star's width starts from this guess; measured widths from 1.8 to 8 px come out of it within two rounds.
FIRST_GUESS_FWHM_PX = 3.0
# The usual noise is that of every so-many-th pixel in each axis.
RMS_STEP = 8
# Re-detect with a better kernel only where the first was off by more: a matched filter is flat around its optimum.
KERNEL_TOLERANCE = 0.3
# A single hot pixel or cosmic-ray hit has a fitted width near one pixel; the sharpest real optics here give 1.8.
SHARPEST_STAR_PX = 1.3
SHARP_SHARE = 0.6
# Stars that set the seeing: S/N 20 gives a width to 5 %, and 200 of them the median to 0.5 %.
SEEING_SNR = 20.0
MOST_SEEING_STARS = 200
# A neighbour counts when it is within 4 FWHM with a twentieth of the flux: at 4 FWHM a Moffat is down to 1e-3.
NEIGHBOUR_RADIUS_FWHM = 4.0
NEIGHBOUR_FLUX_SHARE = 0.05
# An aperture of 1.5 FWHM holds 95 % of a Moffat of index 3.
APERTURE_FWHM = 1.5
# Relative error of a fitted width: 1.2 / (S/N), and 1.2 % that no light removes (simulated frames, FWHM 2 to 5 px).
WIDTH_NOISE = 1.2
WIDTH_FLOOR = 0.012
# A source this much wider or sharper than the point sources around it is none; beside that, two of its errors.
POINT_TOLERANCE = 0.07
# A ridge of fewer sources has no slope, or no curvature.
SOURCES_FOR_DEGREE = (0, 8, 12)
MOST_RIDGE_STARS = 400
# Blends are split down to this contrast; SExtractor's usual value.
DEBLEND_CONTRAST = 0.005
# Pixels of sources not yet finished that are held at least, by sep's own choice.
FEWEST_BUFFERED_PX = 300_000
STRIP_ROWS = 256


def find_stars(  # noqa: PLR0913 - sky and noise go everywhere together
    data: Image,
    mask: Mask,
    *,
    background: Image | float,
    noise: Image | float,
    fwhm_px: float | None = None,
    threshold_sigma: float = 5.0,
    sharpest_px: float = SHARPEST_STAR_PX,
) -> Stars:
    """Find sources and measure position, flux and width.

    Positions are Gaussian-windowed centroids. Masked and non-finite pixels take no part in detection or measurement;
    a source with one in its core is kept and flagged. Single hot pixels and cosmic-ray hits are dropped by their
    width. Sources nearer to the edge than one FWHM count as saturated, since part of their core is missing.

    Parameters
    ----------
    data : (ny, nx) image, background included. Not changed.
    mask : (ny, nx) bool, True = bad; saturated pixels must be in it.
    background, noise : sky level and rms per pixel, (ny, nx) or one number, unit of `data`.
    fwhm_px : seeing of the detection kernel, px; measured from the image when None.
    threshold_sigma : significance per pixel of the filtered image. sharpest_px : what is narrower is no star.

    Returns
    -------
    Stars
        brightest first; empty when nothing was found.

    Notes
    -----
    Detection by `sep` (Barbary 2016, JOSS 1, 58); windowed centroids as in SExtractor's XWIN_IMAGE.
    """
    image = as_plain_image(data) - np.asarray(background, dtype=np.float32)
    bad = mask | ~np.isfinite(image)
    image[bad] = 0
    rms = as_plain_image(noise) if isinstance(noise, np.ndarray) else np.full_like(image, noise)
    known = rms[::RMS_STEP, ::RMS_STEP]
    if not (known > 0).any():
        known = rms
    if not (known > 0).any():
        return _no_stars()
    least = np.float32(1e-3 * np.median(known[known > 0]))
    rms = np.maximum(rms, least) if rms.min() < least else rms
    field = _Field(image, bad, rms, threshold_sigma, sharpest_px)
    width = fwhm_px or FIRST_GUESS_FWHM_PX
    stars = _measure(field, width)
    for _ in range(2):
        seeing = stars.fwhm_px
        if fwhm_px or not np.isfinite(seeing) or abs(seeing / width - 1) < KERNEL_TOLERANCE:
            break
        width = seeing
        stars = _measure(field, width)
    return stars


@dataclass(frozen=True)
class _Field:
    image: Image
    bad: Mask
    noise: Image
    threshold_sigma: float
    sharpest_px: float


def _no_stars() -> Stars:
    none, no = np.zeros(0), np.zeros(0, dtype=bool)
    return Stars(none, none, none, none, none, none, no, no)


def gaussian_kernel(fwhm_px: float) -> Image:
    """Return a Gaussian of sum 1 that reaches one FWHM out."""
    reach = max(1, int(np.ceil(fwhm_px)))
    grid = np.arange(-reach, reach + 1)
    line = np.exp(-0.5 * (grid * FWHM_PER_SIGMA / fwhm_px) ** 2)
    kernel = np.outer(line, line)
    return (kernel / kernel.sum()).astype(np.float32)


def _measure(field: _Field, width: float) -> Stars:
    found = _extract(field, width)
    if found is None:
        return _no_stars()
    x, y = found
    sigma = np.full(x.size, max(width, 1.8) / FWHM_PER_SIGMA)
    wx, wy, _ = sep.winpos(field.image, x, y, sigma, mask=field.bad)
    # A window that wanders off has slipped to a brighter neighbour: then the barycentre is the better position.
    stay = (np.hypot(wx - x, wy - y) < 0.5 * width + 0.5) & np.isfinite(wx + wy)
    x, y = np.where(stay, wx, x), np.where(stay, wy, y)
    fwhm, ellipticity = core_shape(field.image, x, y, width)
    flux, flux_error, _ = sep.sum_circle(field.image, x, y, APERTURE_FWHM * width, err=field.noise, mask=field.bad)
    touched = _near(field.bad, x, y, width)
    keep = (fwhm > field.sharpest_px) & (flux > 0) & np.isfinite(flux)
    stars = Stars(x, y, flux, flux_error, fwhm, ellipticity, touched, _isolated(x, y, flux, width))[keep]
    stars = stars[np.argsort(-stars.flux)]
    seeing = _seeing(stars)
    sharp = stars.fwhm < SHARP_SHARE * seeing if np.isfinite(seeing) else np.zeros(len(stars), dtype=bool)
    return replace(stars[~sharp], fwhm_px=seeing)


def _extract(field: _Field, width: float) -> tuple[Column, Column] | None:
    threshold = field.threshold_sigma / max(1.0, np.sqrt(np.pi) * width / FWHM_PER_SIGMA)
    # sep's fixed buffers are too small for crowded frames. Where the smoothed image is above the threshold, half of the
    # image's own pixels are; some forty bytes for each are cheaper than for all.
    strips = (np.s_[top : top + STRIP_ROWS] for top in range(0, len(field.image), STRIP_ROWS))
    bright = sum(np.count_nonzero(field.image[rows] > np.float32(threshold) * field.noise[rows]) for rows in strips)
    sep.set_extract_pixstack(max(FEWEST_BUFFERED_PX, 3 * bright))
    sep.set_sub_object_limit(8192)
    found = sep.extract(
        field.image,
        threshold,
        err=field.noise,
        mask=field.bad,
        minarea=3,
        filter_kernel=gaussian_kernel(width),
        filter_type="conv",
        deblend_cont=DEBLEND_CONTRAST,
    )
    if found.size == 0:
        return None
    return found["x"].astype(float), found["y"].astype(float)


def core_shape(image: Image, x: Column, y: Column, width: float) -> tuple[Column, Column]:
    """Fit a Gaussian through the core of each star; return FWHM in px and ellipticity 1 - b/a.

    A weighted parabola through the logarithm of the pixels within 0.75 FWHM: at least 3 x 3 of them. Where the core
    has no maximum the width is that of one pixel, 1.
    """
    reach = max(1.5, 0.75 * width)
    span = np.arange(-int(np.ceil(reach)), int(np.ceil(reach)) + 1)
    column, row = np.round(x).astype(int), np.round(y).astype(int)
    ny, nx = image.shape
    rows = row[:, None, None] + span[None, :, None]
    columns = column[:, None, None] + span[None, None, :]
    inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
    values = image[np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)].astype(np.float64)
    dx, dy = columns - x[:, None, None], rows - y[:, None, None]
    near = inside & (np.hypot(dx, dy) <= reach + 0.3) & (values > 0)
    log = np.log(np.where(near, values, 1.0))
    top = np.max(np.where(near, values, 0), axis=(1, 2), keepdims=True)
    weight = np.where(near, values / np.maximum(top, 1e-30), 0)
    dx, dy = np.broadcast_to(dx, values.shape), np.broadcast_to(dy, values.shape)
    design = polynomial.terms(dx, dy, 2).reshape(x.size, -1, 6)
    design = design * weight.reshape(x.size, -1, 1)
    target = (log * weight).reshape(x.size, -1)
    normal = np.einsum("nki,nkj->nij", design, design) + 1e-9 * np.eye(6)
    solution = np.linalg.solve(normal, np.einsum("nki,nk->ni", design, target)[..., None])[..., 0]
    return _gaussian_widths(solution[:, 3], solution[:, 4], solution[:, 5])


def _gaussian_widths(xx: Column, xy: Column, yy: Column) -> tuple[Column, Column]:
    """Return FWHM and ellipticity of exp(xx dx² + xy dx dy + yy dy²)."""
    centre, spread = -(xx + yy), np.hypot(xx - yy, xy)
    wide, narrow = centre - spread, centre + spread  # the two curvatures 1/sigma²
    good = wide > 1e-4
    wide = np.where(good, wide, 1.0)
    narrow = np.where(good, narrow, 1.0)
    fwhm = np.where(good, FWHM_PER_SIGMA * (wide * narrow) ** -0.25, 1.0)
    return fwhm, np.where(good, 1 - np.sqrt(wide / narrow), 0.0)


def _near(bad: Mask, x: Column, y: Column, width: float) -> NDArray[np.bool_]:
    """Say which positions have a bad pixel, or the edge, within one FWHM."""
    ny, nx = bad.shape
    edge = np.minimum.reduce([x + 1, y + 1, nx - x, ny - y]) < width
    if not bad.any():
        return edge
    reach = int(np.ceil(width)) + 1
    span = np.arange(-reach, reach + 1)
    columns = np.clip(np.round(x), 0, nx - 1).astype(int)[:, None, None] + span[None, None, :]
    rows = np.clip(np.round(y), 0, ny - 1).astype(int)[:, None, None] + span[None, :, None]
    close = np.hypot(columns - x[:, None, None], rows - y[:, None, None]) < width
    return edge | (close & bad[np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)]).any(axis=(1, 2))


def _isolated(x: Column, y: Column, flux: Column, width: float) -> NDArray[np.bool_]:
    pairs = cKDTree(np.column_stack([x, y])).query_pairs(NEIGHBOUR_RADIUS_FWHM * width, output_type="ndarray")
    alone = np.ones(x.size, dtype=bool)
    for one, other in ((0, 1), (1, 0)):
        disturbed = flux[pairs[:, other]] > NEIGHBOUR_FLUX_SHARE * flux[pairs[:, one]]
        alone[pairs[disturbed, one]] = False
    return alone


def point_like(stars: Stars, tolerance: float = POINT_TOLERANCE) -> NDArray[np.bool_]:
    """Say which sources are as wide as a point source at their place, (n,).

    Galaxies are wider and never sharper, and stars are the sharpest ridge in a plot of width against position (see
    `stellar_ridge`). A galaxy within 7 % of the PSF's width passes. Saturated and blended sources are judged as well
    but do not shape the ridge. Without a usable source none is point-like.
    """
    snr = stars.flux / np.maximum(stars.flux_error, 1e-30)
    error = WIDTH_NOISE / np.maximum(snr, 1e-3)
    width = np.log(np.maximum(stars.fwhm, 1e-3))
    usable = ~stars.is_saturated & (snr > SEEING_SNR)
    if np.count_nonzero(usable & stars.is_isolated) >= 3:
        usable &= stars.is_isolated
    if not usable.any():
        return np.zeros(len(stars), dtype=bool)
    chosen = np.flatnonzero(usable)[:MOST_RIDGE_STARS]
    u, v = (2 * (c - c.min()) / max(float(np.ptp(c)), 1.0) - 1 for c in (stars.x, stars.y))
    degrees = [d for d, fewest in enumerate(SOURCES_FOR_DEGREE) if chosen.size >= fewest]
    terms = [polynomial.terms(u[chosen], v[chosen], d) for d in degrees]
    degree, ridge = best_ridge(width[chosen], error[chosen], terms, WIDTH_FLOOR)
    local = polynomial.terms(u, v, degree) @ ridge.coefficients
    return np.abs(width - local) < np.hypot(tolerance, 2 * np.hypot(error, WIDTH_FLOOR))


def _seeing(stars: Stars) -> float:
    """Return the median width of the stars that agree, or NaN."""
    snr = stars.flux / np.maximum(stars.flux_error, 1e-30)
    usable = ~stars.is_saturated & (snr > SEEING_SNR)
    chosen = stars.fwhm[usable & stars.is_isolated][:MOST_SEEING_STARS]
    if chosen.size < 3:
        chosen = stars.fwhm[usable][:MOST_SEEING_STARS]
    if chosen.size == 0:
        return float("nan")
    # Galaxies and blends are wider, never sharper: the densest half of the widths is the stars'.
    ordered = np.sort(np.log(chosen))
    half = (ordered.size + 1) // 2
    spans = ordered[half - 1 :] - ordered[: ordered.size - half + 1]
    start = int(np.argmin(spans))
    middle = float(np.median(ordered[start : start + half]))
    agreeing = ordered[np.abs(ordered - middle) < 0.25]
    return float(np.exp(np.median(agreeing)))
