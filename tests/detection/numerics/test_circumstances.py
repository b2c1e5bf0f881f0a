"""Altitude, Moon and Galaxy against astropy, which computes them another way."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body
from astropy.time import Time
from astropy.utils import iers

from detection.numerics.circumstances import airmass_at, altitude_deg, galactic_latitude_deg, moon_at
from observations.numerics.barycentre import Place

PLACES = (Place(28.76, -17.88, 2400.0), Place(-30.17, -70.81, 2200.0), Place(19.82, -155.47, 4200.0))
MOMENTS = (60_310.05, 60_390.4, 61_200.77)


@pytest.fixture(autouse=True)
def offline():
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("iers_degraded_accuracy", "ignore"):
        yield


@pytest.mark.parametrize("mjd", MOMENTS)
@pytest.mark.parametrize("place", PLACES)
def test_altitudes_and_the_moon_are_astropy_s(place, mjd):
    ra, dec = 83.6, 22.0
    where = EarthLocation.from_geodetic(place.longitude_deg, place.latitude_deg, place.height_m)
    horizon = AltAz(obstime=Time(mjd, format="mjd"), location=where)
    star = SkyCoord(ra * u.deg, dec * u.deg)
    # Aberration is 20″.
    assert altitude_deg(ra, dec, mjd, place) == pytest.approx(star.transform_to(horizon).alt.deg, abs=0.012)
    moon = moon_at(ra, dec, mjd, place)
    body = get_body("moon", horizon.obstime, where)
    assert moon.altitude_deg == pytest.approx(body.transform_to(horizon).alt.deg, abs=0.02)
    seen = SkyCoord(body.ra, body.dec)
    assert moon.separation_deg == pytest.approx(seen.separation(star).deg, abs=0.02)
    sun = get_body("sun", horizon.obstime, where)
    elongation = sun.separation(body, origin_mismatch="ignore").rad
    phase = np.arctan2(sun.distance * np.sin(elongation), body.distance - sun.distance * np.cos(elongation))
    assert moon.illuminated == pytest.approx((1 + np.cos(phase.value)) / 2, abs=0.001)


def test_from_the_earth_s_centre_the_moon_is_within_a_degree_and_has_no_altitude():
    here, centre = moon_at(83.6, 22.0, MOMENTS[0], PLACES[0]), moon_at(83.6, 22.0, MOMENTS[0], None)
    assert centre.altitude_deg is None
    assert abs(here.separation_deg - centre.separation_deg) < 1.0


@pytest.mark.parametrize(("ra", "dec"), [(266.405, -28.936), (192.859, 27.128), (83.6, 22.0), (0.0, -90.0)])
def test_galactic_latitudes_are_astropy_s(ra, dec):
    expected = SkyCoord(ra * u.deg, dec * u.deg).galactic.b.deg
    # The two definitions, by the FK5 and by the ICRS, differ by some hundredths of an arcsecond.
    assert galactic_latitude_deg(ra, dec) == pytest.approx(expected, abs=1e-5)


def test_the_airmass_is_one_overhead_two_at_thirty_degrees_and_none_below_the_horizon():
    assert airmass_at(90.0) == pytest.approx(1.0, abs=1e-4)
    assert airmass_at(30.0) == pytest.approx(1.995, abs=0.005)
    assert 10.0 < airmass_at(4.0) < 14.0
    assert airmass_at(-0.1) is None
