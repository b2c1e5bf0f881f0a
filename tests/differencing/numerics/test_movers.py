"""Tracklets of several nights are joined where one orbit explains them, and chance is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.movers.nights import MAX_CHANCE, judged
from benchmarks.movers.skies import MAIN_BELT, NEAR_EARTH, SkyParameters, sky_of
from differencing.numerics.movers import Tracklets, join, two_points

FEW = SkyParameters(seed=3, kinds=(MAIN_BELT, MAIN_BELT, NEAR_EARTH), chance=4)


def only(tracklets, which):
    return Tracklets(*(value[which] for value in vars(tracklets).values()))


def test_every_asteroid_is_joined_over_its_nights_and_nothing_else():
    tracklets, owner = sky_of(FEW)
    kept = [each for each in join(tracklets, max_days=14) if each.chance_rate < MAX_CHANCE]
    assert sorted(sorted(owner[list(each.members)]) for each in kept) == [[0, 0, 0], [1, 1, 1], [2, 2, 2]]
    for each in kept:
        assert list(tracklets.mjd[list(each.members), 0]) == sorted(tracklets.mjd[list(each.members), 0])
        # Points of four positions of 0.25 arcsec: 0.18 in one axis, half of twelve numbers fitted.
        assert each.rms_arcsec < 0.5


def test_two_nights_are_joined_and_a_third_makes_chance_much_less_likely():
    tracklets, owner = sky_of(replace(FEW, kinds=(MAIN_BELT,), chance=1))
    (three,) = join(tracklets, max_days=14)
    (two,) = join(only(tracklets, tracklets.night < 5), max_days=14)
    assert list(owner[list(three.members)]) == [0, 0, 0] and len(two.members) == 2
    # Two nights leave two numbers to disagree, three leave six; how often chance does as well is counted in few skies.
    assert 10.0 * three.chance_rate < two.chance_rate < 0.3


def test_nights_farther_apart_than_is_asked_for_are_not_joined():
    tracklets, _ = sky_of(replace(FEW, kinds=(MAIN_BELT,), nights=(0, 3), chance=0))
    assert join(tracklets, max_days=2) == []


def test_of_skies_with_nothing_but_chance_hardly_one_shows_a_mover():
    found = [judged(SkyParameters(seed, kinds=(), chance=8, nights=(0, 3))).false for seed in range(300, 310)]
    # At most a twentieth each: two or more in ten have a probability of .09, three of .01.
    assert sum(found) <= 2


def test_the_more_there_is_the_more_easily_chance_explains_two_nights():
    tracklets, owner = sky_of(replace(FEW, kinds=(MAIN_BELT,), nights=(0, 3), chance=6))
    many = next(each for each in join(tracklets, max_days=14) if set(owner[list(each.members)]) == {0})
    (alone,) = join(only(tracklets, owner == 0), max_days=14)
    assert alone.chance_rate <= many.chance_rate


def test_the_order_of_the_tracklets_does_not_matter():
    tracklets, _ = sky_of(replace(FEW, chance=1))
    order = np.random.default_rng(5).permutation(len(tracklets))
    places = {
        tuple(sorted(rows.mjd[k, 0] for k in each.members)) for rows in (tracklets,) for each in join(rows, max_days=14)
    }
    again = only(tracklets, order)
    assert {tuple(sorted(again.mjd[k, 0] for k in each.members)) for each in join(again, max_days=14)} == places


def test_nothing_is_joined_of_nothing():
    tracklets, owner = sky_of(FEW)
    assert join(only(tracklets, owner < -1), max_days=14) == []


@pytest.mark.parametrize("ra", [150.0, 359.9999])
def test_two_points_stand_for_a_night_whatever_curves_its_motion(ra):
    mjd = 61050.0 + np.array([0.0, 0.02, 0.04, 0.06, 0.08])
    days = mjd - mjd.mean()
    path = ra + 0.3 * days + 2.0 * days**2, 10.0 - 0.1 * days
    at, x, y, error = two_points(mjd, *path, np.full(5, 0.4))
    after = at - mjd.mean()
    # What bends the path by 5 arcsec in the night leaves the points where the path is.
    assert (x - ra + 180.0) % 360.0 - 180.0 == pytest.approx(0.3 * after + 2.0 * after**2, abs=0.02 / 3600.0)
    assert y == pytest.approx(10.0 - 0.1 * after, abs=1e-9)
    # Two points know as much as the five: their mean has the error of the five's.
    assert error / np.sqrt(2.0) == pytest.approx(0.4 / np.sqrt(5.0))
