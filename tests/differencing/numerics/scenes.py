"""Seeded pairs and hand-made differences of known truth for the tests of differencing."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from differencing.numerics import peaks, zogy
from differencing.numerics.difference import Diagnostics, Difference
from differencing.numerics.tie import Surface
from observations.numerics.frame import Frame
from observations.numerics.simulate.pair import Pair, PairParameters, simulate_pair
from observations.numerics.simulate.sources import MoffatPsf, point_sources
from tests.parameters import THRESHOLD_SIGMA, ZOGY

Column = NDArray[np.float64]

SIGMA_TO_FWHM = 2.354820045  # of a Gaussian


# As the pipeline does it, where a test says nothing else.
subtract = partial(zogy.subtract, parameters=ZOGY)
find = partial(peaks.find, threshold_sigma=THRESHOLD_SIGMA)

# What a good subtraction says of itself.
DIAGNOSTICS = Diagnostics(
    score_median=0.0,
    flux_scale_median=1.0,
    flux_scale_scatter=0.01,
    shift_scatter_px=0.01,
    registration_rms_px=0.02,
    matched_stars=40.0,
    sigma_science=1.0,
    sigma_reference=1.0,
    blank_share=0.9,
    model_error=0.005,
    fill_error=0.0,
    psfs_measured=2.0,
)


def gaussian(shape: tuple[int, int], x: float, y: float, sigma: float, *, flux: float = 1.0) -> NDArray[np.float64]:
    """Return a Gaussian sampled at the pixel centres, of the given total flux."""
    v, u = np.indices(shape, dtype=np.float64)
    return flux * np.exp(-0.5 * ((u - x) ** 2 + (v - y) ** 2) / sigma**2) / (2 * np.pi * sigma**2)


def gaussian_stamp(sigma: float, size: int = 25) -> NDArray[np.float64]:
    """Return a centred Gaussian of sum 1."""
    stamp = gaussian((size, size), size // 2, size // 2, sigma)
    return stamp / stamp.sum()


def frame_of(data: NDArray[np.floating], mask: NDArray[np.bool_] | None = None, **facts) -> Frame:
    """Return a frame of these pixels, nothing masked unless told."""
    return Frame(data.astype(np.float32), np.zeros(data.shape, dtype=bool) if mask is None else mask, **facts)


@lru_cache(maxsize=24)
def pair_of(seed: int, **changes) -> Pair:
    """Return a pair of 200 x 200 px: 40 stars of S/N 10 to 500, no galaxy, no transient unless told; kept, not to be
    written to."""
    usual: dict = {
        "shape": (200, 200),
        "n_stars": 40,
        "n_galaxies": 0,
        "n_transients": 0,
        "faintest_e": 3000.0,
        "brightest_e": 2e5,
    }
    return simulate_pair(PairParameters(seed=seed, **{**usual, **changes}))


@lru_cache(maxsize=24)
def difference_of(seed: int, **changes) -> Difference:
    """Return the difference of `pair_of` the same; kept, not to be written to."""
    pair = pair_of(seed, **changes)
    return subtract(pair.science, pair.reference)


def with_source(frame: Frame, psf: MoffatPsf, x: float, y: float, flux: float) -> Frame:
    """Return the frame with one more point source of `flux` in its unit, without photon noise."""
    return with_sources(frame, psf, np.array([x]), np.array([y]), np.array([flux]))


def with_sources(frame: Frame, psf: MoffatPsf, x: Column, y: Column, flux: Column) -> Frame:
    """Return the frame with more point sources of `flux` in its unit, without photon noise."""
    return replace(frame, data=(frame.data + point_sources(frame.shape, x, y, flux, psf)).astype(np.float32))


def far_from(shape: tuple[int, int], x: Column, y: Column, radius: float) -> NDArray[np.bool_]:
    """Return the pixels that are further than `radius` from every position."""
    v, u = np.indices(shape)
    out = np.ones(shape, dtype=bool)
    for a, b in zip(x, y, strict=True):
        out &= (u - a) ** 2 + (v - b) ** 2 > radius**2
    return out


def made_of(score: NDArray[np.floating], *, sigma_psf: float = 1.3, **changes) -> Difference:
    """Return a difference that says what the test wants: every image is `score` unless told otherwise."""
    image = score.astype(np.float32)
    stamp = gaussian_stamp(sigma_psf)

    def psf(_x: float, _y: float) -> NDArray[np.float64]:
        return stamp

    usual: dict = {
        "difference": image,
        "score": image,
        "flux": image,
        "flux_error": np.ones_like(image),
        "mask": ~np.isfinite(image),
        "psf_d": psf,
        "spike": lambda x, y, is_in_reference: stamp,
        "noise": 1.0,
        "flux_scale": Surface.constant(1.0, image.shape),
        "shift_px": (0.0, 0.0),
        "noise_rescale": 1.0,
        "science": np.zeros_like(image),
        "reference": np.zeros_like(image),
        "psf_science": psf,
        "psf_reference": psf,
        "diagnostics": DIAGNOSTICS,
    }
    return Difference(**{**usual, **changes})


# A field of Gaussian stars for photometry.
STAR_FIELD = (220, 300)


def no_mask(shape=STAR_FIELD):
    return np.zeros(shape, dtype=bool)


def star_grid(step=40, shape=STAR_FIELD, jitter_seed=1):
    """Star positions `step` px apart, each somewhere within its pixel."""
    y, x = (a.ravel().astype(float) for a in np.mgrid[step // 2 : shape[0] : step, step // 2 : shape[1] : step])
    rng = np.random.default_rng(jitter_seed)
    return x + rng.uniform(-0.5, 0.5, x.size), y + rng.uniform(-0.5, 0.5, y.size)


def gaussian_stars(x, y, flux, sigma=1.5, shape=STAR_FIELD):
    out = np.zeros(shape)
    for a, b, f in zip(x, y, np.broadcast_to(flux, x.shape), strict=True):
        out += gaussian(shape, a, b, sigma, flux=f)
    return out


def gaussian_psf(sigma=1.5):
    return lambda _x, _y: gaussian_stamp(sigma)
