"""No public numeric of preprocessing and differencing writes to an array that it was given.

Those of observations and detection are watched while their own tests run.
"""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.movers.skies import MAIN_BELT, SkyParameters, sky_of
from differencing.numerics import (
    align,
    choice,
    colour,
    display,
    extrapolation,
    mapped_psf,
    matched,
    measure,
    movers,
    noise,
    peaks,
    profiles,
    pyramid,
    refraction,
    shifted,
    spikes,
    stack,
    tiles,
    tracklets,
    trailed,
    wide,
    zogy,
)
from differencing.numerics import pair as pair_numerics
from differencing.numerics.vetoes import examine, fixed_pixels, seen_once, shapes
from observations.numerics.fits.facts import FrameFacts
from observations.numerics.fits.wcs import nominal_wcs
from observations.numerics.frame import Frame
from preprocessing.numerics import (
    calibrate,
    line_psf,
    look_alike,
    mosaic,
    preprocess,
    quality,
    sampling,
    sky_flat,
    sources,
    trailed_stars,
    zero_point,
)
from preprocessing.numerics.astrometry import claims, errors, identify, matching, plate_search, soft_match, solution
from preprocessing.numerics.astrometry.frames import match_frames
from tests.differencing.numerics.scenes import pair_of
from tests.inputs import Watch, public_numerics, watch_over
from tests.parameters import LIMITS, PREPROCESSING, STACK, THRESHOLD_SIGMA, TRACKLETS, ZOGY
from tests.preprocessing.numerics.scenes import line_field

ROOMS = ("preprocessing.numerics", "differencing.numerics")


@pytest.fixture
def watch(monkeypatch) -> Watch:
    return watch_over(monkeypatch, *ROOMS)


WITHOUT_ARRAYS = {
    "differencing.numerics.display.factor_for",
    "differencing.numerics.display.palette",
    "differencing.numerics.pyramid.top_level",
    "differencing.numerics.noise.white_correlation",
    "differencing.numerics.pair.moffat",
    "preprocessing.numerics.astrometry.errors.solution_error_px",
    "preprocessing.numerics.astrometry.solution.check_wcs",
    "preprocessing.numerics.astrometry.solution.registration_quality",
    "preprocessing.numerics.calibrate.parse_section",
    "preprocessing.numerics.clean.is_mosaic",
    "preprocessing.numerics.doubts.doubts_of_sampling",
    "preprocessing.numerics.quality.depth_loss_mag",
    "preprocessing.numerics.quality.depth_mag",
    "preprocessing.numerics.sampling.kernel_of",
    "preprocessing.numerics.sampling.noise_share",
    "preprocessing.numerics.sampling.width_before",
    "preprocessing.numerics.zero_point.limiting_magnitude",
}


@dataclasses.dataclass(frozen=True)
class Raw:
    """A delivered frame."""

    data: np.ndarray
    facts: FrameFacts


def raw_light(seed: int, moved_px: float = 0.0) -> Raw:
    """Return a light with a bias level, a saturated star, a cosmic ray, a trail, a hot column and a vignette."""
    pair = pair_of(seed, shape=(256, 256), n_stars=90)
    image = np.roll(pair.science.data, round(moved_px), axis=1) + 100.0
    y, x = np.indices(image.shape)
    image *= np.where(np.hypot(x - 128, y - 128) > 155, 0.3, 1.0)
    image[:, 60] += 300.0
    image[100, 33:36] += 4000.0
    image[np.abs(y - 0.5 * x - 40) < 2] += 200.0
    image = np.minimum(image, np.percentile(image, 99.95)).astype(np.float32)
    facts = FrameFacts(kind="light", width=256, height=256, exposure_s=60.0, gain_e_per_adu=1.5, saturation=6e4)
    return Raw(image, facts)


def a_night() -> None:
    """Go through preprocessing, astrometry and differencing with small frames."""
    rng = np.random.default_rng(3)
    exposures = [calibrate.Exposure(exposure_s=60.0)] * 3
    bias = calibrate.master_bias([rng.normal(100.0, 3.0, (256, 256)).astype(np.float32) for _ in range(3)])
    darks = [rng.normal(104.0, 3.0, (256, 256)).astype(np.float32) for _ in range(3)]
    dark = calibrate.master_dark(darks, exposures, bias)
    flats = [rng.normal(20100.0, 150.0, (256, 256)).astype(np.float32) for _ in range(3)]
    flat = calibrate.master_flat(flats, exposures, bias, dark)
    lights = [raw_light(5, 12.0 * k) for k in range(3)]
    sky_flat.sky_flat([light.data for light in lights], [light.data > 5000 for light in lights])
    masters = calibrate.Masters(bias, dark, flat)
    done = [preprocess.preprocess(light, masters, PREPROCESSING) for light in lights]
    quality.gate(done[0].quality, [each.quality for each in done[1:]], LIMITS)
    frames = [each.frame for each in done]
    sampling.smoothed(frames[0].data)
    sampling.smoothed_mask(frames[0].mask)
    sampling.smoothed_variance(frames[0].variance)
    colours()
    places = astrometry(frames)
    aligned = [frames[0], *(align.align(f, t, frames[0].shape) for f, t in zip(frames[1:], places, strict=True))]
    stacked(aligned)
    stack.flux_scale(
        frames[0].stars, frames[0].stars, np.arange(len(frames[0].stars))[:, None].repeat(2, 1), frames[0].shape
    )
    mapped_psf.map_psf(frames[1].psf, places[0], frames[0].shape)
    subtraction()
    movers_of_many_frames()
    movers_of_several_nights()


