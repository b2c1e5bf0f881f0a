"""Nights, the Sun and the two ways to count a longitude."""

from __future__ import annotations

import datetime as dt

import pytest
from astropy.coordinates import AltAz, EarthLocation, get_sun
from astropy.time import Time
from astropy.utils import iers

from observations.numerics.site import (
    LongitudeEvidence,
    east_longitude,
    greenwich_sidereal_deg,
    mjd_of,
    night_of,
    sun_altitude_deg,
    time_of,
)

MJD = 58409.12631694


@pytest.fixture(autouse=True)
def no_download():
    with iers.conf.set_temp("auto_download", False):
        yield


@pytest.mark.parametrize(
    ("hour", "longitude", "night"),
    [
        (11, 0.0, dt.date(2024, 2, 29)),
        (12, 0.0, dt.date(2024, 3, 1)),
        (23, 0.0, dt.date(2024, 3, 1)),
        (11, None, dt.date(2024, 2, 29)),
        # In Hawaii (155 W) noon is at 22:20 UT.
        (22, -155.0, dt.date(2024, 2, 29)),
        (23, -155.0, dt.date(2024, 3, 1)),
        # In eastern Australia (149 E) noon is at 2:04 UT.
        (2, 149.0, dt.date(2024, 2, 29)),
        (3, 149.0, dt.date(2024, 3, 1)),
    ],
)
def test_a_night_goes_from_local_noon_to_local_noon(hour, longitude, night):
    assert night_of(dt.datetime(2024, 3, 1, hour, tzinfo=dt.UTC), longitude) == night


def test_days_and_datetimes_agree_both_ways():
    moment = dt.datetime(2018, 10, 18, 3, 1, 53, 784000, tzinfo=dt.UTC)
    assert mjd_of(moment) == pytest.approx(Time("2018-10-18T03:01:53.784").mjd, abs=1e-10)
    assert abs(time_of(mjd_of(moment)) - moment) < dt.timedelta(microseconds=2)


def test_sidereal_time_agrees_with_astropy():
    # 0.02 degree: UT1 is taken as UTC (0.9 s) and the equation of the equinoxes left out (1 s).
    expected = Time(MJD, format="mjd").sidereal_time("apparent", "greenwich").deg
    assert greenwich_sidereal_deg(MJD) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("latitude", "longitude"), [(42.6, -71.5), (-31.6, 64.5), (0.0, 0.0), (78.0, 15.0)])
def test_the_suns_altitude_agrees_with_astropy(latitude, longitude):
    time = Time(MJD, format="mjd")
    sun = get_sun(time).transform_to(AltAz(obstime=time, location=EarthLocation(longitude, latitude)))
    # The low-precision formula is good to 0.02 degree.
    assert sun_altitude_deg(MJD, latitude, longitude) == pytest.approx(sun.alt.deg, abs=0.05)


def test_without_evidence_a_longitude_counts_eastward():
    assert east_longitude(71.485, LongitudeEvidence()) == (71.485, None)
    assert east_longitude(288.515, LongitudeEvidence()) == (pytest.approx(-71.485), None)


@pytest.mark.parametrize("claim", [71.485, -71.485])
def test_each_kind_of_evidence_finds_the_sign(claim):
    sidereal = (greenwich_sidereal_deg(MJD) - 71.485) % 360
    for name, evidence in {
        "sidereal time": LongitudeEvidence(MJD, sidereal_deg=(sidereal,)),
        "local civil time": LongitudeEvidence(utc_offset_hours=-4.0),
        # 03:02 UT: night in New England, morning in Turkmenistan.
        "the Sun": LongitudeEvidence(MJD, latitude_deg=42.6, is_light=True),
    }.items():
        assert east_longitude(claim, evidence) == (-71.485, name)


def test_evidence_that_fits_neither_sign_decides_nothing():
    wrong = LongitudeEvidence(MJD, sidereal_deg=((greenwich_sidereal_deg(MJD) + 170.0) % 360,))
    assert east_longitude(71.485, wrong) == (71.485, None)
    with_better = LongitudeEvidence(MJD, sidereal_deg=wrong.sidereal_deg, utc_offset_hours=-4.0)
    assert east_longitude(71.485, with_better) == (-71.485, "local civil time")


def test_near_greenwich_nothing_can_be_told_and_nothing_is_turned():
    sidereal = greenwich_sidereal_deg(MJD)
    assert east_longitude(2.0, LongitudeEvidence(MJD, sidereal_deg=(sidereal,)))[0] == 2.0
