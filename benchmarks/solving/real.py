"""Real frames with their pointing and scale forgotten, against catalogues of their own stars."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from astropy.wcs import WCS

from benchmarks.differencing.methods import Configured
from benchmarks.differencing.real_frames import real_frames
from benchmarks.solving.problems import Problem, around, claim, random_wcs, reach_deg, spoilt
from observations.numerics.frame import Frame
from preprocessing.numerics.astrometry.solution import Catalogue

# Arcseconds a pixel of the real frames, as their headers or their observatories say.
SCALES_ARCSEC = {
    "pair_eso085-030": 1.0,
    "pair_lt_rise_ucwd": 0.53,
    "pair_jwst_nircam_a2744": 0.031,
    "seq_hatp32_microobs": 5.2,
    "raw_asteroid2713_20181017": 1.18,
}
# Beyond these the sky around a frame is left empty: a space telescope's field is a ten thousandth of what is searched.
MOST_AROUND = 300_000


def problems_of(name: str, config: Configured, draws: int, *, is_filled: bool) -> Iterator[Problem]:
    """Yield each frame of a folder at several random places of the sky.

    is_filled : the searched sky is as full of stars as the frame, where that is not more than anybody's catalogue.
    """
    for number, (file, frame) in enumerate(real_frames(name, config)):
        for draw in range(draws):
            rng = np.random.default_rng([number, draw, len(name), is_filled])
            yield _problem(rng, f"{name}/{file} {draw}", frame, SCALES_ARCSEC[name], is_filled)


def _problem(rng: np.random.Generator, name: str, frame: Frame, scale_arcsec: float, is_filled: bool) -> Problem:
    stars, shape = frame.stars, frame.shape
    if stars is None:
        raise ValueError(f"{name} has no stars")
    truth = random_wcs(rng, shape, scale_arcsec)
    magnitude = -2.5 * np.log10(np.maximum(stars.flux, 1e-30))
    ra, dec = truth.all_pix2world(stars.x, stars.y, 0)
    false = rng.random((len(stars), 2)) * shape[::-1]
    false_ra, false_dec = truth.all_pix2world(false[:, 0], false[:, 1], 0)
    sky = spoilt(rng, Catalogue(ra, dec, magnitude), false_ra, false_dec)
    if is_filled:
        sky = _with_sky_around(rng, sky, truth, shape)
    kind = "sky around filled" if is_filled else "own stars only"
    return Problem(name, kind, stars.xy, stars.flux, shape, claim(rng, truth, shape), sky, truth)


def _with_sky_around(rng: np.random.Generator, sky: Catalogue, truth: WCS, shape: tuple[int, int]) -> Catalogue:
    reach = reach_deg(truth, shape)
    scale_deg = float(np.sqrt(abs(np.linalg.det(truth.pixel_scale_matrix))))
    count = int(sky.ra_deg.size * np.pi * reach**2 / (shape[0] * shape[1] * scale_deg**2))
    xy = around(rng, truth, shape, reach, min(count, MOST_AROUND))
    outside = ~((xy > 0) & (xy < np.array(shape[::-1]) - 1)).all(axis=1)
    ra, dec = truth.all_pix2world(*xy[outside].T, 0)
    magnitude = np.concatenate([sky.magnitude, rng.choice(sky.magnitude, ra.size)])
    return Catalogue(np.concatenate([sky.ra_deg, ra]), np.concatenate([sky.dec_deg, dec]), magnitude)
