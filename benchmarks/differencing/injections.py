"""What the subtraction finds of point sources that were added to real frames, and what it finds without any."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ndtr

from benchmarks.differencing.judging import SHIPPED_SIGMA, at, noise_of
from benchmarks.differencing.methods import Configured
from benchmarks.differencing.peaks import MATCH_PX, Array, Peaks
from benchmarks.differencing.real_frames import RealPair
from differencing.numerics import peaks as numerics_peaks
from differencing.numerics.choice import Chosen, subtract
from differencing.numerics.difference import Difference
from differencing.numerics.noise import robust_sigma, source_mask
from differencing.numerics.spikes import are_spikes
from observations.numerics.frame import Frame, Image, Mask, PsfFunction
from observations.numerics.simulate.pair import matched_filter_snr
from observations.numerics.statistics import MAD_TO_SIGMA
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.psf_shape import shift_stamps

SNR = (7.0, 50.0)
PER_MPX = 120
MARGIN_PX = 30
APART_PX = 15.0
# Clear of masks, so that what is lost is lost by the subtraction.
FROM_MASKS_PX = 5.0
# Sky on which nothing may be found: so far from bright stars and from masks.
BRIGHT_STAR_SNR = 100.0
CLEAN_FWHM = 3.0


@dataclass(frozen=True)
class Injected:
    """Sources that were added, arrays (n,): 0-based position, counts, ideal S/N with the photons of what lies under."""

    x: Array
    y: Array
    flux: Array
    snr: Array


@dataclass(frozen=True)
class RealFigures:
    """How the subtraction did on one real pair, by the algorithm that it chose.

    found, limit : shares of the injected beyond 5 sigma, and of those that an ideal score with Gaussian noise would
    show. bias : of fluxes, relative; position_px : scatter in one axis. noise_before, mean : of the score on sky
    without sources, before the last rescaling. peaks : beyond 5 sigma in the pair as it is; clean : those of positive
    sign at least 3 FWHM from masks and from stars of S/N above 100.
    """

    algorithm: str
    injected: int
    found: float
    limit: float
    ratio: float
    bias: float
    position_px: float
    noise_before: float
    mean: float
    peaks: int
    clean: int


def judge_real(pair: RealPair, config: Configured, seed: int) -> RealFigures:
    """Subtract the pair as it is, then with sources added at random places."""
    plain, choice = subtracted(pair.science, pair.reference, config)
    bare = _shipped(plain, config)
    added = choose(pair, plain, np.random.default_rng([seed, 21]))
    # The same frame with more light in it: its stars and its PSF are those measured before.
    science = replace(pair.science, data=with_sources(pair.science, added, np.random.default_rng([seed, 22])))
    difference, _ = subtracted(science, pair.reference, config)
    shipped = _shipped(difference, config)
    found, dx, dy, flux = _recovered(difference, shipped, added)
    limit = float(ndtr(added.snr - SHIPPED_SIGMA).mean())
    empty = ~(source_mask(plain.science, plain.mask) | source_mask(plain.reference, plain.mask))
    noise, mean = noise_of(plain.score[empty])
    offsets = np.concatenate([dx, dy])
    share = float(found.mean()) if found.size else math.nan
    return RealFigures(
        algorithm=choice.algorithm,
        injected=found.size,
        found=share,
        limit=limit,
        ratio=share / limit,
        bias=float(np.median(flux / added.flux[found] - 1)) if found.any() else math.nan,
        position_px=float(MAD_TO_SIGMA * np.median(np.abs(offsets))) if offsets.size else math.nan,
        noise_before=noise * plain.noise_rescale,
        mean=mean,
        peaks=bare.x.size,
        clean=int(np.count_nonzero(at(_clean(pair.science, plain), bare.x, bare.y) & (bare.height > 0))),
    )


def subtracted(science: Frame, reference: Frame, config: Configured) -> Chosen:
    return subtract(science, reference, algorithm=config.algorithm, parameters=config.zogy)


def _shipped(difference: Difference, config: Configured) -> Peaks:
    found = numerics_peaks.find(difference, threshold_sigma=config.threshold_sigma)
    found = found[~are_spikes(difference, found)]
    return Peaks(found.x, found.y, found.score)


def _clean(science: Frame, plain: Difference) -> Mask:
    """Return the sky far from masks and from bright stars."""
    stars = science.stars
    if stars is None:
        return ~plain.mask
    bright = stars.flux > BRIGHT_STAR_SNR * stars.flux_error
    free = ~plain.mask
    row = np.clip(np.rint(stars.y[bright]).astype(int), 0, free.shape[0] - 1)
    free[row, np.clip(np.rint(stars.x[bright]).astype(int), 0, free.shape[1] - 1)] = False
    return np.asarray(ndimage.distance_transform_edt(free) >= CLEAN_FWHM * stars.fwhm_px)


def choose(pair: RealPair, plain: Difference, rng: np.random.Generator) -> Injected:
    """Draw places on good pixels, apart from each other, and fluxes for the S/N asked for."""
    ny, nx = plain.mask.shape
    count = round(PER_MPX * ny * nx / 2**20)
    x, y = rng.uniform(MARGIN_PX, nx - MARGIN_PX, 20 * count), rng.uniform(MARGIN_PX, ny - MARGIN_PX, 20 * count)
    good = at(np.asarray(ndimage.distance_transform_edt(~plain.mask) > FROM_MASKS_PX), x, y)
    chosen: list[int] = []
    for k in np.flatnonzero(good):
        if len(chosen) == count:
            break
        if all(math.hypot(x[k] - x[j], y[k] - y[j]) > APART_PX for j in chosen):
            chosen.append(int(k))
    x, y = x[chosen], y[chosen]
    snr = np.exp(rng.uniform(math.log(SNR[0]), math.log(SNR[1]), x.size))
    return Injected(x, y, snr / _unit_snr(pair, plain, x, y), snr)


def _unit_snr(pair: RealPair, plain: Difference, x: Array, y: Array) -> Array:
    """Return the ideal S/N of one count at each place, of the noise that a PSF really collects from empty sky there."""
    sides = []
    for image, frame, psf, scale in (
        (plain.science, pair.science, plain.psf_science, np.ones(x.size)),
        (plain.reference, pair.reference, plain.psf_reference, plain.flux_scale(x, y)),
    ):
        sky = robust_sigma(image[~source_mask(image, plain.mask)]) * _colour(image, plain.mask, psf)
        light = np.maximum(at(ndimage.gaussian_filter(np.nan_to_num(image), 1.0), x, y), 0)
        sides.append(np.sqrt(sky**2 + light * scale / (frame.gain or math.inf)))
    return np.array(
        [
            matched_filter_snr(
                np.ones(1), plain.psf_science(a, b), plain.psf_reference(a, b), float(sides[0][k]), float(sides[1][k])
            )[0]
            for k, (a, b) in enumerate(zip(x, y, strict=True))
        ]
    )


def _colour(image: Image, mask: Mask, psf: PsfFunction) -> float:
    """Return by how much the noise that a PSF collects exceeds that of as many independent pixels."""
    empty = ~source_mask(image, mask)
    stamp = psf(image.shape[1] / 2, image.shape[0] / 2)
    half = min(stamp.shape[0] // 2, 8)
    middle = stamp.shape[0] // 2
    stamp = stamp[middle - half : middle + half + 1, middle - half : middle + half + 1]
    level = estimate_background(image, ~empty).level
    quiet = np.where(empty, image - level, 0)
    collected = ndimage.convolve(quiet, stamp[::-1, ::-1], mode="constant")
    deep = ndimage.binary_erosion(empty, iterations=2)
    return robust_sigma(collected[deep]) / (robust_sigma(quiet[deep]) * float(np.sqrt(np.sum(stamp**2))))


def with_sources(frame: Frame, added: Injected, rng: np.random.Generator) -> Image:
    """Return the frame's pixels with the sources in them, and their photon noise where the gain is known."""
    if frame.psf is None:
        raise ValueError("sources are added with the frame's PSF; it has none")
    light = np.zeros(frame.shape)
    for x, y, flux in zip(added.x, added.y, added.flux, strict=True):
        column, row = round(x), round(y)
        stamp = shift_stamps(frame.psf(x, y)[None], np.array([x - column]), np.array([y - row]))[0]
        half = min(stamp.shape[0] // 2, MARGIN_PX - 1)
        middle = stamp.shape[0] // 2
        inner = stamp[middle - half : middle + half + 1, middle - half : middle + half + 1]
        light[row - half : row + half + 1, column - half : column + half + 1] += flux * inner
    noise = rng.normal(size=frame.shape) * np.sqrt(np.maximum(light, 0) / (frame.gain or math.inf))
    return np.asarray(frame.data + light + noise, dtype=np.float32)


def _recovered(difference: Difference, peaks: Peaks, added: Injected) -> tuple[NDArray[np.bool_], Array, Array, Array]:
    """Return which were found, how far their peaks are off in x and y, and their fluxes at the peak."""
    found, dx, dy, flux = np.zeros(added.x.size, dtype=bool), [], [], []
    new = peaks[peaks.height > 0]
    for k in range(added.x.size):
        near = np.flatnonzero(np.hypot(new.x - added.x[k], new.y - added.y[k]) < MATCH_PX)
        if near.size:
            best = near[np.argmax(new.height[near])]
            found[k] = True
            dx.append(new.x[best] - added.x[k])
            dy.append(new.y[best] - added.y[k])
            error = at(difference.flux_error, new.x[best : best + 1], new.y[best : best + 1])[0]
            flux.append(new.height[best] * float(error))
    return found, np.array(dx), np.array(dy), np.array(flux)
