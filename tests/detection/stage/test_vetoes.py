"""Pixels that stay while the sky moves are known of all frames of a night, in whatever order these are judged."""

from __future__ import annotations

import datetime as dt

import pytest

from detection.stage import vetoes
from differencing.models import Candidate
from tests import factories

pytestmark = pytest.mark.django_db

NIGHT = dt.date(2024, 3, 1)
# Where the frames point, arcsec from each other: a night of dithers.
DITHERS = ((0.0, 0.0), (9.0, -14.0), (-17.0, 5.0))
HOT = ((300.0, 400.0), (700.0, 150.0))


@pytest.fixture
def frames():
    field = factories.FieldFactory()
    survey = factories.SurveyFactory()
    shared = {"field": field, "survey": survey, "night": NIGHT, "camera": "A camera", "pixel_scale": 1.0}
    size = {"image_width": 1000, "image_height": 1000}
    return [factories.ObservationFactory(mjd_utc=60370.9 + 0.01 * k, **shared, **size) for k in range(3)]


def seen(frame, number, x, y, *, is_fixed=True):
    """Make a candidate on a pixel of the detector, or where one place of the sky falls in this frame."""
    run = frame.difference_runs.first() or factories.DifferenceRunFactory(observation=frame)
    east, north = DITHERS[number]
    if is_fixed:
        sky = {"ra": 150.0 + (east - x) / 3600.0, "dec": (north + y) / 3600.0}
        return factories.CandidateFactory(difference_run=run, pixel_x=x, pixel_y=y, **sky)
    place = {"pixel_x": x + east, "pixel_y": y - north}
    return factories.CandidateFactory(difference_run=run, ra=150.0 - x / 3600.0, dec=y / 3600.0, **place)


def codes(candidate):
    candidate.refresh_from_db()
    return candidate.veto_codes


def test_a_hot_pixel_is_known_in_the_earlier_frames_once_a_later_one_shows_it(frames):
    first = [seen(frames[0], 0, *pixel) for pixel in HOT]
    assert vetoes.note_night(frames[0]) == []
    assert not any(codes(each) for each in first)
    second = [seen(frames[1], 1, *pixel) for pixel in HOT]
    assert set(vetoes.note_night(frames[1])) == set(first)
    assert all(codes(each) == {"fixed_pixel"} for each in (*first, *second))
    assert "same pixel of the detector in another frame" in first[0].vetoes[0]["message"]
    # What is known is not news.
    assert vetoes.note_night(frames[1]) == []


def test_a_star_that_changes_recurs_on_the_sky_and_not_on_the_detector(frames):
    stars = [seen(frame, k, 500.0, 600.0, is_fixed=False) for k, frame in enumerate(frames)]
    for frame in frames:
        vetoes.note_night(frame)
    assert not any(codes(star) for star in stars)


def test_another_camera_has_other_pixels(frames):
    for k, frame in enumerate(frames[:2]):
        for pixel in HOT:
            seen(frame, k, *pixel)
    type(frames[0]).objects.filter(pk=frames[0].pk).update(camera="Another camera")
    vetoes.note_night(frames[1])
    assert not any(codes(each) for each in Candidate.objects.all())


def test_what_no_longer_recurs_loses_the_veto_and_keeps_its_others(frames):
    other = {"code": "crowded", "value": 5.0, "message": "Many."}
    for k, frame in enumerate(frames[:2]):
        for pixel in HOT:
            seen(frame, k, *pixel)
    kept = frames[1].candidates.first()
    Candidate.objects.filter(pk=kept.pk).update(vetoes=[other])
    vetoes.note_night(frames[1])
    assert codes(kept) == {"crowded", "fixed_pixel"}
    frames[0].candidates.all().delete()
    vetoes.note_night(frames[1])
    assert codes(kept) == {"crowded"}


def footprint(number):
    """Return the corners of a frame on the sky."""
    east, north = DITHERS[number]
    pixels = ((-0.5, -0.5), (999.5, -0.5), (999.5, 999.5), (-0.5, 999.5))
    return [[150.0 + (east - x) / 3600.0, (north + y) / 3600.0] for x, y in pixels]


