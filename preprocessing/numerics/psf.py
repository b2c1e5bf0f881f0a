"""The point-spread function, measured on the image's own stars."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Column, Image, Mask, PsfModel, Stars
from preprocessing.numerics.background import as_plain_image
from preprocessing.numerics.moffat import Moffats, fit_shapes, plain_moffats
from preprocessing.numerics.psf_correction import (
    CORE_FWHM,
    FEWEST_STARS,
    MODEL_ERROR,
    Correction,
    Sample,
    fit_correction,
    predict_held_out,
    share_of_pixels,
)
from preprocessing.numerics.psf_shape import StampGrid, centred, faded
from preprocessing.numerics.psf_stamps import Field
from preprocessing.numerics.psf_surfaces import fit_surfaces
from preprocessing.numerics.psf_wings import Wings, fit_wings
from preprocessing.numerics.stars import point_like

MOST_STARS = 400
# Shapes are fitted to the pixels within 2 FWHM, 97 % of the light of a Moffat of index 3.
SHAPE_FWHM = 2.0
# The stamp reaches 30 px, where the wings of saturated stars still show, and 4 FWHM where that is more.
REACH_PX, REACH_FWHM = 30, 4.0
LARGEST_HALF_PX = 31
# Below this a star's core is noisier than 3 %, and it costs more than it tells.
FAINTEST_SNR = 30.0
# A source up to this much wider than the point sources around it is looked at: the fit tells the width better.
GENEROUS_TOLERANCE = 0.2
FIRST_BETA = 3.0
# The polynomial in the stamps follows the Moffat's shape to this share of the peak.
MODEL_TOLERANCE = 1e-3
HIGHEST_DEGREE = 5
NODES = 7


class PsfError(ValueError):
    """Too few usable stars to measure a PSF on."""


def fit_psf(  # noqa: PLR0913 - sky and noise go everywhere together
    data: Image,
    mask: Mask,
    stars: Stars,
    *,
    background: Image | float,
    noise: Image | float,
    degree: int | None = None,
    size_px: int | None = None,
) -> PsfModel:
    """Measure the PSF on the point sources of an image.

    Every possible star is fitted by a Moffat of its own; width and ellipticities then become smooth surfaces over the
    field, the width as the lower edge of all sources: galaxies are wider, many of them hardly so. What the stars show
    beyond that Moffat is averaged pixel by pixel at a common centre, and the wings follow rings around the brightest
    stars, saturated ones included, as far as they show. Each part varies over the field by as high a degree as the
    stars can tell. Masked pixels and neighbours take no part.

    Parameters
    ----------
    data : (ny, nx) image, background included; NaN counts as masked. Not changed.
    mask : (ny, nx) bool, True = bad.
    stars : sources of this image, with the fainter ones: they are what neighbours are masked by.
    background, noise : sky level and rms per pixel, (ny, nx) or one number, unit of `data`.
    degree : of the variation over the field, of all parts; chosen from the stars when None.
    size_px : odd side of the stamp; 61 to 63 px, or what the frame allows, when None.

    Returns
    -------
    PsfModel
        sum 1 and centred at every position; with the error found on stars held out of the fit.

    Raises
    ------
    PsfError
        with fewer than 3 usable stars. ValueError : `size_px` is even or below 5.

    Notes
    -----
    The PSF is that of pixels: a Moffat (1969, A&A 3, 455) sampled at their middle, plus a correction on the pixel grid
    that is moved by Fourier shifts, in the manner of Anderson & King 2000 (PASP 112, 1360) but without an oversampled
    grid: where the PSF is undersampled, the Moffat carries what a shift would alias. The centre is that of a
    Gaussian-windowed centroid.
    """
    plan = _plan(data.shape, stars, degree, size_px)
    field = _field(data, mask, stars, background, noise)
    sample = _sample(field, plan)
    surfaces, is_star = fit_surfaces(sample.fit, sample.x, sample.y, plan.shape, sample.surfaces)
    sample = replace(sample, surfaces=surfaces, is_star=is_star)
    stars_only = sample[_likeliest(is_star)]
    correction = fit_correction(stars_only, plan.core, plan.fwhm, plan.degree)
    wings = fit_wings(field, surfaces, sample.fit.moffats.beta, plan.half)
    model = _model(stars_only, correction, wings, plan)
    return replace(model, held_out=predict_held_out(sample, plan.core, plan.fwhm, correction.degree))


@dataclass(frozen=True)
class _Plan:
    shape: tuple[int, int]
    fwhm: float
    half: int
    degree: int | None

    @property
    def core(self) -> int:
        return min(int(np.ceil(CORE_FWHM * self.fwhm)), self.half)


def _plan(shape: tuple[int, ...], stars: Stars, degree: int | None, size_px: int | None) -> _Plan:
    if not np.isfinite(stars.fwhm_px):
        raise PsfError("no star is bright enough to measure the seeing")
    half = min(LARGEST_HALF_PX, max(REACH_PX, int(np.ceil(REACH_FWHM * stars.fwhm_px))))
    size = min(size_px or 2 * half + 1, (min(shape) - 1) // 2 * 2 - 1)
    if size % 2 == 0 or size < 5:
        raise ValueError(f"a PSF stamp has an odd side of at least 5 px, not {size}")
    return _Plan((shape[0], shape[1]), stars.fwhm_px, size // 2, degree)


def _field(data: Image, mask: Mask, stars: Stars, background: Image | float, noise: Image | float) -> Field:
    image = as_plain_image(data) - np.asarray(background, dtype=np.float32)
    bad = mask | ~np.isfinite(image)
    return Field(image, bad, np.broadcast_to(np.asarray(noise, dtype=np.float32), image.shape), stars)


def _choose(stars: Stars, plan: _Plan) -> NDArray[np.intp]:
    """Return the brightest sources that may be stars; where there are few, crowded and fainter ones too."""
    snr = stars.flux / np.maximum(stars.flux_error, 1e-30)
    column, row = np.round(stars.x), np.round(stars.y)
    ny, nx = plan.shape
    inside = (column >= plan.core) & (row >= plan.core) & (column < nx - plan.core) & (row < ny - plan.core)
    usable = inside & ~stars.is_saturated & point_like(stars, GENEROUS_TOLERANCE)
    for candidates in (
        usable & stars.is_isolated & (snr > FAINTEST_SNR),
        usable & (snr > FAINTEST_SNR),
        usable & (snr > FAINTEST_SNR / 3),
    ):
        if np.count_nonzero(candidates) >= 5:
            break
    index = np.flatnonzero(candidates)
    if index.size < FEWEST_STARS:
        raise PsfError(f"{index.size} usable stars; a PSF needs {FEWEST_STARS}")
    return index[np.argsort(-stars.flux[index])][:MOST_STARS]


def _sample(field: Field, plan: _Plan) -> Sample:
    """Fit every source's own Moffat, find the stars among them and how their shape varies."""
    chosen = _choose(field.stars, plan)
    stamps = field.stamps(chosen, plan.core)
    x, y = field.stars.x[chosen], field.stars.y[chosen]
    near = stamps.cut(int(np.ceil(SHAPE_FWHM * plan.fwhm)))
    middle = near.value.shape[-1] // 2
    height = np.maximum(near.value[:, middle, middle].astype(np.float64), 1e-6)
    start = plain_moffats(plan.fwhm, np.column_stack([x - np.round(x), y - np.round(y)]), height, FIRST_BETA)
    fit = fit_shapes(near, start, np.ones(x.size), model_error=MODEL_ERROR, rounds=5)
    surfaces, is_star = fit_surfaces(fit, x, y, plan.shape, plan.degree)
    # Galaxies have other wings than stars: beta once more, by those that are stars.
    fit = fit_shapes(near, fit.moffats, is_star, model_error=MODEL_ERROR, rounds=3)
    return Sample(stamps, x, y, fit, is_star, surfaces)


