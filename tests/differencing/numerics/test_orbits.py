"""Bodies on their orbits about the Sun, against numerical integration; and the orbits that are fitted to sightings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from benchmarks.movers.skies import FIRST_MJD, MAIN_BELT, NEAR_EARTH, PLACE, path_of
from differencing.numerics.orbits import Sights, distances, fit, frame_of, propagate
from observations.numerics.barycentre import heliocentric_au
from observations.numerics.sphere import project

MU = 0.01720209895**2
ARCSEC = np.pi / 648000.0


@pytest.mark.parametrize(
    ("position", "velocity", "days"),
    [
        ((1.0, 0.1, 0.2), (0.002, 0.016, 0.003), 7.0),
        ((0.3, 0.05, 0.0), (-0.01, 0.03, 0.01), 7.0),
        ((2.5, 1.0, 0.1), (-0.003, 0.009, 0.001), -14.0),
        ((1.0, 0.0, 0.0), (0.01, 0.025, 0.0), 10.0),  # unbound
    ],
)
def test_a_body_is_where_integrating_its_motion_takes_it(position, velocity, days):
    def slope(_, s):
        return np.concatenate([s[3:], -MU * s[:3] / np.linalg.norm(s[:3]) ** 3])

    state = np.array([*position, *velocity])
    path = solve_ivp(slope, (0.0, days), state, method="DOP853", rtol=1e-12, atol=1e-14)
    found = propagate(state[:3], state[3:], np.array(days))
    # 1e-9 au are 150 m.
    assert found == pytest.approx(path.y[:3, -1], abs=1e-9)


def sights_of(kind, seed=3, days=(0.0, 0.06, 2.0, 2.06, 5.0, 5.06), error=0.2):
    mjd = FIRST_MJD + np.array(days)
    ra, dec = path_of(seed, kind, mjd)
    frame = frame_of(ra, dec)
    centre = frame.axes[0]
    pole = np.degrees(np.arctan2(centre[1], centre[0])), np.degrees(np.arcsin(centre[2]))
    x, y = (np.radians(q) for q in project(ra, dec, *map(float, pole)))
    middle = mjd.mean(keepdims=True)
    earth = np.concatenate(heliocentric_au(middle, None), axis=-1)
    errors = np.full((1, len(mjd)), error * ARCSEC)
    return Sights(x[None], y[None], errors, mjd[None], heliocentric_au(mjd, PLACE)[0][None], earth, middle), frame


@pytest.mark.parametrize("kind", [MAIN_BELT, NEAR_EARTH])
def test_an_orbit_explains_what_an_asteroid_shows_in_three_nights_to_a_twentieth_of_an_arcsecond(kind):
    sights, frame = sights_of(kind)
    orbit, chi2 = fit(sights, frame)
    assert chi2[0] < 0.05
    assert distances(orbit, sights, frame).max() < 0.05 * ARCSEC


@pytest.mark.parametrize("night", [2, 3])
def test_no_orbit_explains_one_night_a_minute_of_arc_off(night):
    sights, frame = sights_of(MAIN_BELT)
    sights.y[0, night : night + 1] += 60.0 * ARCSEC
    # Six numbers of twelve are free.
    assert fit(sights, frame)[1][0] > 100.0


def test_no_bound_orbit_is_as_fast_as_a_satellite():
    sights, frame = sights_of(MAIN_BELT)
    # Ten degrees a day, for days: what passes so near would not move on a line.
    sights.x[0] += np.radians(10.0) * (sights.days[0] - sights.days[0].mean())
    assert fit(sights, frame)[1][0] > 1e4
