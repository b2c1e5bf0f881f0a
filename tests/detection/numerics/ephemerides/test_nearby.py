"""What may be in a part of the sky is found among all orbits, and what cannot be told is not counted."""

from __future__ import annotations

import numpy as np

from detection.numerics.ephemerides.nearby import Circle, Quality, find_nearby
from detection.numerics.ephemerides.observer import LIGHT_AU_PER_DAY, earth_from_sun
from detection.numerics.ephemerides.orbits import two_body_states
from tests.orbits import EPOCH_MJD, drawn

TIME = EPOCH_MJD + 60.0


def quality(count, runoff=1.0, seen=EPOCH_MJD):
    return Quality(np.full(count, runoff), np.full(count, seen))


def directions(orbits):
    """Return where light that left the bodies arrives from, by solving for the time of its leaving."""
    observer = earth_from_sun(TIME)
    delay = np.zeros(len(orbits))
    for _ in range(20):
        line = two_body_states(orbits, TIME - delay)[0] - observer
        delay = np.linalg.norm(line, axis=1) / LIGHT_AU_PER_DAY
    return np.degrees(np.arctan2(line[:, 1], line[:, 0])) % 360.0, np.degrees(
        np.arcsin(line[:, 2] / np.linalg.norm(line, axis=1))
    )


def test_exactly_those_within_the_circle_and_its_margin_are_found():
    # More than are looked at together.
    orbits = drawn(40_000, seed=1)
    ra, dec = directions(orbits)
    circle = Circle(40.0, 15.0, 2.0)
    found = find_nearby(orbits, quality(len(orbits)), circle, TIME, earth_from_sun(TIME))
    cosine = np.sin(np.radians(dec)) * np.sin(np.radians(15.0)) + np.cos(np.radians(dec)) * np.cos(
        np.radians(15.0)
    ) * np.cos(np.radians(ra - 40.0))
    apart = np.degrees(np.arccos(cosine))
    inside = set(np.flatnonzero(apart <= 2.0))
    assert len(inside) > 20
    assert inside <= set(found.chosen.tolist())
    # What the planets may add in 60 days to what is nearest here is less than .1 degrees.
    assert set(found.chosen.tolist()) <= set(np.flatnonzero(apart <= 2.2))
    assert found.usable == len(orbits)


def test_an_orbit_too_vague_to_say_where_its_body_is_is_neither_found_nor_counted():
    orbits = drawn(3, seed=2)
    ra, dec = directions(orbits)
    known = Quality(np.array([1.0, np.nan, 648000.0]), np.array([np.nan, EPOCH_MJD, EPOCH_MJD]))
    for index, is_found in ((0, True), (1, False), (2, False)):
        found = find_nearby(orbits, known, Circle(ra[index], dec[index], 0.1), TIME, earth_from_sun(TIME))
        assert (index in found.chosen) == is_found
        assert found.usable == 1


def test_what_was_last_seen_long_ago_is_sought_further_from_its_place():
    orbits = drawn(1, seed=5)
    ra, dec = directions(orbits)
    beside = Circle(ra[0], dec[0] + 0.5, 0.1)
    fresh = find_nearby(orbits, quality(1, runoff=500.0), beside, TIME, earth_from_sun(TIME))
    stale = find_nearby(orbits, quality(1, runoff=500.0, seen=TIME - 7300.0), beside, TIME, earth_from_sun(TIME))
    assert (len(fresh.chosen), len(stale.chosen)) == (0, 1)


def test_an_epoch_years_away_says_nothing():
    orbits = drawn(10, seed=6)
    later = EPOCH_MJD + 1001.0
    assert find_nearby(orbits, quality(10), Circle(0.0, 0.0, 180.0), later, earth_from_sun(later)).usable == 0
    assert find_nearby(orbits, quality(10), Circle(0.0, 0.0, 180.0), later - 2.0, earth_from_sun(later)).usable == 10


def test_of_no_orbits_none_is_found():
    found = find_nearby(drawn(0, seed=1), quality(0), Circle(0.0, 0.0, 1.0), TIME, earth_from_sun(TIME))
    assert found.chosen.tolist() == [] and found.usable == 0


def test_a_part_of_the_sky_across_the_beginning_of_right_ascension_is_whole():
    orbits = drawn(40_000, seed=7)
    ra, dec = directions(orbits)
    near = np.flatnonzero((np.abs((ra + 180.0) % 360.0 - 180.0) < 0.7) & (np.abs(dec) < 0.7))
    assert (ra[near] > 180.0).any() and (ra[near] < 180.0).any()
    found = find_nearby(orbits, quality(len(orbits)), Circle(0.0, 0.0, 1.0), TIME, earth_from_sun(TIME))
    assert set(near) <= set(found.chosen.tolist())
    # The circle and its margin are less than three times that square.
    assert found.chosen.size < 3 * near.size
