"""The point-spread function, measured on the image's own stars."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Cube, Image, Mask, PsfModel, Stars
from observations.numerics.statistics import MAD_TO_SIGMA
from preprocessing.numerics.background import as_plain_image
from preprocessing.numerics.psf_shape import (
    StampGrid,
    calmed,
    centred,
    faded,
    normalise,
    shift_stamps,
    trusted_share,
)

FEWEST_STARS = 3
# Stars needed before the shape may vary over the field: linear has 3 terms, quadratic 6, ten stars a term.
STARS_FOR_DEGREE_1 = 20
STARS_FOR_DEGREE_2 = 60
MOST_STARS = 400
# 400 stamps of 31 x 31: beyond this many pixels more stars cost time and bring no accuracy.
MOST_STAMP_PIXELS = 400_000
LARGEST_SIZE_PX = 63
# A stamp reaches 4 FWHM: a Moffat of index 3 has 99.7 % of its light inside.
REACH_FWHM = 4.0
# Below this a star's core is noisier than 3 %, and it costs more than it tells.
FAINTEST_SNR = 30.0
ROUNDS = 5
# No star may weigh more than one of S/N 100 per pixel of PSF: beyond that the model's own error of ~1 % dominates.
MODEL_ERROR = 0.01
OUTLIER_SIGMA = 5.0


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
    """Fit an empirical PSF to the clean stars of an image.

    Every star is predicted from the present model, shifted to its sub-pixel position; what is left is shifted back
    and averaged into the model. So the smoothing of the interpolation cancels, masked pixels and neighbours simply
    take no part, and bright stars do not outvote the rest. Wings are drawn towards their ring's mean where noise
    rules, freed of the residual sky, and faded to zero at the rim.

    Parameters
    ----------
    data : (ny, nx) image, background included; NaN counts as masked. Not changed.
    mask : (ny, nx) bool, True = bad.
    stars : sources of this image, with the fainter ones: they are what neighbours are masked by.
    background, noise : sky level and rms per pixel, (ny, nx) or one number, unit of `data`.
    degree : of the variation over the field: 0, 1 or 2; from the number of stars when None.
    size_px : odd side of the stamp; 2 ceil(4 FWHM) + 1, at most 63, when None.

    Returns
    -------
    PsfModel
        sum 1 and centred at every position.

    Raises
    ------
    PsfError
        with fewer than 3 usable stars.

    Notes
    -----
    The predict-and-correct loop of Anderson & King 2000 (PASP 112, 1360), on the pixel grid by Fourier shifts in place
    of an oversampled one. The centre is that of a Gaussian-windowed centroid.
    """
    plan = _plan(data.shape, stars, degree, size_px)
    chosen = _choose(stars, plan)
    image = as_plain_image(data) - np.asarray(background, dtype=np.float32)
    bad = mask | ~np.isfinite(image)
    noise_map = np.broadcast_to(np.asarray(noise, dtype=np.float32), image.shape)
    sample = _cut(image, bad, noise_map, stars, chosen, plan)
    cube = _first_guess(plan)
    for _ in range(ROUNDS):
        sample, cube = _improve(sample, cube, plan)
    if sample.weight.any(axis=(1, 2)).sum() < FEWEST_STARS:
        raise PsfError("fewer than 3 stars agree on a common shape")
    return PsfModel(_finish(cube, sample, plan), plan.degree, data.shape[1], data.shape[0])


@dataclass(frozen=True)
class _Plan:
    shape: tuple[int, int]
    grid: StampGrid
    degree: int
    count: int

    @property
    def size(self) -> int:
        return self.grid.size

    @property
    def fwhm(self) -> float:
        return self.grid.fwhm

    @property
    def radius(self) -> NDArray[np.float64]:
        return self.grid.radius


@dataclass(frozen=True)
class _Sample:
    """Stamps of the chosen stars: value and weight (n, k, k), centre, offset from the central pixel, flux, sky."""

    value: Cube
    weight: Cube
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    shift: NDArray[np.float64]
    flux: NDArray[np.float64]
    sky: NDArray[np.float64]

    def keep(self, which: NDArray[np.bool_]) -> _Sample:
        return _Sample(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def _plan(shape: tuple[int, ...], stars: Stars, degree: int | None, size_px: int | None) -> _Plan:
    if not np.isfinite(stars.fwhm_px):
        raise PsfError("no star is bright enough to measure the seeing")
    size = size_px or min(LARGEST_SIZE_PX, 2 * int(np.ceil(REACH_FWHM * stars.fwhm_px)) + 1)
    size = min(size, (min(shape) - 1) // 2 * 2 - 1)
    if size % 2 == 0 or size < 5:
        raise ValueError(f"a PSF stamp has an odd side of at least 5 px, not {size}")
    count = int(np.clip(MOST_STAMP_PIXELS // size**2, 60, MOST_STARS))
    snr = stars.flux / np.maximum(stars.flux_error, 1e-30)
    usable = int(np.count_nonzero(_inside(stars, shape, size) & stars.is_clean & (snr > FAINTEST_SNR)))
    if degree is None:
        degree = 0 if usable < STARS_FOR_DEGREE_1 else 1 if usable < STARS_FOR_DEGREE_2 else 2
    return _Plan((shape[0], shape[1]), StampGrid(size, stars.fwhm_px), degree, count)


def _inside(stars: Stars, shape: tuple[int, ...], size: int) -> NDArray[np.bool_]:
    half = size // 2
    column, row = np.round(stars.x), np.round(stars.y)
    return (column >= half) & (row >= half) & (column < shape[1] - half) & (row < shape[0] - half)


def _choose(stars: Stars, plan: _Plan) -> NDArray[np.intp]:
    """Return the brightest clean stars; where there are few, crowded and fainter ones too."""
    snr = stars.flux / np.maximum(stars.flux_error, 1e-30)
    alike = np.abs(stars.fwhm / stars.fwhm_px - 1) < 0.25
    inside = _inside(stars, plan.shape, plan.size) & ~stars.is_saturated & alike
    for candidates in (
        inside & stars.is_isolated & (snr > FAINTEST_SNR),
        inside & (snr > FAINTEST_SNR),
        inside & (snr > FAINTEST_SNR / 3),
    ):
        if np.count_nonzero(candidates) >= 5:
            break
    index = np.flatnonzero(candidates)
    if index.size < FEWEST_STARS:
        raise PsfError(f"{index.size} usable stars; a PSF needs {FEWEST_STARS}")
    return index[np.argsort(-stars.flux[index])][: plan.count]


def _cut(image: Image, bad: Mask, noise: Image, stars: Stars, chosen: NDArray[np.intp], plan: _Plan) -> _Sample:
    half = plan.size // 2
    span = np.arange(-half, half + 1)
    column, row = np.round(stars.x[chosen]).astype(int), np.round(stars.y[chosen]).astype(int)
    at = (row[:, None, None] + span[None, :, None], column[:, None, None] + span[None, None, :])
    crowd = _neighbours(stars, chosen, plan)
    good = ~(bad[at] | crowd)
    value = np.where(good, image[at], 0).astype(np.float64)
    # Photon noise follows the light: the peak's scatter is estimated from the flux itself where no gain is known.
    weight = good / np.maximum(noise[at].astype(np.float64), 1e-30) ** 2
    shift = np.column_stack([stars.x[chosen] - column, stars.y[chosen] - row])
    flux = stars.flux[chosen].copy()
    return _Sample(value, weight, stars.x[chosen], stars.y[chosen], shift, flux, np.zeros(chosen.size))


def _neighbours(stars: Stars, chosen: NDArray[np.intp], plan: _Plan) -> NDArray[np.bool_]:
    """Mask discs around all other sources in each stamp, wider around brighter ones."""
    half = plan.size // 2
    span = np.arange(-half, half + 1)
    crowd = np.zeros((chosen.size, plan.size, plan.size), dtype=bool)
    for k, i in enumerate(chosen):
        dx, dy = stars.x - np.round(stars.x[i]), stars.y - np.round(stars.y[i])
        close = (np.maximum(np.abs(dx), np.abs(dy)) < half + 2 * plan.fwhm) & (np.arange(len(stars)) != i)
        for j in np.flatnonzero(close):
            # A Moffat of index 3 falls to 1 % of its peak at 1.5 FWHM and to 0.1 % at 2.6.
            reach = plan.fwhm * float(np.clip(1.5 + 0.5 * np.log10(stars.flux[j] / stars.flux[i] * 10), 1.0, 3.0))
            crowd[k] |= (span[None, :] - dx[j]) ** 2 + (span[:, None] - dy[j]) ** 2 < reach**2
    return crowd


def _first_guess(plan: _Plan) -> Cube:
    alpha = plan.fwhm / 1.02  # Moffat of index 3: FWHM = 2 alpha sqrt(2^(1/3) - 1)
    shape = (1 + (plan.radius / alpha) ** 2) ** -3.0
    cube = np.zeros(((plan.degree + 1) * (plan.degree + 2) // 2, plan.size, plan.size))
    cube[0] = shape / shape.sum()
    return cube


def _predict(sample: _Sample, cube: Cube, plan: _Plan) -> Cube:
    terms = PsfModel.terms(sample.x, sample.y, plan.degree, plan.shape)
    stamps = np.tensordot(terms, cube, axes=1)
    return shift_stamps(stamps, sample.shift[:, 0], sample.shift[:, 1])


def _improve(sample: _Sample, cube: Cube, plan: _Plan) -> tuple[_Sample, Cube]:
    """One round: fluxes, skies and centres of the stars from the model, then the model from the stars."""
    model = _predict(sample, cube, plan)
    sample = _fit_stars(sample, model, plan)
    rest = sample.value - sample.sky[:, None, None] - sample.flux[:, None, None] * model
    rest /= sample.flux[:, None, None]
    weight = _relative_weight(sample, model)
    weight = np.where(_outlying(rest, weight, sample.weight > 0), 0, weight)
    alike = _agreeing(rest, weight, model)
    sample, rest, weight = sample.keep(alike), rest[alike], weight[alike]
    back = shift_stamps(np.where(weight > 0, rest, 0), -sample.shift[:, 0], -sample.shift[:, 1])
    return sample, normalise(cube + _solve(back, weight, sample, plan), plan.grid)


def _fit_stars(sample: _Sample, model: Cube, plan: _Plan) -> _Sample:
    """Fit flux, sky and a small step of the centre of every star, by weighted least squares."""
    gy, gx = np.gradient(model, axis=(1, 2))
    ones = np.ones_like(model)
    design = np.stack([model, ones, -gx, -gy], axis=-1).reshape(model.shape[0], -1, 4)
    weight = _relative_weight(sample, model).reshape(model.shape[0], -1, 1)
    normal = np.einsum("nki,nkj->nij", design, design * weight)
    normal += np.eye(4) * 1e-12 * np.trace(normal, axis1=1, axis2=2)[:, None, None]
    right = np.einsum("nki,nk->ni", design * weight, sample.value.reshape(model.shape[0], -1))
    solution = np.linalg.solve(normal, right[..., None])[..., 0]
    flux = np.where(solution[:, 0] > 0, solution[:, 0], sample.flux)
    step = np.clip(solution[:, 2:] / flux[:, None], -0.2, 0.2)
    # What all stars of a region have in common is the model's centre and not theirs.
    terms = PsfModel.terms(sample.x, sample.y, plan.degree, plan.shape)
    common = np.column_stack([_robust_fit(terms, step[:, 0]), _robust_fit(terms, step[:, 1])])
    return replace(sample, flux=flux, sky=solution[:, 1], shift=sample.shift + step - common)


def _robust_fit(terms: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    good = np.ones(values.size, dtype=bool)
    fitted = np.zeros_like(values)
    for _ in range(3):
        if good.sum() <= terms.shape[1]:
            break
        fitted = terms @ np.linalg.lstsq(terms[good], values[good], rcond=None)[0]
        spread = MAD_TO_SIGMA * np.median(np.abs(values - fitted)[good]) + 1e-6
        good = np.abs(values - fitted) < 4 * spread
    return fitted


def _relative_weight(sample: _Sample, model: Cube) -> Cube:
    """Weights of value / flux: sky noise, and a model error that keeps bright stars from outvoting the rest."""
    flux = sample.flux[:, None, None]
    variance = 1 / np.maximum(sample.weight, 1e-30) / flux**2
    peak = model.max(axis=(1, 2), keepdims=True)
    variance += (MODEL_ERROR * (np.maximum(model, 0) + 0.02 * peak)) ** 2
    return np.where(sample.weight > 0, 1 / variance, 0)


def _outlying(rest: Cube, weight: Cube, good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which pixels of single stars stand far from what the other stars say there."""
    pull = np.where(good, rest * np.sqrt(weight), np.nan)
    if rest.shape[0] < 5:
        return np.zeros(rest.shape, dtype=bool)
    middle = np.nan_to_num(np.nanmedian(pull, axis=0)) if good.any(axis=0).all() else 0.0
    spread = MAD_TO_SIGMA * np.nanmedian(np.abs(pull - middle)) + 1e-9
    return np.abs(np.nan_to_num(pull - middle)) > OUTLIER_SIGMA * max(spread, 1.0)


