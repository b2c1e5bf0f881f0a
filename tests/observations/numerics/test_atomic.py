from __future__ import annotations

import pytest
from astropy.time import Time

from observations.numerics.atomic import mjd_tai


@pytest.mark.parametrize(("mjd_utc", "seconds"), [(41317.5, 10.0), (57753.0, 36.0), (57754.0, 37.0), (61000.25, 37.0)])
def test_atomic_time_is_ahead_of_utc_by_the_leap_seconds_of_the_day(mjd_utc: float, seconds: float):
    # A float64 holds an MJD to half a microsecond.
    assert (mjd_tai(mjd_utc) - mjd_utc) * 86400.0 == pytest.approx(seconds, abs=2e-6)
    assert mjd_tai(mjd_utc) == pytest.approx(Time(mjd_utc, format="mjd", scale="utc").tai.mjd, abs=1e-11)
