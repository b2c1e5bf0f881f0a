"""Where moving objects are expected: lines with the errors that they have, and orbits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from differencing.numerics.extrapolation import Seen, along_line, fitted
from differencing.numerics.orbits import propagate
from observations.numerics.barycentre import Place, heliocentric_au
from observations.numerics.sphere import separation_deg

SITE = Place(28.3, -16.5, 2390.0)
LIGHT_DAYS_PER_AU = 499.004783836 / 86400.0


def on_line(minutes, ra=359.999, dec=60.0, rate_ra=0.6, rate_dec=-0.8, error=0.2):
    """Return sightings on a great circle's beginning: rates in arcsec per minute."""
    minutes = np.asarray(minutes, dtype=float)
    ahead = minutes / 3600.0
    return Seen(
        60370.0 + minutes / 1440.0,
        (ra + rate_ra * ahead / math.cos(math.radians(dec))) % 360.0,
        dec + rate_dec * ahead,
        np.full(minutes.size, error),
    )


def asteroid(mjd):
    """Return where a main-belt asteroid is seen from the site: RA, Dec in degrees."""
    position, velocity = np.array([-2.2, 1.1, 0.4]), np.array([-0.0045, -0.0088, -0.0021])
    mjd = np.atleast_1d(np.asarray(mjd, dtype=float))
    observer, _ = heliocentric_au(mjd, SITE)
    light = np.zeros(mjd.size)
    for _ in range(3):
        shape = (mjd.size, 3)
        at = propagate(np.broadcast_to(position, shape), np.broadcast_to(velocity, shape), mjd - 60370.0 - light)
        light = LIGHT_DAYS_PER_AU * np.linalg.norm(at - observer, axis=1)
    x, y, z = (at - observer).T
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def test_a_line_leads_on_across_ra_0_at_its_rate():
    found = along_line(on_line([0, 20, 40, 60]), 60370.0 + 180 / 1440)
    then = on_line([180])
    assert float(separation_deg(found.ra, found.dec, then.ra[0], then.dec[0])) * 3600 < 0.1
    assert (found.rate_ra, found.rate_dec) == pytest.approx((0.6, -0.8), abs=0.002)
    assert 0.0 <= found.ra < 1.0


def test_the_error_of_a_line_is_that_of_its_fit_and_grows_with_time():
    sightings = on_line(np.linspace(0, 60, 4), error=0.3)
    middle = along_line(sightings, 60370.0 + 30 / 1440)
    assert middle.major_arcsec == pytest.approx(0.3 / 2.0, rel=1e-6)
    spread = np.sqrt(((np.linspace(0, 60, 4) - 30.0) ** 2).sum())
    later = along_line(sightings, 60370.0 + 90 / 1440)
    by_fit = math.hypot(0.15, 0.3 * 60.0 / spread)
    assert by_fit < later.major_arcsec < by_fit + 0.05 * 60.0
    errors = [along_line(sightings, 60370.0 + days).major_arcsec for days in (0.1, 0.5, 1.0, 5.0)]
    assert errors == sorted(errors) and errors[-1] > 100.0 * errors[0] / 10.0


def test_true_places_of_a_day_later_lie_within_three_errors_of_a_line():
    mjd = 60370.0 + np.array([0.0, 0.02, 0.04, 0.06])
    ra, dec = asteroid(mjd)
    line = along_line(Seen(mjd, ra, dec, np.full(4, 0.2)), 60371.0)
    away = 3600 * float(separation_deg(line.ra, line.dec, *(q[0] for q in asteroid(60371.0))))
    assert 1.0 < away < 3.0 * line.major_arcsec


def test_one_time_is_no_motion():
    with pytest.raises(ValueError, match="two times"):
        along_line(on_line([5, 5]), 60371.0)


def test_an_orbit_leads_on_for_days_and_its_ellipse_holds_the_truth():
    # Positions of 0.1″ from three nights, drawn ten times: 2.45 sigma of two numbers hold 95 % of them.
    random = np.random.default_rng(3)
    mjd = 60370.0 + np.concatenate([night + np.array([0.0, 0.03, 0.06]) for night in (0, 2, 4)])
    ra, dec = asteroid(mjd)
    then_ra, then_dec = (q[0] for q in asteroid(60378.0))
    outside = 0
    for _ in range(10):
        noise = random.normal(0.0, 0.1 / 3600.0, (2, mjd.size))
        seen = Seen(mjd, ra + noise[0] / np.cos(np.radians(dec)), dec + noise[1], np.full(mjd.size, 0.1))
        orbit = fitted(seen, SITE)
        assert orbit is not None
        found = orbit.expected(60378.0, SITE)
        east = 3600 * (found.ra - then_ra) * math.cos(math.radians(then_dec))
        north = 3600 * (found.dec - then_dec)
        angle = math.radians(found.angle_deg)
        along = (east * math.sin(angle) + north * math.cos(angle)) / found.major_arcsec
        across = (east * math.cos(angle) - north * math.sin(angle)) / found.minor_arcsec
        outside += math.hypot(along, across) > 2.45
        assert found.minor_arcsec <= found.major_arcsec < 60.0
    assert outside <= 2
    assert (found.rate_ra, found.rate_dec) == pytest.approx(
        [3600 * 100 * (q[1] - q[0]) / 1440 * scale for q, scale in zip(
            asteroid([60377.995, 60378.005]), (math.cos(math.radians(then_dec)), 1.0), strict=True)],
        rel=0.05,
    )  # fmt: skip


def test_what_no_orbit_explains_has_no_place():
    seen = on_line([0, 20, 1440, 1460, 2880, 2900])
    jump = np.array([0.0, 0.0, 3.0, 3.0, -3.0, -3.0])
    assert fitted(Seen(seen.mjd, seen.ra, seen.dec + jump, seen.error_arcsec), None) is None
