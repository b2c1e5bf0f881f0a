"""Light curves: what was measured, what was not seen and how deep, and how it is drawn."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from curation.detections.epochs import epochs_of
from curation.detections.light_curve import drawing_of
from detection.models import Detection
from tests.clients import account
from tests.curation.looks import AB, measured, seen
from tests.factories import ForcedPhotometryFactory, PreprocessRunFactory, ReferenceFactory, SourceFactory

pytestmark = pytest.mark.django_db


def epochs(source):
    rows = Detection.objects.filter(source=source).select_related("candidate", "observation")
    return epochs_of(source, list(rows), account("viewer"))


def test_a_frame_in_which_nothing_is_measured_at_the_place_is_a_limit():
    row = seen(days=5.0)
    PreprocessRunFactory(observation=row.observation, **AB)
    measured(row.source, 1.0, band="V", **AB)
    found = epochs(row.source)
    assert [epoch.frame.mjd_utc for epoch in found] == [60001.0, 60005.0]
    # Five times the error of 50 counts.
    assert (found[0].detection, found[0].mag) == (None, None)
    assert found[0].limiting_mag == pytest.approx(25.0 - 2.5 * 2.39794, abs=1e-3)
    assert found[1].detection == row
    assert found[1].mag == pytest.approx(25.0 - 2.5 * 3.09691, abs=1e-3)
    assert found[1].system == "AB"


def test_what_was_measured_without_a_detection_is_a_magnitude_from_3_sigma_on():
    row = seen(days=5.0)
    measured(row.source, 1.0, flux=200.0, **AB)
    (epoch, _) = epochs(row.source)
    assert (epoch.detection, epoch.limiting_mag) == (None, None)
    assert (epoch.mag, epoch.system) == (pytest.approx(25.0 - 2.5 * 2.30103, abs=1e-3), "AB")
    # 1.0857 x 50 / 200, and 0.02 of the zero point.
    assert epoch.mag_error == pytest.approx(0.2722, abs=1e-3)


def test_frames_that_prove_nothing_are_no_limits():
    row = seen(days=9.0)
    measured(row.source, 1.0, reason="outside")
    measured(row.source, 2.0, reason="masked", **AB)
    (masked, detected) = epochs(row.source)
    assert (masked.limiting_mag, masked.mag, masked.flux) == (None, None, None)
    assert masked.trouble == "too many pixels are masked there"
    assert detected.detection == row


def test_of_two_references_the_newest_difference_counts():
    row = seen(days=5.0)
    now = timezone.now()
    new = measured(row.source, 1.0, flux=300.0, difference_run__completed_at=now)
    ForcedPhotometryFactory(
        source=row.source, difference_run__observation=new.observation, flux=-300.0, limiting_flux=None,
        difference_run__completed_at=now - dt.timedelta(days=1),
    )  # fmt: skip
    assert [epoch.flux for epoch in epochs(row.source)] == [300.0, 25 * 50.0]


def test_the_numbers_of_a_detection_stand_before_those_of_its_place():
    row = seen(days=5.0)
    ForcedPhotometryFactory(
        source=row.source, difference_run__observation=row.observation, flux=1240.0, limiting_flux=None,
        total_flux=5000.0, total_flux_error=60.0,
    )  # fmt: skip
    (epoch,) = epochs(row.source)
    assert (epoch.flux, epoch.total_flux, epoch.detection) == (1250.0, 5000.0, row)


def test_a_baseline_that_the_reference_holds_is_taken_off_and_told():
    row = seen(days=100.0)
    PreprocessRunFactory(observation=row.observation, **AB)
    reference = ReferenceFactory()
    for day in range(8):
        # Frames through haze: half the light, and the zero point says so.
        haze = {"zero_point_mag": 25.0 - 0.75257} if day % 2 else {}
        factor = 0.5 if day % 2 else 1.0
        measured(row.source, float(day), flux=-400.0 * factor, difference_run__reference=reference, **{**AB, **haze})
    measured(row.source, 95.0, flux=-400.0, difference_run__reference=reference, **AB)
    found = epochs(row.source)
    assert [epoch.flux for epoch in found[:9]] == pytest.approx([0.0] * 9, abs=1.0)
    assert all(epoch.limiting_flux is not None for epoch in found[:9])
    (told,) = drawing_of(found).corrections
    assert (told.version, told.band, told.baseline.epochs) == (reference.version, "R", 8)
    assert told.baseline.flux == pytest.approx(-400.0, abs=1.0)
    # Measured against another reference, or none that is known: it stays as it is.
    assert (found[9].flux, found[9].correction) == (1250.0, None)


def test_without_a_zero_point_brightness_is_flux_and_missing_light_goes_down():
    first = seen(days=1.0, snr=20.0)
    faded = seen(first.source, days=2.0, snr=-15.0)
    measured(first.source, 3.0)
    drawing = drawing_of(epochs(first.source))
    assert not drawing.is_in_magnitudes
    marks = {mark.epoch.detection.pk if mark.epoch.detection else None: mark for mark in drawing.marks}
    assert marks[first.pk].y < drawing.zero < marks[faded.pk].y
    assert marks[first.pk].high < marks[first.pk].y < marks[first.pk].low
    assert marks[None].kind == "forced"
    assert marks[None].high < marks[None].y < drawing.zero < marks[None].low


def test_in_magnitudes_bright_is_up_and_a_limit_stands_at_its_depth():
    bright = seen(days=2.0, snr=100.0)
    faint = seen(bright.source, days=3.0, snr=10.0)
    for row in (bright, faint):
        PreprocessRunFactory(observation=row.observation, zero_point_mag=25.0)
    measured(bright.source, 1.0, **AB)
    measured(bright.source, 1.5)
    measured(bright.source, 1.7, flux=180.0, **AB)
    drawing = drawing_of(epochs(bright.source))
    limit, unseen, there, first, second = drawing.marks
    assert [mark.kind for mark in drawing.marks] == ["limit", "unseen", "forced", "measured", "measured"]
    assert first.y < second.y < limit.y < unseen.y == 100.0
    assert second.y < there.y < unseen.y
    assert 0.0 < limit.x < unseen.x < there.x < first.x < second.x < 100.0
    assert limit.words.endswith("not detected to 19.0 mag")
    assert there.words.endswith("19.36 ± 0.30 mag, forced photometry")


def test_each_band_has_a_shape_of_its_own():
    row = seen(days=1.0, filter_band="V")
    seen(row.source, days=2.0, filter_band="R")
    drawing = drawing_of(epochs(row.source))
    assert drawing.bands == ((0, "R"), (1, "V"))
    assert [mark.shape for mark in drawing.marks] == [1, 0]


def test_where_nothing_was_measured_nothing_is_drawn():
    assert epochs(SourceFactory()) == []
    assert drawing_of([]) is None


def test_fluxes_of_frames_with_different_zero_points_are_brought_to_one():
    first = seen(days=0.0, snr=100.0)
    second = seen(first.source, days=1.0, snr=50.0)
    for row, zero_point in ((first, 25.0), (second, 25.0 - 0.75257)):
        PreprocessRunFactory(observation=row.observation, zero_point_mag=zero_point)
    measured(first.source, 0.1, flux=20.0, **AB)
    measured(first.source, 0.2, flux=20.0)
    drawing = drawing_of(epochs(first.source), in_flux=True)
    assert drawing.unit.value == "ADU at 25 mag"
    one, faint, unknown, other = drawing.marks
    assert one.y == pytest.approx(other.y, abs=0.1)
    assert (faint.kind, unknown.kind) == ("forced", "unseen"), "a limit is a flux with its error here"
    assert faint.y < drawing.zero < faint.low


def test_nights_stand_side_by_side_or_time_runs_through():
    row = seen(days=0.0)
    for days in (0.01, 10.0, 10.01):
        seen(row.source, days=days)
    found = epochs(row.source)
    beside, through = drawing_of(found), drawing_of(found, most_nights=0)
    assert [round(place) for place in beside.dividers] == [50]
    assert [text for _, text in beside.days] == ["2023-02-25", "07 Mar"]
    assert beside.marks[1].x - beside.marks[0].x > 10.0
    assert through.marks[1].x - through.marks[0].x < 1.0
    assert (through.dividers, through.width_px) == ((), 0.0)
