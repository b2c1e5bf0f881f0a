"""How new to the sky and how urgent detections are: what people are shown first."""

from __future__ import annotations

import datetime as dt

import pytest

from catalog.configuration.values import snapshot
from detection.models import Detection, DetectionOrigin, KnownObject, OrbitSet, SearchOutcome, Urgency
from detection.sources.urgency import urgency_of
from detection.stage import ranking
from observations.models import WcsQuality
from tests.factories import (
    CandidateFactory,
    DetectionFactory,
    KnownObjectFactory,
    KnownObjectSearchFactory,
    ObservationFactory,
    OrbitSetFactory,
    PreprocessRunFactory,
)

pytestmark = pytest.mark.django_db
TONIGHT = dt.date(2024, 3, 9)
PLACE = (150.0, 2.0)


def seen(night: dt.date, place=PLACE, status="validated", frame=None, snr=8.0, **values) -> Detection:
    frame = frame or ObservationFactory(night=night, wcs_quality=WcsQuality.SOLVED)
    ra, dec = place
    candidate = CandidateFactory(observation=frame, snr=snr, **values.pop("candidate", {}))
    return DetectionFactory(candidate=candidate, observation=frame, ra=ra, dec=dec, status=status, **values)


def ranked(row: Detection) -> Detection:
    ranking.rank(row.observation)
    row.refresh_from_db()
    return row


def test_novelty_falls_with_every_earlier_night_on_which_something_was_there():
    assert ranked(seen(TONIGHT, status="pending")).novelty == 1.0
    for days in (1, 1, 3):
        seen(TONIGHT - dt.timedelta(days=days))
    seen(TONIGHT - dt.timedelta(days=5), status="rejected")
    seen(TONIGHT + dt.timedelta(days=1))
    seen(TONIGHT - dt.timedelta(days=6), place=(150.0, 2.01))
    nominal = ObservationFactory(night=TONIGHT - dt.timedelta(days=7), wcs_quality=WcsQuality.NOMINAL)
    seen(nominal.night, frame=nominal)
    now = seen(TONIGHT, status="pending")
    beside = seen(TONIGHT, place=(150.0, 2.05), status="pending", frame=now.observation)
    assert ranked(now).novelty == pytest.approx(1 / 3), "two nights, whatever was seen how often on each"
    beside.refresh_from_db()
    assert beside.novelty == 1.0


def test_of_a_nominal_position_no_novelty_is_known_and_what_is_decided_keeps_its_own():
    frame = ObservationFactory(night=TONIGHT, wcs_quality=WcsQuality.NOMINAL)
    row = ranked(seen(TONIGHT, status="pending", frame=frame))
    assert (row.novelty, row.urgency) == (None, Urgency.MEDIUM)
    decided = seen(TONIGHT)
    assert ranked(decided).urgency is None


def test_a_known_body_is_nothing_new():
    row = seen(TONIGHT, status="pending")
    frame = row.observation
    OrbitSetFactory()
    KnownObjectSearchFactory(
        observation=frame, ra=row.ra, dec=row.dec, mjd_utc=frame.mjd_utc, outcome=SearchOutcome.DONE, orbit_count=9
    )
    KnownObjectFactory(observation=frame, ra=row.ra, dec=row.dec, predicted_mag=None)
    assert OrbitSet.objects.exists()
    assert KnownObject.objects.exists()
    assert ranked(row).novelty == 0.0


@pytest.mark.parametrize(
    ("mag", "snr", "is_rising", "expected"),
    [
        (11.0, 8.0, False, Urgency.CRITICAL),
        (12.5, 8.0, True, Urgency.MEDIUM),
        (None, 30.0, True, Urgency.HIGH),
        (None, 300.0, False, Urgency.LOW),
        (None, None, True, Urgency.MEDIUM),
    ],
)
def test_what_is_bright_is_critical_and_what_fades_or_moves_low(mag, snr, is_rising, expected):
    assert urgency_of(mag, snr, is_rising=is_rising, config=snapshot()) == expected


def test_urgency_follows_the_measured_light_of_each_frame():
    frame = ObservationFactory(night=TONIGHT, wcs_quality=WcsQuality.SOLVED)
    PreprocessRunFactory(observation=frame, zero_point_mag=25.0, zero_point_error=0.02)
    bright = seen(TONIGHT, status="pending", frame=frame, candidate={"flux": 10**5.6, "flux_error": 100.0})
    fades = seen(TONIGHT, (150.1, 2.0), "pending", frame, snr=-90.0, candidate={"is_negative": True, "flux": -900.0})
    strong = seen(TONIGHT, (150.2, 2.0), "pending", frame, snr=45.0, origin=DetectionOrigin.PROMOTED)
    ranking.rank(frame)
    urgencies = dict(Detection.objects.filter(observation=frame).values_list("pk", "urgency"))
    assert urgencies == {bright.pk: Urgency.CRITICAL, fades.pk: Urgency.LOW, strong.pk: Urgency.HIGH}
