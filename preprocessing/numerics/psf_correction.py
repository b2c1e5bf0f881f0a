"""What stars show beyond their Moffat, and how well all of it predicts stars that were not used."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from observations.numerics.frame import Column, Cube, HeldOut, PsfModel
from observations.numerics.statistics import MAD_TO_SIGMA
from preprocessing.numerics.moffat import WING_ERROR, MoffatFit, Moffats, Stamps, fit_places
from preprocessing.numerics.psf_shape import StampGrid, calmed, shift_stamps, trusted_share
from preprocessing.numerics.psf_surfaces import ShapeSurfaces, fit_surfaces, hat

# Single pixels are followed within 2 FWHM, which fades out to 3: beyond, stars are noisier than what is left of them.
PIXELS_FWHM, CORE_FWHM = 2.0, 3.0
# No star may weigh more than one of S/N 100 per pixel of PSF: beyond that the model's own error of ~1 % dominates.
MODEL_ERROR = 0.01
# Stars needed before what is left may vary linearly or quadratically; whether it does, they decide themselves.
STARS_FOR_DEGREE = (0, 20, 60)
OUTLIER_SIGMA = 6.0
FEWEST_STARS = 3
# Every fourth star is held out of a second fit; with fewer stars than this each star is, in its turn.
HELD_OUT_EVERY = 4
STARS_TO_SPARE = 60


@dataclass(frozen=True)
class Sample:
    """Sources that tell the PSF: stamps, places, own shapes, chance to be a star, and the shape the stars share."""

    stamps: Stamps
    x: Column
    y: Column
    fit: MoffatFit
    is_star: Column
    surfaces: ShapeSurfaces

    def __len__(self) -> int:
        return self.x.size

    def __getitem__(self, which: NDArray[np.bool_]) -> Sample:
        fit = MoffatFit(self.fit.moffats[which], self.fit.variance[which])
        return Sample(self.stamps[which], self.x[which], self.y[which], fit, self.is_star[which], self.surfaces)

    @property
    def shared(self) -> Moffats:
        """The sources' profiles in the shape that stars have at their places."""
        return replace(self.fit.moffats, shape=self.surfaces(self.x, self.y))

    def terms(self, degree: int) -> NDArray[np.float64]:
        return PsfModel.terms(self.x, self.y, degree, self.surfaces.shape)


@dataclass(frozen=True)
class Correction:
    """What the stars show beyond the Moffat, share of the light: terms of a polynomial in the position, (m, k, k)."""

    cube: Cube
    degree: int


def fit_correction(sample: Sample, half: int, fwhm: float, degree: int | None) -> Correction:
    """Average what is left of the stars, moved to a common centre, as a polynomial of the position.

    Parameters
    ----------
    half : of the stamps, px. degree : chosen by the stars left out of the fit when None.
    """
    m = fit_places(sample.stamps, sample.shared, model_error=MODEL_ERROR, rounds=3)
    profile = m.profiles(half)
    light = m.light[:, None, None]
    rest = (sample.stamps.value - m.sky[:, None, None]) / light - profile
    weight = _weight(sample.stamps, profile, light)
    pull = rest * np.sqrt(weight)
    grid = StampGrid(2 * half + 1, fwhm)
    inner = grid.radius < fwhm
    spread = max(1.0, float(MAD_TO_SIGMA * np.median(np.abs(pull[:, inner]))))
    weight = np.where(np.abs(pull) > OUTLIER_SIGMA * spread, 0, weight)
    back = shift_stamps(np.where(weight > 0, rest, 0), -m.centre[:, 0], -m.centre[:, 1])
    if degree is None:
        degree = _degree(back[:, inner], weight[:, inner], sample)
    terms = sample.terms(degree)
    normal = _normal_matrix(weight, terms)
    right = (weight.reshape(len(back), -1) * back.reshape(len(back), -1)).T @ terms
    solution = np.linalg.solve(normal, right[..., None])[..., 0].T.reshape(-1, *grid.radius.shape)
    variance = np.diagonal(np.linalg.inv(normal), axis1=1, axis2=2)
    noise = np.asarray(variance.T.reshape(solution.shape) * spread**2, dtype=np.float64)
    calm = [calmed(term, its, grid) for term, its in zip(solution, noise, strict=True)]
    cube: Cube = np.asarray(calm, dtype=np.float64)
    cube[1:] *= trusted_share(cube[1:], noise[1:], grid)[:, None, None]
    return Correction(cube * share_of_pixels(grid.radius, fwhm), degree)


def share_of_pixels(radius: NDArray[np.float64], fwhm: float) -> NDArray[np.float64]:
    """Return how much single pixels count against rings at distances from the middle: 1 in the core, 0 in the wings."""
    outward = np.clip((radius / fwhm - PIXELS_FWHM) / (CORE_FWHM - PIXELS_FWHM), 0, 1)
    return np.asarray(np.cos(0.5 * np.pi * outward) ** 2)


def _weight(stamps: Stamps, profile: Cube, light: Cube) -> Cube:
    """Return the inverse variance of pixels over the star's light, with the model's own error."""
    error = MODEL_ERROR * (profile + WING_ERROR * profile.max(axis=(1, 2), keepdims=True))
    known = stamps.weight > 0
    return np.where(known, 1 / (1 / np.maximum(stamps.weight * light**2, 1e-30) + error**2), 0)


