"""What moves on a line in one field and night is a tracklet; a repeat replaces them and keeps those that stay."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from differencing.ids import field_night
from differencing.models import Candidate, CandidateStatus, Tracklet
from differencing.stage import tracklets
from tests import factories

pytestmark = pytest.mark.django_db

NIGHT = dt.date(2024, 3, 1)
RATE = 0.5  # arcsec/min, a main-belt asteroid
DEC = 22.0


@pytest.fixture
def field():
    return factories.FieldFactory()


@pytest.fixture
def frames(field):
    """Four frames of one night, 15 minutes apart."""
    return [
        factories.ObservationFactory(field=field, night=NIGHT, mjd_utc=60370.9 + k * 15.0 / 1440.0) for k in range(4)
    ]


def at(frame, east, north, status=CandidateStatus.DETECTED, **values):
    """Make a candidate at arcseconds from the field's middle."""
    run = frame.difference_runs.first() or factories.DifferenceRunFactory(observation=frame)
    ra, dec = 150.0 + east / 3600.0 / np.cos(np.radians(DEC)), DEC + north / 3600.0
    return factories.CandidateFactory(difference_run=run, ra=ra, dec=dec, status=status, **values)


def asteroid(frames, angle_deg=60.0, start=0.0, **values):
    """Make one candidate a frame on a line towards a position angle, from arcseconds south of the middle."""
    step = RATE * 15.0
    east, north = step * np.sin(np.radians(angle_deg)), step * np.cos(np.radians(angle_deg))
    return [at(frame, k * east, k * north - start, **values) for k, frame in enumerate(frames)]


def link(field, night=NIGHT):
    tracklets.run(field_night(field.pk, night))
    return list(Tracklet.objects.all())


def test_candidates_on_a_line_are_one_tracklet_with_rate_and_direction(field, frames):
    members = asteroid(frames)
    at(frames[0], 200.0, -100.0), at(frames[2], -150.0, 80.0)
    (found,) = link(field)
    assert set(found.members.all()) == set(members)
    assert found.rate_arcsec_per_min == pytest.approx(RATE, rel=1e-3)
    assert found.position_angle == pytest.approx(60.0, abs=0.1)
    assert found.rms_arcsec < 0.01
    assert (found.field, found.night) == (field, NIGHT)


def test_a_star_that_stays_is_no_tracklet(field, frames):
    for frame in frames:
        at(frame, 5.0, 5.0)
    assert link(field) == []


def test_what_was_not_taken_for_real_and_what_is_negative_takes_no_part(field, frames):
    asteroid(frames, status=CandidateStatus.REJECTED)
    asteroid(frames, is_negative=True)
    asteroid(frames, status=CandidateStatus.DUPLICATE)
    assert link(field) == []


def test_two_points_make_no_line(field, frames):
    asteroid(frames[:2])
    assert link(field) == []


def test_candidates_of_other_fields_and_nights_do_not_join(field, frames):
    members = asteroid(frames[:3])
    step = RATE * 15.0
    for other in (
        factories.ObservationFactory(night=NIGHT, field=factories.FieldFactory(), mjd_utc=frames[3].mjd_utc),
        factories.ObservationFactory(night=NIGHT + dt.timedelta(days=1), field=field, mjd_utc=frames[3].mjd_utc),
    ):
        at(other, 3 * step * np.sin(np.radians(60.0)), 3 * step * np.cos(np.radians(60.0)))
    (found,) = link(field)
    assert set(found.members.all()) == set(members)


def test_a_repeat_keeps_the_tracklet_that_stays_and_deletes_the_one_that_does_not(field, frames):
    kept, gone = asteroid(frames), asteroid(frames, angle_deg=240.0, start=300.0)
    first = {t.pk: frozenset(t.members.all()) for t in link(field)}
    assert set(first.values()) == {frozenset(kept), frozenset(gone)}
    Candidate.objects.filter(pk__in=[c.pk for c in gone]).update(status=CandidateStatus.REJECTED)
    (found,) = link(field)
    assert first[found.pk] == set(kept)


def test_a_tracklet_that_gains_a_frame_is_the_only_one_of_its_motion(field, frames):
    members = asteroid(frames[:3])
    link(field)
    step = RATE * 15.0
    members.append(at(frames[3], 3 * step * np.sin(np.radians(60.0)), 3 * step * np.cos(np.radians(60.0))))
    (found,) = link(field)
    assert set(found.members.all()) == set(members)


def test_the_fastest_motion_looked_for_is_configurable(field, frames):
    set_value("differencing.tracklet_max_rate_arcsec_per_min", 0.4, MACHINE)
    asteroid(frames)
    assert link(field) == []


def test_a_night_without_candidates_is_no_error(field):
    assert link(field) == []


def test_the_simulated_asteroid_is_the_nights_only_tracklet(night):
    (found,) = Tracklet.objects.all()
    assert found.members.count() == 3
    # 0.3 px/min at 1.2 arcsec/px; centroids of S/N 15 over 45 minutes.
    assert found.rate_arcsec_per_min == pytest.approx(0.36, rel=0.03)
    for candidate in found.members.select_related("observation"):
        (truth,) = night.sources(candidate.observation, "asteroid")
        assert np.hypot(candidate.pixel_x - truth["x"], candidate.pixel_y - truth["y"]) < 1.0