def reflected(frame, number, x, y):
    """Make a candidate where a star that stands at x, y of the sky is thrown back: half a turn about pixel 499.5."""
    type(frame).objects.filter(pk=frame.pk).update(footprint=footprint(number), wcs_quality="solved")
    east, north = DITHERS[number]
    return seen(frame, number, 999.0 - (x + east), 999.0 - (y - north))


def test_light_that_the_optics_throw_back_moves_against_the_sky(frames):
    for k, frame in enumerate(frames):
        reflected(frame, k, 300.0, 820.0)
        seen(frame, k, 650.0, 410.0, is_fixed=False)
    for frame in frames:
        frame.refresh_from_db()
        vetoes.note_night(frame)
    by_place = {row.pixel_y > 300.0: codes(row) for row in frames[2].candidates.all()}
    assert by_place == {False: {"reflection"}, True: set()}, "a star that changes is on the sky"
    [veto] = frames[0].candidates.get(pixel_y__lt=300.0).vetoes
    assert veto["value"] == 2.0
    assert "In 2 other frames of the night" in veto["message"]


def test_of_frames_that_are_only_pointed_or_not_placed_no_reflection_is_known(frames):
    for k, frame in enumerate(frames):
        reflected(frame, k, 300.0, 820.0)
    type(frames[0]).objects.filter(pk=frames[0].pk).update(footprint=[])
    type(frames[1]).objects.filter(pk=frames[1].pk).update(wcs_quality="nominal")
    for frame in frames:
        vetoes.note_night(frame)
    assert not any(codes(each) for each in Candidate.objects.all())


@pytest.fixture
def night(frames):
    """Three compared frames of the same sky, in which 5 sigma are 226 counts."""
    for frame in frames:
        frame.footprint = [[150.13, -0.13], [149.86, -0.13], [149.86, 0.14], [150.13, 0.14]]
        frame.wcs_quality = "solved"
        frame.save()
        factories.PreprocessRunFactory(observation=frame, transparency=1.0, background_noise=10.0, fwhm_px=3.0)
        factories.DifferenceRunFactory(observation=frame)
    return frames


def flash(frame, flux=10_000.0, **changed):
    run = frame.difference_runs.get()
    place = {"pixel_x": 500.0, "pixel_y": 500.0, "ra": 150.0, "dec": 0.0}
    return factories.CandidateFactory(difference_run=run, flux=flux, flux_error=100.0, **(place | changed))


def test_what_one_frame_alone_shows_is_told_once_the_others_are_there_and_in_words(night):
    bright, faint = flash(night[1]), flash(night[1], flux=500.0, dec=0.05)
    trail = flash(night[1], dec=-0.05, trail_length_arcsec=20.0)
    outside = flash(night[1], dec=0.3)
    vetoes.note_night(night[1])
    assert codes(bright) == {"seen_once"}
    assert bright.vetoes[0]["value"] == 2.0
    assert "2 other frames of the night would have shown it" in bright.vetoes[0]["message"]
    assert not any(codes(each) for each in (faint, trail, outside))


def test_what_a_later_frame_shows_again_is_no_flash_any_more(night):
    first = flash(night[0])
    vetoes.note_night(night[0])
    assert codes(first) == {"seen_once"}
    flash(night[2])
    vetoes.note_night(night[2])
    assert codes(first) == set()


@pytest.mark.parametrize("changed", [{"transparency": None}, {"transparency": 0.04}, {"background_noise": 250.0}])
def test_a_clouded_frame_and_one_of_unknown_depth_tell_nothing(night, changed):
    candidate = flash(night[0])
    night[1].preprocess_runs.update(**changed)
    vetoes.note_night(night[0])
    assert codes(candidate) == set()


def test_a_frame_that_was_not_compared_tells_nothing(night):
    candidate = flash(night[0])
    night[2].difference_runs.all().delete()
    vetoes.note_night(night[0])
    assert codes(candidate) == set()


def test_a_frame_that_is_being_compared_anew_is_known_by_its_former_candidates(night):
    first, again = flash(night[0]), flash(night[1], dec=0.05, pixel_x=640.0, pixel_y=310.0)
    night[1].difference_runs.update(status="running", started_at=dt.datetime(2024, 3, 2, tzinfo=dt.UTC))
    vetoes.note_night(night[0])
    assert codes(first) == codes(again) == {"seen_once"}
