"""Barycentric times, against astropy's own."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import EarthLocation, SkyCoord, get_body_barycentric_posvel
from astropy.time import Time
from astropy.utils import iers

from observations.numerics.barycentre import Place, bjd_tdb, heliocentric_au

RA, DEC = np.array([0.0, 66.0, 270.0, 133.0]), np.array([0.0, 22.8, 66.56, -89.9])
TENERIFE = Place(28.3, -16.51, 2390.0)
MILLISECOND = 1e-3 / 86400.0


def astropy_bjd(mjd_utc: float, place: Place | None) -> np.ndarray:
    location = EarthLocation.from_geocentric(0.0, 0.0, 0.0, unit="m")
    if place is not None:
        location = EarthLocation(place.longitude_deg, place.latitude_deg, place.height_m)
    with iers.conf.set_temp("auto_download", False):
        time = Time(mjd_utc, format="mjd", scale="utc", location=location)
        ways = time.light_travel_time(SkyCoord(RA * units.deg, DEC * units.deg), "barycentric")
        return (time.tdb + ways).jd


@pytest.mark.parametrize("place", [None, TENERIFE])
@pytest.mark.parametrize("mjd_utc", [51544.5, 58408.97, 60370.875, 60600.1])
def test_barycentric_times_agree_with_astropy(mjd_utc, place):
    # Of what is left out, precession has the most: 0.1 ms of the observer's 21 ms.
    difference = bjd_tdb(mjd_utc, RA, DEC, place) - astropy_bjd(mjd_utc, place)
    assert np.abs(difference).max() < 0.3 * MILLISECOND


def test_the_observers_place_matters_by_up_to_21_milliseconds():
    apart = np.abs(bjd_tdb(60370.875, RA, DEC, TENERIFE) - bjd_tdb(60370.875, RA, DEC, None))
    assert MILLISECOND < apart.max() < 21.3 * MILLISECOND


def test_the_earths_way_round_the_sun_makes_eight_minutes_either_way():
    days = 60370.875 + np.arange(0.0, 366.0, 5.0)
    delays = np.array([bjd_tdb(day, RA[:1], DEC[:1], None)[0] - (day + 2400000.5) for day in days]) * 1440.0
    # 69.2 s lie between UTC and TDB in 2024.
    assert delays.max() == pytest.approx(8.3 + 69.2 / 60.0, abs=0.2)
    assert delays.min() == pytest.approx(-8.3 + 69.2 / 60.0, abs=0.2)


@pytest.mark.parametrize("place", [None, TENERIFE])
def test_the_observer_is_where_astropy_has_him(place):
    mjd = np.array([51544.5, 60370.875, 61050.2])
    position, velocity = heliocentric_au(mjd, place)
    with iers.conf.set_temp("auto_download", False):
        time = Time(mjd, format="mjd", scale="utc")
        (earth, motion), (sun, of_sun) = (get_body_barycentric_posvel(name, time) for name in ("earth", "sun"))
        expected = (earth - sun).xyz
        if place is not None:
            station = EarthLocation(place.longitude_deg, place.latitude_deg, place.height_m)
            expected = expected + station.get_gcrs(time).cartesian.xyz
        assert velocity == pytest.approx((motion - of_sun).xyz.T.to_value("au / day"), abs=1e-9)
    # 1e-9 au are 150 m; precession since 2000, left out, moves the observer by 40 km at most.
    assert position == pytest.approx(expected.T.to_value("au"), abs=3e-7 if place else 1e-8)