def _agreeing(rest: Cube, weight: Cube, model: Cube) -> NDArray[np.bool_]:
    """Say which stars are point sources like the others: galaxies and blends leave larger residuals in the core."""
    core = (model > 0.1 * model.max(axis=(1, 2), keepdims=True)) & (weight > 0)
    count = np.maximum(core.sum(axis=(1, 2)), 1)
    excess = np.sqrt((np.where(core, rest * rest * weight, 0)).sum(axis=(1, 2)) / count)
    middle = np.median(excess)
    spread = MAD_TO_SIGMA * np.median(np.abs(excess - middle))
    return excess <= middle + 4 * spread + 1e-9 if excess.size >= 5 else np.ones(excess.size, dtype=bool)


def _solve(back: Cube, weight: Cube, sample: _Sample, plan: _Plan) -> Cube:
    """Fit the residuals of each pixel as a polynomial of field position."""
    terms = PsfModel.terms(sample.x, sample.y, plan.degree, plan.shape)
    pixels = plan.size**2
    right = (weight.reshape(-1, pixels) * back.reshape(-1, pixels)).T @ terms
    solution = np.linalg.solve(_normal_matrix(weight, terms), right[..., None])[..., 0]
    return np.asarray(solution.T.reshape(terms.shape[1], plan.size, plan.size), dtype=np.float64)


