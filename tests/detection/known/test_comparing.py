"""What is said of detections: known, not known or cannot say, with the age of the orbits, and few queries."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from detection.known.comparing import Verdict, known_near, known_near_each
from detection.models import SearchOutcome
from observations.models import WcsQuality
from tests.factories import (
    DetectionFactory,
    KnownObjectFactory,
    KnownObjectSearchFactory,
    OrbitSetFactory,
    PreprocessRunFactory,
)

pytestmark = pytest.mark.django_db


def searched(detection, *, days_old=3, **values):
    at = timezone.now() - dt.timedelta(days=days_old)
    return KnownObjectSearchFactory(observation=detection.observation, orbits_at=at, **values)


def body(detection, north_arcsec=0.0, **values):
    dec = detection.dec + north_arcsec / 3600.0
    return KnownObjectFactory(observation=detection.observation, ra=detection.ra, dec=dec, **values)


def test_a_body_at_the_place_is_named_with_distance_magnitude_and_age():
    detection = DetectionFactory()
    searched(detection)
    body(detection, 0.4, designation="(2713) Luxembourg")
    known = known_near(detection)
    assert known.verdict == Verdict.KNOWN
    assert known.sentence == "known: (2713) Luxembourg, 0.4″ away, V 16.8, orbits of 3 days ago"
    (near,) = known.objects
    assert near.separation_arcsec == pytest.approx(0.4, abs=1e-6)
    assert (near.designation, near.predicted_mag, near.uncertainty_parameter) == ("(2713) Luxembourg", 16.8, 0)
    assert near.orbit_epoch.year == 2024
    assert known.orbit_count == 1_300_000


def test_where_no_body_is_the_sentence_says_by_how_many_orbits_of_when():
    detection = DetectionFactory()
    searched(detection, vague_count=90_123)
    body(detection, 300.0)
    known = known_near(detection)
    assert known.verdict == Verdict.NOT_KNOWN and known.objects == ()
    assert known.sentence == (
        "no known asteroid within 30″ (1.3 million orbits of 3 days ago; 90 123 more are too uncertain to say "
        "where they are)"
    )


@pytest.mark.parametrize(
    ("days", "age"), [(0, "of today"), (1, "of yesterday"), (2, "of 2 days ago"), (-3, "of today")]
)
def test_the_age_is_said_as_one_speaks_of_it(days, age):
    detection = DetectionFactory()
    searched(detection, days_old=days + 0.01)
    assert f"orbits {age}" in known_near(detection).sentence


def test_by_old_orbits_nothing_is_called_unknown_but_what_they_lead_to_is_known():
    detection = DetectionFactory()
    searched(detection, days_old=400)
    known = known_near(detection)
    assert known.verdict == Verdict.CANNOT_SAY
    assert known.sentence == "cannot say: the orbits are 400 days old, and none of them leads here"
    body(detection, 1.0)
    assert known_near(detection).verdict == Verdict.KNOWN
    set_value("known_objects.max_orbit_age_days", 500, MACHINE)
    other = DetectionFactory()
    searched(other, days_old=400)
    assert known_near(other).verdict == Verdict.NOT_KNOWN


def test_without_orbits_nothing_can_be_said():
    assert known_near(DetectionFactory()).sentence == (
        "cannot say: no orbits are loaded (manage.py known_objects load)"
    )


def test_a_frame_that_was_not_computed_yet_says_so():
    OrbitSetFactory()
    known = known_near(DetectionFactory())
    assert known.verdict == Verdict.CANNOT_SAY
    assert known.sentence == (
        "cannot say: no known objects were computed for this frame yet (manage.py known_objects update)"
    )


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (SearchOutcome.NO_EPHEMERIDES, "the ephemerides are not installed (make ephemerides)"),
        (SearchOutcome.NONE_USABLE, "none of the loaded orbits tells where its body was when the frame was taken"),
        (SearchOutcome.NO_SIZE, "how much of the sky the frame shows"),
    ],
)
def test_what_could_not_be_computed_is_never_unknown(outcome, why):
    detection = DetectionFactory()
    searched(detection, outcome=outcome)
    known = known_near(detection)
    assert known.verdict == Verdict.CANNOT_SAY and why in known.sentence


def test_where_most_orbits_say_nothing_of_the_frames_time_the_few_others_do_not_make_it_unknown():
    detection = DetectionFactory()
    searched(detection, orbit_count=5_000, vague_count=1_400_000)
    known = known_near(detection)
    assert known.verdict == Verdict.CANNOT_SAY
    assert known.sentence == (
        "cannot say: 1.4 million of the loaded orbits do not tell where their bodies were when the frame was taken, "
        "and none of the other 5000 leads here"
    )
    body(detection, 1.0)
    assert known_near(detection).verdict == Verdict.KNOWN


def test_a_nominal_position_is_compared_with_nothing():
    detection = DetectionFactory()
    searched(detection)
    body(detection)
    detection.observation.wcs_quality = WcsQuality.NOMINAL
    detection.observation.save()
    assert known_near(detection).sentence == "cannot say: the frame’s position is from pointing and optics only"


@pytest.mark.parametrize("change", [{"mjd_utc": 60371.0}, {"ra": 151.0}])
def test_what_was_computed_for_another_time_or_place_does_not_count(change):
    detection = DetectionFactory()
    searched(detection, **change)
    body(detection)
    known = known_near(detection)
    assert known.verdict == Verdict.CANNOT_SAY and "was corrected since" in known.sentence


def test_an_orbit_of_little_worth_leaves_it_open():
    detection = DetectionFactory()
    searched(detection)
    body(detection, 120.0, designation="2024 AB1", along_error_arcsec=80.0, error_angle_deg=0.0)
    known = known_near(detection)
    assert known.verdict == Verdict.CANNOT_SAY
    assert known.sentence == (
        "cannot say: 2024 AB1, V 16.8 may be anywhere within 240″ of a place 120″ away, orbits of 3 days ago"
    )


def test_a_body_far_fainter_than_what_was_measured_is_named_and_is_not_it():
    detection = DetectionFactory()
    # 20.0 + as many magnitudes as the flux has.
    PreprocessRunFactory(
        observation=detection.observation, zero_point_mag=20.0, zero_point_error=0.05, zero_point_system="AB"
    )
    searched(detection)
    body(detection, 1.0, designation="2024 AB1", predicted_mag=24.0)
    known = known_near(detection)
    assert known.verdict == Verdict.NOT_KNOWN
    assert known.sentence == (
        "no known asteroid or comet is here (1.3 million orbits of 3 days ago); 2024 AB1, 1.0″ away, V 24.0, is too "
        "far or too faint to be it"
    )
    assert known.objects[0].is_too_faint


def test_the_brightness_of_a_comet_is_its_total_magnitude():
    detection = DetectionFactory()
    searched(detection)
    body(detection, 0.2, designation="C/2023 A1 (Test)", is_comet=True, predicted_mag=12.3)
    assert "total magnitude 12.3" in known_near(detection).sentence


def test_a_site_that_is_not_known_is_told():
    detection = DetectionFactory()
    searched(detection, is_geocentric=True)
    body(detection, 0.2)
    assert known_near(detection).sentence.endswith("(seen from the Earth’s centre: the site is not known)")
    assert known_near(detection).is_geocentric


def test_many_detections_of_many_frames_take_as_many_queries_as_one(django_assert_max_num_queries):
    rows = [DetectionFactory() for _ in range(6)]
    for row in rows[:5]:
        searched(row)
        body(row, 1.0)
    with django_assert_max_num_queries(6):
        answers = known_near_each(rows)
    assert [answers[row.pk].verdict for row in rows] == [*[Verdict.KNOWN] * 5, Verdict.CANNOT_SAY]