def colours() -> None:
    """Clean a frame of a camera of colours, and one that is no light."""
    light = raw_light(5)
    response = np.tile(np.array([[0.7, 1.0], [1.0, 0.5]], dtype=np.float32), (128, 128))
    raw = Raw(light.data * response, replace(light.facts, bayer_pattern="RGGB"))
    preprocess.preprocess(raw, None, PREPROCESSING)
    mosaic.evened(raw.data, raw.data > 5000)
    look_alike.looks_like(raw.data, raw.facts, 10.0, 0, 10)


def stacked(frames: list[Frame]) -> stack.Stacked:
    """Stack frames on one grid."""
    members = []
    for frame in frames:
        image = np.where(frame.mask, np.float32(np.nan), frame.data - np.median(frame.data[~frame.mask]))
        psf = frames[0].psf(100.0, 100.0)
        members.append(stack.StackMember(lambda low, high, image=image: image[low:high], 10.0, frame.gain, psf))
    return stack.stack(members, frames[0].shape, parameters=STACK)


def astrometry(frames: list[Frame]) -> list[matching.Transform]:
    """Match the frames with the first, and solve it against a catalogue of its own stars."""
    first = frames[0].stars
    matches = [matching.match_stars(first.xy, first.flux, f.stars.xy, f.stars.flux) for f in frames[1:]]
    match_frames((frames[0], first), (frames[1], frames[1].stars), matching.MatchParameters())
    quality.relative_transparency(first.flux[matches[0].source_index], frames[1].stars.flux[matches[0].target_index])
    residuals = np.column_stack(matches[0].transform(first.x, first.y)) - first.xy
    errors.match_error_px(residuals, errors.centroid_errors_px(frames[0].stars), 3)
    wcs = nominal_wcs(150.0, 2.0, 1.0, frames[0].shape)
    ra, dec = wcs.all_pix2world(first.x, first.y, 0)
    catalogue = solution.Catalogue(ra, dec, -2.5 * np.log10(first.flux))
    pointing = solution.Pointing(150.0, 2.0, 1.0, radius_deg=0.1)
    solved = solution.solve_with_catalogue(first.xy, first.flux, frames[0].shape, pointing, catalogue)
    solution.wcs_from_match(solved.wcs, matches[0].transform, frames[0].shape)
    plate_search.brightest(first.xy, first.flux, 50)
    soft_match.align_softly(first.xy, frames[1].stars.xy, matches[0].transform, error_px=1.0)
    claims.doubts_of_header(wcs, solved.wcs, frames[0].shape, 0.1)
    trailed_stars.are_trailed(first)
    lines_of_a_comets_night()
    star, known = identify.identify_stars(first.xy, solved.wcs, catalogue, 2.0)
    photometry = zero_point.Photometry(catalogue.magnitude[known], "its own", "r", "AB")
    zero_point.doubts_of_zero_point(zero_point.zero_point(first.flux[star], first.flux_error[star], photometry), "r")
    return [match.transform for match in matches]


def lines_of_a_comets_night() -> None:
    """Measure an image whose stars are lines."""
    field = line_field(5, 16.0, 0.4, size=300)
    found = sources.measure_sources(field.image, field.no_mask, background=400.0, noise=20.0)
    sources.with_total_flux(found, field.image, field.no_mask, background=400.0, noise=20.0)
    line_psf.stars_without_psf(trailed_stars.find_lines(field.image, field.no_mask, background=400.0, noise=20.0), 3.0)
    quality.gate_trailed(quality.Quality(100.0, 10.0, 0.0), (), LIMITS)


