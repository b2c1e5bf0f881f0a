"""Where the zenith is, and how far refraction shifts stars of one colour and not of another."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time
from astropy.utils import iers

from differencing.numerics.refraction import BANDS, Exposed, largest_shift_px, shift_per_colour, zenith_pull
from observations.numerics.fits.wcs import nominal_wcs

LATITUDE, LONGITUDE, MJD = 37.2, -2.5, 61_050.9


def _at(zenith_hours, dec=22.2, mjd=MJD):
    """Return a frame so many hours after its field has passed the meridian."""
    sidereal = (280.46061837 + 360.98564736629 * (mjd - 51_544.5) + LONGITUDE) % 360.0
    return Exposed(mjd, LATITUDE, LONGITUDE, (sidereal - 15.0 * zenith_hours) % 360.0, dec)


@pytest.mark.parametrize("hours", [-4.0, -1.0, 0.0, 2.5, 4.5])
def test_the_pull_is_the_tangent_of_the_zenith_distance_towards_the_zenith(hours):
    frame = _at(hours)
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("iers_degraded_accuracy", "ignore"):
        site = EarthLocation(lat=LATITUDE * u.deg, lon=LONGITUDE * u.deg, height=0 * u.m)
        sky = AltAz(obstime=Time(MJD, format="mjd"), location=site)
        place = SkyCoord(frame.ra_deg, frame.dec_deg, unit="deg")
        here = place.transform_to(sky)
        zenith = SkyCoord(0 * u.deg, 90 * u.deg, frame=sky).transform_to("icrs")
    east, north = zenith_pull(frame)
    # Precession and the equation of the equinoxes, which the plain sidereal time leaves out, are a third of a degree.
    assert np.hypot(east, north) == pytest.approx(np.tan(np.radians(90 - here.alt.deg)), abs=0.02, rel=0.03)
    apart = (np.degrees(np.arctan2(east, north)) - place.position_angle(zenith).deg + 180) % 360 - 180
    assert abs(apart) < (2.0 if hours else 4.0)


def test_near_the_horizon_nothing_is_said():
    assert zenith_pull(_at(7.5)) is None
    wcs = nominal_wcs(10.0, 22.2, 1.0, (100, 100))
    assert largest_shift_px(_at(0.0), [_at(7.5)], "R", wcs) is None
    assert largest_shift_px(_at(0.0), [], "R", wcs) is None


def test_blue_and_wide_bands_spread_stars_most_and_narrow_ones_not():
    shifts = [shift_per_colour(band) for band in ("B", "V", "I")]
    assert shifts == sorted(shifts, reverse=True)
    # A seventieth of a micrometre at 6.5 arcsec a micrometre, in B.
    assert shift_per_colour("B") == pytest.approx(0.045, rel=0.3)
    assert 0.25 < shift_per_colour("Clear") < 0.55
    assert (
        shift_per_colour("a band that nobody knows") == shift_per_colour("Clear") >= max(map(shift_per_colour, BANDS))
    )
    assert shift_per_colour("Ha") == 0.0


def test_what_two_frames_share_cancels_and_the_rest_lies_between_their_zeniths():
    frame = _at(3.0)
    wcs = nominal_wcs(frame.ra_deg, frame.dec_deg, 1.0, (400, 400))
    assert largest_shift_px(frame, [frame, frame], "Clear", wcs) == pytest.approx([0.0, 0.0], abs=1e-9)
    # Three hours before and after the meridian the zenith lies as far to the east and to the west.
    east = Exposed(frame.mjd_utc - 6 / 24.0657, LATITUDE, LONGITUDE, frame.ra_deg, frame.dec_deg)
    x, y = largest_shift_px(frame, [east], "Clear", wcs)
    assert abs(y) < 0.02 * abs(x)
    # 1.1 mag of 0.35 arcsec, at twice the tangent's eastern part of 0.9.
    assert abs(x) == pytest.approx(1.1 * shift_per_colour("Clear") * 2 * abs(zenith_pull(frame)[0]), rel=0.02)
    # West of the meridian the zenith is in the east, and a nominal frame has east to the left.
    assert x < 0 < -zenith_pull(east)[0] or x > 0
