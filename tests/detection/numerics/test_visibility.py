"""Nights, altitudes and the Moon, against astropy."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body, get_sun
from astropy.time import Time

from detection.numerics import visibility
from detection.numerics.circumstances import altitude_deg, moon_at
from detection.numerics.visibility import ASTRONOMICAL_DEG, NAUTICAL_DEG
from observations.numerics.barycentre import Place

TENERIFE, SYDNEY = Place(28.3, -16.5, 2390.0), Place(-33.9, 151.2, 50.0)
TROMSO, POLE = Place(69.65, 18.96), Place(90.0, 0.0)
MARCH, JUNE, DECEMBER = 60370.9, 60482.9, 60666.9


@pytest.mark.parametrize(("place", "mjd"), [(TENERIFE, MARCH), (SYDNEY, JUNE), (TROMSO, DECEMBER)])
def test_sun_moon_and_stars_stand_where_astropy_puts_them(place: Place, mjd: float):
    # 0.01°: what is left out (UT1 - UTC, aberration, the pole's motion) comes to 36″ at most.
    night = visibility.night_of_place(mjd, place)
    time = Time(night.mjd[::24], format="mjd", scale="utc")
    site = EarthLocation.from_geodetic(place.longitude_deg, place.latitude_deg, place.height_m)
    horizon = AltAz(obstime=time, location=site)
    stars = SkyCoord([0.0, 123.4, 310.0], [89.0, -42.0, 5.0], unit="deg")
    towards = visibility.directions(stars.ra.deg, stars.dec.deg)
    for k, star in enumerate(stars):
        altitude = star.transform_to(horizon).alt.deg
        assert np.abs(visibility.altitudes_deg(night, towards)[k, ::24] - altitude).max() < 0.01
        # Of two that are seen from the site; the ICRS of astropy has the barycentre as its middle.
        away = star.transform_to(horizon).separation(get_body("moon", time, site).transform_to(horizon)).deg
        assert np.abs(visibility.moon_distances_deg(night, towards)[k, ::24] - away).max() < 0.02
    assert np.abs(night.sun_altitude_deg[::24] - get_sun(time).transform_to(horizon).alt.deg).max() < 0.01
    moon = get_body("moon", time, site)
    assert np.abs(night.moon_altitude_deg[::24] - moon.transform_to(horizon).alt.deg).max() < 0.01


def test_a_night_tells_the_same_as_the_facts_of_one_frame():
    night = visibility.night_of_place(MARCH, TENERIFE)
    towards = visibility.directions(np.array([150.0]), np.array([2.0]))
    k = 100
    mjd = float(night.mjd[k])
    moon = moon_at(150.0, 2.0, mjd, TENERIFE)
    assert visibility.altitudes_deg(night, towards)[0, k] == pytest.approx(
        altitude_deg(150.0, 2.0, mjd, TENERIFE), abs=1e-9
    )
    assert visibility.moon_distances_deg(night, towards)[0, k] == pytest.approx(moon.separation_deg, abs=1e-4)
    assert night.illuminated[k] == pytest.approx(moon.illuminated, abs=1e-6)


def test_hour_angles_are_west_positive_and_0_where_a_star_is_highest():
    night = visibility.night_of_place(MARCH, TENERIFE)
    towards = visibility.directions(np.array([150.0]), np.array([2.0]))
    angle, altitude = visibility.hour_angles_h(night, towards)[0], visibility.altitudes_deg(night, towards)[0]
    highest = int(altitude.argmax())
    assert abs(angle[highest]) < 5 / 60 and (np.diff(angle[highest - 20 : highest + 20]) > 0.0).all()
    assert altitude[highest] == pytest.approx(90.0 - 28.3 + 2.0, abs=0.2)


def test_a_night_holds_its_time_and_begins_at_noon_of_the_site():
    for place in (TENERIFE, SYDNEY):
        night = visibility.night_of_place(MARCH, place)
        assert night.mjd[0] <= MARCH < night.mjd[-1] and night.mjd[-1] - night.mjd[0] == pytest.approx(1.0)
        assert int(night.sun_altitude_deg.argmin()) == pytest.approx(144, abs=4)


def test_it_is_dark_between_the_twilights_and_never_in_a_northern_summer():
    night = visibility.night_of_place(MARCH, TENERIFE)
    assert night.twilight_deg == ASTRONOMICAL_DEG
    between = night.dark_between(ASTRONOMICAL_DEG)
    assert between is not None
    for moment in between:
        k = int(np.searchsorted(night.mjd, moment))
        assert night.sun_altitude_deg[k - 1 : k + 1] == pytest.approx(ASTRONOMICAL_DEG, abs=1.3)
    assert visibility.night_of_place(JUNE, Place(53.0, 10.0)).twilight_deg == NAUTICAL_DEG
    bright = visibility.night_of_place(JUNE, TROMSO)
    assert bright.twilight_deg is None and bright.dark_between(NAUTICAL_DEG) is None
    whole = visibility.night_of_place(DECEMBER, POLE)
    assert whole.dark_between(ASTRONOMICAL_DEG) == pytest.approx((whole.mjd[0], whole.mjd[-1]))


def test_new_and_full_moon_are_told_apart():
    new, full = Time("2024-04-08T18:20:00"), Time("2024-04-23T23:50:00")
    lit = [visibility.night_of_place(float(time.mjd), TENERIFE) for time in (new, full)]
    assert lit[0].illuminated.min() < 0.01 and lit[1].illuminated.max() > 0.99