def subtraction() -> None:
    """Subtract a pair with a transient, measure, draw and link."""
    pair = pair_of(7, n_transients=5)
    science = replace(pair.science, variance=np.full(pair.science.shape, 100.0, dtype=np.float32))
    difference = zogy.subtract(science, pair.reference, parameters=ZOGY)
    matched.subtract(science, pair.reference, parameters=ZOGY)
    choice.subtract(science, pair.reference, algorithm=choice.MATCHED, parameters=ZOGY)
    found = peaks.find(difference, threshold_sigma=THRESHOLD_SIGMA)
    measured = measure.measure(difference, found, pair.science)
    examine.examine(difference, measured, examine.filled_pixels(pair.science))
    shapes.Shapes(difference, measured)
    there = refraction.Exposed(60_000.0, 30.0, 0.0, 150.0, 2.0)
    refraction.shift_per_colour("r")
    refraction.zenith_pull(there)
    refraction.largest_shift_px(there, [there], "r", nominal_wcs(150.0, 2.0, 1.0, pair.science.shape))
    fixed = fixed_pixels.Seen(*np.arange(5.0)[:, None].repeat(3, 1), np.arange(3), 1e4)
    fixed_pixels.recurrences(fixed)
    fixed_pixels.reflections(fixed, np.arange(6.0).reshape(3, 2))
    frames = seen_once.Frames(np.arange(3.0), np.full(3, 21.0), np.full(3, "r"))
    flashes = seen_once.Peaks(*np.arange(3.0)[:, None].repeat(3, 1), np.arange(3))
    seen_once.seen_once(flashes, frames, np.ones((3, 3), dtype=bool), 1.0)
    pair_numerics.constant_psf(difference.psf_d(50.0, 60.0))
    shown = [display.block_mean(image, difference.mask, 2) for image in (difference.science, difference.reference)]
    display.shared_codes(*shown)
    display.difference_codes(*display.block_mean(difference.difference, difference.mask, 2))
    display.score_codes(*display.block_mean(difference.score, difference.mask, 2))
    plane = pyramid.Plane(difference.difference, difference.mask)
    pyramid.pack(pyramid.tile(plane, 1, 0, 0)[0])
    pyramid.sample(plane, 1)
    shape = profiles.Peak(60.0, 60.0, 1e3, 4.0, 0.4, 0.0)
    scene = profiles.Scene(difference.difference, difference.mask, 1.0, None)
    trailed.fit_trail(scene, shape, difference.psf_d(60.0, 60.0), 3.0)
    wide.fit_coma(scene, shape, difference.psf_d(60.0, 60.0), 3.0)
    profiles.window_about(scene, shape, 4.0, 3.0)
    rows = np.array([(150.0 + 0.001 * k, 2.0 + 0.001 * k, 60000.0 + 0.02 * k, k) for k in range(4)])
    seen = tracklets.Sightings(
        *rows[:, :3].T, rows[:, 3].astype(int), np.ones(len(rows)), np.ones(len(rows), dtype=bool), *rows[:, :2].T,
        np.zeros(len(rows)), np.ones(len(rows)), np.zeros(len(rows), dtype=bool),
    )  # fmt: skip
    tracklets.link(seen, parameters=TRACKLETS)
    spikes.are_spikes(difference, found)
    noise.sigma_of_good(difference.difference, difference.mask)
    noise.noise_power(np.eye(7)[3][:, None] * np.eye(7)[3], (32, 32))
    tiles.shift_ramp(torch.zeros(2), torch.ones(2), (32, 32))
    stars = np.linspace(1e3, 1e4, 20)
    colour.colour_term(stars, stars, np.full(20, 0.01), np.linspace(0.0, 1.0, 20))


def movers_of_many_frames() -> None:
    """Shift and add the scores of a night of six frames without a source."""
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(6, 64, 64)).astype(np.float32)
    where = tuple(a.astype(float) for a in np.indices((64, 64))[::-1])
    moved = np.stack([align.resample(score, where, order=1) for score in scores])
    night = shifted.Night(
        lambda frame, low, high: moved[frame, low:high], (64, 64), np.arange(6) * 10.0, np.ones(6), 3.0
    )
    wanted = shifted.ShiftParameters(0.1, 0.5, 1.0)
    assert len(shifted.motions(night, wanted))
    shifted.find_motions(night, wanted)


def movers_of_several_nights() -> None:
    """Join the tracklets of two nights, one of an asteroid and one of chance in each."""
    seen, _ = sky_of(SkyParameters(seed=3, kinds=(MAIN_BELT,), nights=(0, 2), chance=1))
    assert movers.join(seen, max_days=14)
    days = np.arange(4) / 48.0
    movers.two_points(days, 150.0 + 0.1 * days, 2.0 + 0.1 * days, np.ones(4))
    sightings = extrapolation.Seen(60200.0 + days, 150.0 + 0.1 * days, 2.0 + 0.1 * days, np.full(4, 0.3))
    extrapolation.along_line(sightings, 60210.0)
    extrapolation.fitted(sightings, None)


def test_a_night_leaves_every_array_that_a_public_numeric_was_given_as_it_was(watch):
    a_night()
    assert watch.written == set()
    # What the night does not reach is not proved: a new numeric has its place in it.
    assert public_numerics(*ROOMS).keys() - watch.called - WITHOUT_ARRAYS == set()


def test_a_numeric_that_writes_to_its_input_is_seen(watch):
    def spoils(frame: Frame, *, sky: float) -> None:
        frame.data[3, 4] -= sky

    watch.over("planted", spoils)(replace(pair_of(7).science, data=pair_of(7).science.data.copy()), sky=1.0)
    assert watch.written == {"planted: [0].data"}
