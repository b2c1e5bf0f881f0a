"""What an alert says: numbers that are known, words that an astronomer can act on."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.utils import timezone

from curation.models import Alert
from tests import factories
from tests.curation.looks import AB, SHOWS, consider, judge, measured, moving, seen

pytestmark = pytest.mark.django_db


def test_the_last_frame_in_which_nothing_is_measured_at_the_place_is_told_with_its_limit():
    row = seen(days=9.0)
    measured(row.source, 1.0, **AB)
    measured(row.source, 2.0, **AB)
    measured(row.source, 3.0, band="V", **AB)
    measured(row.source, 4.0, reason="masked", **AB)
    measured(row.source, 5.0, reason="outside", **AB)
    # Too faint to be found, or less than in the reference: neither is nothing.
    measured(row.source, 6.0, flux=160.0, **AB)
    measured(row.source, 7.0, flux=-400.0, **AB)
    measured(factories.SourceFactory(), 8.0, **AB)
    measured(row.source, 10.0, **AB)
    consider(row.source)
    alert = Alert.objects.get()
    told = alert.alert_metadata["last_non_detection"]
    assert (told["frame"], told["limiting_mag"]) == ("day2.fits", pytest.approx(19.005, abs=1e-3))
    assert "not detected to 19.0 mag on 2023-02-27 00:00:00 UTC" in alert.message


def test_a_place_that_was_not_measured_before_has_no_frame_without_it():
    row = seen(days=3.0, field=factories.FieldFactory())
    # That this frame shows the place, and that nothing was found in it, is no measurement.
    factories.ObservationFactory(
        field=row.observation.field, status="differenced", mjd_utc=60001.0, footprint=SHOWS, filter_band="R"
    )
    consider(row.source)
    assert Alert.objects.get().alert_metadata["last_non_detection"] is None


def test_what_a_newer_reference_shows_counts_and_not_what_an_older_one_did():
    row = seen(days=3.0)
    now = timezone.now()
    old = measured(row.source, 2.0, difference_run__completed_at=now - dt.timedelta(days=1))
    factories.ForcedPhotometryFactory(
        source=row.source, difference_run__observation=old.observation, difference_run__completed_at=now, flux=300.0,
        limiting_flux=None,
    )  # fmt: skip
    measured(row.source, 1.0)
    consider(row.source)
    assert Alert.objects.get().alert_metadata["last_non_detection"]["frame"] == "day1.fits"


def test_a_frame_with_a_detection_that_was_not_sure_enough_is_no_frame_without_it():
    field = factories.FieldFactory()
    first = seen(score=0.7, status="differenced", field=field)
    measured(first.source, 0.0, observation=first.observation)
    row = seen(first.source, days=1.0, field=field)
    consider(row.source)
    facts = Alert.objects.get().alert_metadata
    assert facts["last_non_detection"] is None
    assert (facts["epochs"], facts["first_detected_at"][:10]) == (2, "2023-02-25")


def test_what_moves_is_told_as_such_and_with_low_priority():
    row = seen(snr=80.0)
    moving(row, seen(days=0.01), seen(days=0.02))
    consider(row.source)
    alert = Alert.objects.get()
    assert alert.title.startswith("Moving object")
    assert "moves by 0.36″ a minute towards 81° east of north, from 3 positions in one night" in alert.message
    assert (alert.alert_metadata["motion_angle_deg"], alert.alert_metadata["tracklet_size"]) == (81.0, 3)
    assert alert.priority == "low"


def test_who_judged_is_told_with_their_confidence_and_who_disagrees():
    row = seen()
    yes, no = judge(row, True, "expert"), judge(row, False, "low")
    consider(row.source)
    alert = Alert.objects.get()
    assert f"Judged real by {yes} (expert confidence). Judged not real by {no} (low confidence)." in alert.message
    told = [(entry["user"], entry["is_valid"]) for entry in alert.alert_metadata["judged_by"]]
    assert told == [(yes.username, True), (no.username, False)]


def test_what_makes_the_brightness_doubtful_is_told():
    row = seen()
    row.candidate.is_saturated = row.candidate.is_edge = True
    row.candidate.save()
    consider(row.source)
    alert = Alert.objects.get()
    assert alert.alert_metadata["flags"] == ["saturated", "edge"]
    assert "brightness is uncertain: near saturated pixels, near the frame's edge." in alert.message


def test_one_frame_is_told_to_need_another_and_two_are_not():
    row = seen()
    consider(row.source)
    assert "One frame cannot tell whether it moves" in Alert.objects.get().message
    seen(row.source, days=1.0, snr=80.0)
    consider(row.source)
    assert "One frame" not in Alert.objects.latest("created_at").message


def test_missing_light_has_no_magnitude_and_says_so():
    row = seen(snr=-30.0)
    row.candidate.is_negative = True
    row.candidate.save()
    factories.PreprocessRunFactory(observation=row.observation, zero_point_mag=19.0, zero_point_error=0.03)
    consider(row.source)
    alert = Alert.objects.get()
    assert alert.alert_metadata["mag"] is None
    assert "fainter than in the reference" in alert.message
    assert "zero point" not in alert.message
    assert "Flux relative to the reference -1500 ± 50 ADU." in alert.message


def test_every_number_that_is_told_is_documented_and_no_other():
    row = seen()
    consider(row.source)
    judge(row, False)
    consider(row.source)
    text = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text().split("## What an alert says")[1]
    cells = re.findall(r"^\| (`.+?`) \|", text.split("\n## ")[0], flags=re.MULTILINE)
    documented = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == set(Alert.objects.latest("created_at").alert_metadata)


def test_an_update_names_what_it_updates():
    row = seen()
    consider(row.source)
    first = Alert.objects.get()
    judge(row, True)
    consider(row.source)
    assert first.alert_metadata["updates"] is None
    assert Alert.objects.latest("created_at").alert_metadata["updates"] == str(first.pk)