def _finish(cube: Cube, sample: _Sample, plan: _Plan) -> Cube:
    """Centre, calm the wings, draw unproven field terms to zero, fade the rim, normalise."""
    cube = centred(cube, plan.grid)
    noise = _term_noise(sample, cube, plan)
    cube = np.stack([calmed(term, variance, plan.grid) for term, variance in zip(cube, noise, strict=True)])
    cube[1:] *= trusted_share(cube[1:], noise[1:], plan.grid)[:, None, None]
    return faded(cube, plan.grid)


def _term_noise(sample: _Sample, cube: Cube, plan: _Plan) -> Cube:
    """Return the variance of each coefficient (n_terms, k, k), scaled to the scatter that the stars really show."""
    model = _predict(sample, cube, plan)
    weight = _relative_weight(sample, model)
    rest = (sample.value - sample.sky[:, None, None]) / sample.flux[:, None, None] - model
    pull = np.where(weight > 0, rest * np.sqrt(weight), np.nan)
    core = pull[:, plan.radius < plan.fwhm]
    scale = max(1.0, MAD_TO_SIGMA * float(np.nanmedian(np.abs(core)))) ** 2
    terms = PsfModel.terms(sample.x, sample.y, plan.degree, plan.shape)
    normal = _normal_matrix(weight, terms)
    inverse = np.linalg.inv(normal)
    variance = np.diagonal(inverse, axis1=1, axis2=2).T * scale
    return variance.reshape(-1, plan.size, plan.size)


def _normal_matrix(weight: Cube, terms: NDArray[np.float64]) -> Cube:
    """Return the (pixels, n_terms, n_terms) normal matrices; a pixel that no star covers keeps its old value."""
    n_terms = terms.shape[1]
    flat = weight.reshape(weight.shape[0], -1)
    products = (terms[:, :, None] * terms[:, None, :]).reshape(-1, n_terms * n_terms)
    normal = (flat.T @ products).reshape(-1, n_terms, n_terms)
    ridge = 1e-6 * np.trace(normal, axis1=1, axis2=2).max() / n_terms
    return normal + ridge * np.eye(n_terms)
