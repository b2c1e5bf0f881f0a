"""Time and place of an observer: against astropy's and erfa's own words."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import EarthLocation
from astropy.time import Time
from astropy.utils import iers

from detection.numerics.ephemerides.observer import (
    METRES_PER_AU,
    earth_from_sun,
    from_centre_au,
    of_parallax_constants,
    on_earth,
    tdb_of,
)
from observations.numerics.barycentre import Place

LA_PALMA = Place(28.76, -17.88, 2326.0)


@pytest.fixture(autouse=True)
def without_a_network():
    with iers.conf.set_temp("auto_download", False):
        yield


@pytest.mark.parametrize("mjd_utc", [53371.2, 58408.126, 60370.9])
def test_dynamical_time_is_astropys(mjd_utc):
    # 30 µs: the terms that erfa's short series and the place leave out.
    assert tdb_of(mjd_utc) == pytest.approx(Time(mjd_utc, format="mjd", scale="utc").tdb.mjd, abs=3e-5 / 86400.0)


def test_a_site_is_where_astropy_says_within_the_earths_irregular_turning():
    location = EarthLocation(lat=LA_PALMA.latitude_deg, lon=LA_PALMA.longitude_deg, height=LA_PALMA.height_m)
    mjd_utc = 60370.9
    expected, _ = location.get_gcrs_posvel(Time(mjd_utc, format="mjd", scale="utc"))
    found = from_centre_au(on_earth(LA_PALMA), mjd_utc) * METRES_PER_AU
    # 20 m: UT1 is taken for UTC (10 ms then, 4 m), and the pole's motion is left out.
    assert found == pytest.approx(expected.xyz.to_value("m"), abs=20.0)


def test_parallax_constants_say_the_same_as_latitude_and_height():
    x, y, z = on_earth(LA_PALMA)
    radius = 6378137.0
    found = of_parallax_constants(np.degrees(np.arctan2(y, x)), np.hypot(x, y) / radius, z / radius)
    assert found == pytest.approx([x, y, z], abs=1e-6)


def test_an_unknown_site_is_the_earths_centre():
    assert from_centre_au(None, 60000.0).tolist() == [0.0, 0.0, 0.0]


def test_the_earth_is_one_au_from_the_sun_and_nearest_in_january():
    january, july = (np.linalg.norm(earth_from_sun(mjd)) for mjd in (60312.0, 60497.0))
    assert january == pytest.approx(0.9833, abs=1e-4)
    assert july == pytest.approx(1.0167, abs=1e-4)
