"""Tracklets of different nights that one orbit explains are one mover, in whatever order the nights arrive."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from benchmarks.movers.skies import FIRST_MJD, MAIN_BELT, PLACE, path_of
from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from differencing.ids import field_night
from differencing.models import Candidate, CandidateStatus, Mover, Tracklet
from differencing.stage import tracklets
from observations.models import Observation
from tests import factories

pytestmark = pytest.mark.django_db

FIRST = dt.date(2026, 1, 9)
DAYS = (0, 2, 5)
SCALE = 1.2  # arcsec/px


def night_of(day):
    return FIRST + dt.timedelta(days=day)


@pytest.fixture
def telescope():
    return factories.TelescopeFactory(
        latitude_deg=PLACE.latitude_deg, longitude_deg=PLACE.longitude_deg, height_m=PLACE.height_m
    )


@pytest.fixture
def field():
    ra, dec = path_of(3, MAIN_BELT, np.array([FIRST_MJD + 2.0]))
    return factories.FieldFactory(ra=float(ra[0]), dec=float(dec[0]), radius_deg=0.4)


def deliver(field, telescope, day, seed=3):
    """Make a night of four frames, 30 minutes apart, with a candidate each where an asteroid is, to 0.1 arcsec."""
    rng = np.random.default_rng(100 + day)
    mjd = FIRST_MJD + day + np.arange(4) / 48.0
    ra, dec = path_of(seed, MAIN_BELT, mjd)
    for k in range(4):
        frame = factories.ObservationFactory(
            field=field, telescope=telescope, night=night_of(day), mjd_utc=mjd[k], pixel_scale=SCALE
        )
        run = factories.DifferenceRunFactory(observation=frame, registration_rms_px=0.05)
        east, north = rng.normal(0.0, 0.1 / 3600.0, 2)
        factories.CandidateFactory(
            difference_run=run, status=CandidateStatus.DETECTED, snr=20.0, fwhm=3.0,
            ra=ra[k] + east / np.cos(np.radians(dec[k])), dec=dec[k] + north,
            pixel_x=500.0 - 3600.0 * (ra[k] - ra[0]) / SCALE, pixel_y=500.0 + 3600.0 * (dec[k] - dec[0]) / SCALE,
        )  # fmt: skip


def link(field, day):
    tracklets.run(field_night(field.pk, night_of(day)))


def nights(mover):
    return list(mover.tracklets.order_by("night").values_list("night", flat=True))


@pytest.mark.parametrize("order", [(0, 2, 5), (5, 0, 2)])
def test_an_asteroid_of_three_nights_is_one_mover_whenever_they_arrive(field, telescope, order):
    for day in order:
        deliver(field, telescope, day)
        link(field, day)
    (mover,) = Mover.objects.all()
    assert nights(mover) == [night_of(day) for day in DAYS]
    assert mover.chance_rate < 0.01 and mover.rms_arcsec < 0.3


def test_a_repeat_keeps_the_mover_and_one_more_night_makes_it_anew(field, telescope):
    for day in (0, 5):
        deliver(field, telescope, day)
        link(field, day)
    before = Mover.objects.get()
    link(field, 0)
    assert Mover.objects.get() == before
    deliver(field, telescope, 2)
    link(field, 2)
    assert len(nights(Mover.objects.get())) == 3


def test_a_night_that_no_longer_shows_it_leaves_the_others(field, telescope):
    for day in DAYS:
        deliver(field, telescope, day)
        link(field, day)
    Candidate.objects.filter(observation__night=night_of(5)).update(status=CandidateStatus.DUPLICATE)
    link(field, 5)
    assert nights(Mover.objects.get()) == [night_of(0), night_of(2)]
    Candidate.objects.filter(observation__night=night_of(2)).update(status=CandidateStatus.DUPLICATE)
    link(field, 2)
    assert not Mover.objects.exists()
    assert Tracklet.objects.get().mover is None


def test_it_is_found_again_in_the_field_beside(field, telescope):
    beside = factories.FieldFactory(ra=field.ra + 1.0, dec=field.dec, radius_deg=0.4)
    far = factories.FieldFactory(ra=field.ra + 60.0, dec=field.dec, radius_deg=0.4)
    for where, day in ((field, 0), (beside, 2), (far, 5)):
        deliver(where, telescope, day)
        link(where, day)
    assert nights(Mover.objects.get()) == [night_of(0), night_of(2)]


def test_two_asteroids_are_not_one(field, telescope):
    deliver(field, telescope, 0)
    deliver(field, telescope, 2, seed=9)
    for day in (0, 2):
        link(field, day)
    assert Tracklet.objects.count() == 2 and not Mover.objects.exists()


def test_what_may_be_chance_or_lies_on_frames_without_true_positions_takes_no_part(field, telescope):
    for day in (0, 2):
        deliver(field, telescope, day)
    Observation.objects.filter(night=night_of(0)).update(wcs_quality="nominal")
    for day in (0, 2):
        link(field, day)
    assert Tracklet.objects.count() == 2 and not Mover.objects.exists()
    Observation.objects.update(wcs_quality="solved")
    set_value("differencing.tracklet_max_chance_rate", 0.0001, MACHINE)
    Tracklet.objects.update(is_doubtful=True)
    link(field, 0)
    assert not Mover.objects.exists()


def test_none_are_joined_where_that_is_not_wanted(field, telescope):
    for day in (0, 2):
        deliver(field, telescope, day)
        link(field, day)
    assert Mover.objects.exists()
    set_value("differencing.mover_max_days", 0, MACHINE)
    link(field, 2)
    assert not Mover.objects.exists()