def _likeliest(is_star: Column) -> NDArray[np.bool_]:
    """Return which sources make the PSF: those that are stars more likely than not, and at least the likeliest two."""
    chosen = is_star > 0.5
    chosen[np.argsort(-is_star, kind="stable")[:2]] = True
    return chosen


def _model(sample: Sample, correction: Correction, wings: Wings, plan: _Plan) -> PsfModel:
    """Draw the PSF at nodes over the field and follow it by a polynomial in its pixels."""
    ny, nx = plan.shape
    grid = StampGrid(2 * plan.half + 1, plan.fwhm)
    varies = max(*sample.surfaces.degrees, correction.degree) > 0
    node = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES) if varies else np.zeros(1)
    u, v = (a.ravel() for a in np.meshgrid(node, node))
    x, y = u * nx / 2 + (nx - 1) / 2, v * ny / 2 + (ny - 1) / 2
    still = np.zeros(x.size)
    shapes = Moffats(sample.surfaces(x, y), np.zeros((x.size, 2)), still + 1, still, sample.fit.moffats.beta)
    pixels = share_of_pixels(grid.radius, plan.fwhm)
    stamps = shapes.profiles(plan.half) * (pixels + (1 - pixels) * wings.over(grid.radius))
    rim = plan.half - plan.core
    middle = slice(rim, grid.size - rim)
    stamps[:, middle, middle] += np.tensordot(
        PsfModel.terms(x, y, correction.degree, plan.shape), correction.cube, axes=1
    )
    stamps /= stamps.sum(axis=(1, 2), keepdims=True)
    flat = stamps.reshape(x.size, -1)
    core = stamps[:, middle, middle].reshape(x.size, -1)
    for degree in range(HIGHEST_DEGREE + 1 if varies else 1):
        terms = PsfModel.terms(x, y, degree, plan.shape)
        solver = np.linalg.pinv(terms)
        if np.abs(terms @ (solver @ core) - core).max() < MODEL_TOLERANCE * core.max():
            break
    cube = solver @ flat
    cube = cube.reshape(-1, grid.size, grid.size)
    return PsfModel(faded(centred(cube, grid), grid), degree, nx, ny)
