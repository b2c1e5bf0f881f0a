"""Light curves: what was measured, what was not seen and how deep, and how it is drawn."""

from __future__ import annotations

import pytest

from curation.detections.light_curve import drawing_of, epochs_of
from detection.models import Detection
from tests.curation.looks import SHOWS, seen
from tests.factories import CandidateFactory, FieldFactory, ObservationFactory, PreprocessRunFactory, SourceFactory

pytestmark = pytest.mark.django_db


def frame(field, days: float, **more):
    given = {"field": field, "status": "differenced", "mjd_utc": 60000.0 + days, "footprint": SHOWS}
    return ObservationFactory(**{**given, **more})


def epochs(source):
    return epochs_of(source, list(Detection.objects.filter(source=source).select_related("candidate", "observation")))


def test_a_frame_that_shows_the_place_and_nothing_there_is_a_limit():
    field = FieldFactory()
    row = seen(days=5.0, field=field)
    known = {"zero_point_mag": 25.0, "zero_point_error": 0.02, "zero_point_system": "AB"}
    PreprocessRunFactory(observation=row.observation, **known)
    empty = frame(field, 1.0, filter_band="V")
    PreprocessRunFactory(observation=empty, limiting_magnitude=19.5)
    found = epochs(row.source)
    assert [epoch.frame.mjd_utc for epoch in found] == [60001.0, 60005.0]
    assert (found[0].detection, found[0].mag, found[0].limiting_mag) == (None, None, 19.5)
    assert found[1].detection == row
    assert found[1].mag == pytest.approx(25.0 - 2.5 * 3.09691, abs=1e-3)
    assert found[1].system == "AB"


def test_frames_that_prove_nothing_are_no_limits():
    field = FieldFactory()
    row = seen(days=9.0, field=field)
    frame(field, 1.0, status="preprocessed")
    frame(field, 2.0, footprint=[[ra + 1.0, dec] for ra, dec in SHOWS])
    frame(field, 3.0, footprint=[])
    frame(FieldFactory(), 4.0)
    # A peak that was scored low may be the source all the same.
    CandidateFactory(difference_run__observation=frame(field, 5.0), dec=2.01 + 1.0 / 3600.0)
    assert [epoch.detection for epoch in epochs(row.source)] == [row]


def test_without_a_zero_point_brightness_is_flux_and_missing_light_goes_down():
    first = seen(days=1.0, snr=20.0)
    faded = seen(first.source, days=2.0, snr=-15.0)
    drawing = drawing_of(epochs(first.source))
    assert not drawing.is_in_magnitudes
    marks = {mark.epoch.detection.pk: mark for mark in drawing.marks}
    assert marks[first.pk].y < drawing.zero < marks[faded.pk].y
    assert marks[first.pk].high < marks[first.pk].y < marks[first.pk].low


def test_in_magnitudes_bright_is_up_and_a_limit_stands_at_its_depth():
    field = FieldFactory()
    bright = seen(days=2.0, snr=100.0, field=field)
    faint = seen(bright.source, days=3.0, snr=10.0, field=field)
    for row in (bright, faint):
        PreprocessRunFactory(observation=row.observation, zero_point_mag=25.0, limiting_magnitude=20.0)
    PreprocessRunFactory(observation=frame(field, 1.0), limiting_magnitude=20.0)
    frame(field, 1.5)
    drawing = drawing_of(epochs(bright.source))
    limit, unseen, first, second = drawing.marks
    assert [mark.kind for mark in drawing.marks] == ["limit", "unseen", "measured", "measured"]
    assert first.y < second.y < limit.y < unseen.y == 100.0
    assert 0.0 < limit.x < unseen.x < first.x < second.x < 100.0


def test_each_band_has_a_shape_of_its_own():
    row = seen(days=1.0, filter_band="V")
    seen(row.source, days=2.0, filter_band="R")
    drawing = drawing_of(epochs(row.source))
    assert drawing.bands == ((0, "R"), (1, "V"))
    assert [mark.shape for mark in drawing.marks] == [1, 0]


def test_where_nothing_was_measured_nothing_is_drawn():
    assert epochs(SourceFactory()) == []
    assert drawing_of([]) is None
