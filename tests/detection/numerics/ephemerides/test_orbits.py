"""Two bodies: against what can be written down, and what must be conserved."""

from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.ephemerides.orbits import (
    GM_SUN,
    OBLIQUITY_RAD,
    Orbits,
    equatorial,
    perihelion_time,
    two_body_states,
)
from tests.orbits import EPOCH_MJD, drawn


def orbit(q, e, tilt=0.0, node=0.0, argument=0.0, perihelion=EPOCH_MJD):
    return Orbits(*(np.array([float(value)]) for value in (q, e, tilt, node, argument, perihelion, EPOCH_MJD)))


def test_on_a_circle_a_body_turns_by_its_mean_motion():
    days = np.linspace(-900.0, 900.0, 7)
    for day in days:
        position, velocity = two_body_states(orbit(2.5, 0.0), EPOCH_MJD + day)
        angle = np.sqrt(GM_SUN / 2.5**3) * day
        expected = equatorial(2.5 * np.array([np.cos(angle), np.sin(angle), 0.0]))
        assert position[0] == pytest.approx(expected, abs=1e-12)
        assert np.linalg.norm(velocity) == pytest.approx(np.sqrt(GM_SUN / 2.5), rel=1e-12)


def test_half_a_period_after_perihelion_a_body_is_at_aphelion_on_the_other_side():
    period = 2.0 * np.pi * np.sqrt(2.0**3 / GM_SUN)
    position, _ = two_body_states(orbit(0.4, 0.8), EPOCH_MJD + period / 2.0)
    assert position[0] == pytest.approx([-3.6, 0.0, 0.0], abs=1e-9)


def test_after_many_periods_a_body_is_where_it_was():
    one = orbit(0.3, 0.9, 12.0, 34.0, 56.0)
    period = 2.0 * np.pi * np.sqrt(3.0**3 / GM_SUN)
    first, _ = two_body_states(one, EPOCH_MJD + 100.0)
    later, _ = two_body_states(one, EPOCH_MJD + 100.0 + 50.0 * period)
    # The time itself is a double: 100 000 days have steps of 1e-11 days.
    assert later == pytest.approx(first, abs=1e-10)


def test_a_parabola_follows_barkers_equation():
    q, anomaly = 0.7, 1.1
    tangent = np.tan(anomaly / 2.0)
    time = np.sqrt(2.0 * q**3 / GM_SUN) * (tangent + tangent**3 / 3.0)
    position, _ = two_body_states(orbit(q, 1.0), EPOCH_MJD + time)
    radius = q * (1.0 + tangent**2)
    assert position[0] == pytest.approx(
        equatorial(radius * np.array([np.cos(anomaly), np.sin(anomaly), 0.0])), abs=1e-11
    )


def test_a_hyperbola_follows_keplers_equation():
    q, e, anomaly = 0.25, 3.36, -2.0
    a = q / (e - 1.0)
    time = np.sqrt(a**3 / GM_SUN) * (e * np.sinh(anomaly) - anomaly)
    position, _ = two_body_states(orbit(q, e), EPOCH_MJD + time)
    expected = np.array([a * (e - np.cosh(anomaly)), a * np.sqrt(e**2 - 1.0) * np.sinh(anomaly), 0.0])
    assert position[0] == pytest.approx(equatorial(expected), rel=1e-11)


@pytest.mark.parametrize("e", [0.0, 1e-9, 0.5, 0.97, 1.0 - 1e-9, 1.0, 1.0 + 1e-9, 1.2, 5.0])
def test_energy_and_angular_momentum_stay_at_every_eccentricity(e):
    random = np.random.default_rng(11)
    n = 400
    q = 10.0 ** random.uniform(-2.0, 1.5, n)
    since = random.choice([-1.0, 1.0], n) * 10.0 ** random.uniform(-2.0, 4.5, n)
    angles = [random.uniform(0.0, 180.0, n) for _ in range(3)]
    orbits = Orbits(q, np.full(n, e), *angles, EPOCH_MJD - since, np.full(n, EPOCH_MJD))
    position, velocity = two_body_states(orbits, EPOCH_MJD)
    distance = np.linalg.norm(position, axis=1)
    energy = np.sum(velocity**2, axis=1) / 2.0 - GM_SUN / distance
    assert np.all(np.abs(energy + GM_SUN * (1.0 - e) / (2.0 * q)) < 1e-8 * GM_SUN / distance)
    momentum = np.linalg.norm(np.cross(position, velocity), axis=1)
    assert momentum == pytest.approx(np.sqrt(GM_SUN * q * (1.0 + e)), rel=1e-8)


def test_the_velocity_is_the_change_of_the_position():
    orbits = drawn(50, seed=3, most_eccentric=0.9)
    step = 1e-3
    before, _ = two_body_states(orbits, EPOCH_MJD - step)
    after, _ = two_body_states(orbits, EPOCH_MJD + step)
    _, velocity = two_body_states(orbits, EPOCH_MJD)
    assert (after - before) / (2.0 * step) == pytest.approx(velocity, abs=1e-9)


def test_the_node_lies_on_the_ecliptic_and_the_pole_of_an_orbit_is_tilted_from_it():
    position, velocity = two_body_states(orbit(1.5, 0.1, tilt=20.0, node=70.0, argument=0.0), EPOCH_MJD)
    cosine, sine = np.cos(OBLIQUITY_RAD), np.sin(OBLIQUITY_RAD)
    to_ecliptic = np.array([[1.0, 0.0, 0.0], [0.0, cosine, sine], [0.0, -sine, cosine]])
    place = to_ecliptic @ position[0]
    assert place == pytest.approx(1.5 * np.array([np.cos(np.radians(70.0)), np.sin(np.radians(70.0)), 0.0]), abs=1e-12)
    pole = np.cross(place, to_ecliptic @ velocity[0])
    assert np.degrees(np.arccos(pole[2] / np.linalg.norm(pole))) == pytest.approx(20.0, abs=1e-9)


def test_the_mean_anomaly_says_when_perihelion_is():
    period = 2.0 * np.pi * np.sqrt(2.5**3 / GM_SUN)
    times = perihelion_time(np.array([0.0, 90.0, 270.0]), np.full(3, 2.5), np.full(3, EPOCH_MJD))
    assert times == pytest.approx(EPOCH_MJD + np.array([0.0, -period / 4.0, period / 4.0]))


def test_what_is_not_known_stays_unknown_and_leaves_the_others_alone():
    orbits = drawn(3, seed=4)
    orbits.eccentricity[1] = np.nan
    position, _ = two_body_states(orbits, EPOCH_MJD + 10.0)
    assert np.isnan(position[1]).all() and np.isfinite(position[[0, 2]]).all()