def _degree(back: NDArray[np.float64], weight: NDArray[np.float64], sample: Sample) -> int:
    """Return the degree that predicts the (n, pixels) cores of stars best that were left out of its fit."""
    of_star = weight.mean(axis=1)
    root = np.sqrt(of_star)[:, None]
    costs = []
    for degree, fewest in enumerate(STARS_FOR_DEGREE):
        if len(sample) < fewest:
            break
        terms = sample.terms(degree)
        cube = np.linalg.pinv(terms * root) @ (back * root)
        left_out = (back - terms @ cube) / (1 - hat(terms, of_star))[:, None]
        costs.append(float((weight * left_out**2).sum()))
    return int(np.argmin(costs))


def _normal_matrix(weight: Cube, terms: NDArray[np.float64]) -> Cube:
    """Return the (pixels, n_terms, n_terms) normal matrices; a pixel that no star covers keeps its old value."""
    n_terms = terms.shape[1]
    flat = weight.reshape(weight.shape[0], -1)
    products = (terms[:, :, None] * terms[:, None, :]).reshape(-1, n_terms * n_terms)
    normal = (flat.T @ products).reshape(-1, n_terms, n_terms)
    ridge = 1e-6 * np.trace(normal, axis1=1, axis2=2).max() / n_terms
    return normal + ridge * np.eye(n_terms)


def predict_held_out(sample: Sample, half: int, fwhm: float, degree: int) -> HeldOut | None:
    """Compare the PSF of three quarters of the stars with the others; None with fewer than 3 of those.

    Where there are few stars each has its turn to be held out.
    """
    likely = sample.is_star > 0.5
    turns = np.where(likely, np.cumsum(likely) % HELD_OUT_EVERY, -1)
    count = int(np.count_nonzero(likely))
    parts = []
    for turn in range(HELD_OUT_EVERY if count < STARS_TO_SPARE else 1):
        rest = sample[turns != turn]
        if np.count_nonzero(rest.is_star > 0.5) < FEWEST_STARS:
            return None
        parts.append((sample[turns == turn], *_predicted(rest, sample[turns == turn], half, fwhm, degree)))
    held, models, lights = zip(*parts, strict=True)
    stamps = Stamps(*(np.concatenate([getattr(h.stamps, name) for h in held]) for name in ("value", "weight")))
    if len(stamps.value) < FEWEST_STARS:
        return None
    return _judge(stamps, np.concatenate(models), np.concatenate(lights), StampGrid(2 * half + 1, fwhm))


def _predicted(rest: Sample, held: Sample, half: int, fwhm: float, degree: int) -> tuple[Cube, Column]:
    """Return models (n, k, k) of held-out stars, placed where these are, from the rest; and their light."""
    surfaces, is_star = fit_surfaces(rest.fit, rest.x, rest.y, rest.surfaces.shape, rest.surfaces)
    likely = is_star > 0.5 if np.count_nonzero(is_star > 0.5) >= FEWEST_STARS else rest.is_star > 0.5
    correction = fit_correction(replace(rest, surfaces=surfaces)[likely], half, fwhm, degree)
    m = fit_places(held.stamps, replace(held, surfaces=surfaces).shared, model_error=MODEL_ERROR, rounds=3)
    extra = np.tensordot(held.terms(degree), correction.cube, axes=1)
    return m.profiles(half) + shift_stamps(extra, m.centre[:, 0], m.centre[:, 1]), m.light


def _judge(stamps: Stamps, model: Cube, light: Column, grid: StampGrid) -> HeldOut:
    """Fit light and sky of models to stars and tell what is left within one FWHM.

    Squared residuals are those of the sky, of photons, which rise with the light, and of the model, which rise with
    its square: these three are told apart by a fit, so that no gain need be known.
    """
    n = len(light)
    value, shape = stamps.value.reshape(n, -1).astype(np.float64), model.reshape(n, -1)
    weight = (_weight(stamps, model, light[:, None, None]) / light[:, None, None] ** 2).reshape(n, -1)
    terms = np.stack([shape, np.ones_like(shape)], axis=1)
    normal = (terms * weight[:, None]) @ terms.transpose(0, 2, 1)
    flux, sky = np.linalg.solve(normal, (terms * weight[:, None]) @ value[:, :, None])[..., 0].T
    left = value - flux[:, None] * shape - sky[:, None]
    seen = weight > 0
    inner = seen & (grid.radius < grid.fwhm).ravel()
    expected, rest = (flux[:, None] * shape)[inner], left[inner]
    noise = 1 / stamps.weight.reshape(n, -1)[inner].astype(np.float64)
    photons, error = 0.0, 0.0
    for _ in range(5):
        scatter = noise + np.maximum(photons * expected, 0) + error * expected**2
        usual = rest**2 < OUTLIER_SIGMA**2 * np.maximum(scatter, noise)
        design = np.column_stack([expected, expected**2])[usual] / scatter[usual, None]
        photons, error = optimize.nnls(design, (rest**2 - noise)[usual] / scatter[usual])[0]
    middle = seen & (grid.radius < 0.5 * grid.fwhm).ravel()
    peak = np.where(middle, weight * flux[:, None] * shape, 0)
    bias = float((peak * left).sum() / (peak * flux[:, None] * shape).sum())
    return HeldOut(float(np.sqrt(error)), bias, n)
