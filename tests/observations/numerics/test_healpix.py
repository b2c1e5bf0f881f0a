from __future__ import annotations

import math

import numpy as np
import pytest
from astropy_healpix import healpy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from observations.numerics.healpix import cone_ranges, position_index

ARCSEC = 1.0 / 3600.0


def isotropic(seed: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    return random.uniform(0.0, 360.0, count), np.degrees(np.arcsin(random.uniform(-1.0, 1.0, count)))


def around(
    seed: int, count: int, ra: float, dec: float, reach_arcsec: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions evenly over a cap around (ra, dec), by rotating a cap around the pole."""
    random = np.random.default_rng(seed)
    colatitude = np.radians(reach_arcsec * ARCSEC) * np.sqrt(random.uniform(0.0, 1.0, count))
    azimuth = random.uniform(0.0, 2.0 * np.pi, count)
    x, y = np.sin(colatitude) * np.cos(azimuth), np.sin(colatitude) * np.sin(azimuth)
    z = np.cos(colatitude)
    tilt, turn = math.radians(90.0 - dec), math.radians(ra)
    x, z = x * math.cos(tilt) + z * math.sin(tilt), z * math.cos(tilt) - x * math.sin(tilt)
    x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
    return np.degrees(np.arctan2(y, x)) % 360.0 % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def separation_arcsec(
    ra: NDArray[np.float64], dec: NDArray[np.float64], ra_0: float, dec_0: float
) -> NDArray[np.float64]:
    """Return distances by Vincenty's formula, which shares nothing with the code under test."""
    phi, phi_0, delta = np.radians(dec), math.radians(dec_0), np.radians(ra - ra_0)
    across = np.hypot(
        np.cos(phi) * np.sin(delta),
        math.cos(phi_0) * np.sin(phi) - math.sin(phi_0) * np.cos(phi) * np.cos(delta),
    )
    along = math.sin(phi_0) * np.sin(phi) + math.cos(phi_0) * np.cos(phi) * np.cos(delta)
    return np.degrees(np.arctan2(across, along)) / ARCSEC


def is_covered(index: NDArray[np.int64], ranges: tuple[list[int], list[int]]) -> NDArray[np.bool_]:
    first, past = (np.array(side) for side in ranges)
    place = np.searchsorted(first, index, side="right") - 1
    return (place >= 0) & (index < past[np.maximum(place, 0)])


@pytest.mark.parametrize("order", [0, 1, 7, 29])
def test_the_index_is_that_of_an_independent_library(order: int) -> None:
    ra, dec = isotropic(1, 20_000)
    assert np.array_equal(
        position_index(ra, dec, order=order), healpy.ang2pix(2**order, ra, dec, nest=True, lonlat=True)
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_index_holds_within_a_milliarcsecond_of_a_pole(sign: float) -> None:
    random = np.random.default_rng(2)
    ra = random.uniform(0.0, 360.0, 5000)
    dec = sign * (90.0 - 10.0 ** random.uniform(-8.0, 0.0, 5000))
    assert np.array_equal(position_index(ra, dec), healpy.ang2pix(2**29, ra, dec, nest=True, lonlat=True))


def test_a_full_turn_and_a_rounded_negative_angle_are_right_ascension_zero() -> None:
    assert position_index(360.0, 10.0) == position_index(0.0, 10.0)
    assert position_index(-1e-20, 10.0) == position_index(0.0, 10.0)


@pytest.mark.parametrize(("ra", "dec"), [(math.nan, 0.0), (0.0, math.nan), (math.inf, 0.0), (0.0, 90.001)])
def test_what_is_no_position_has_no_index(ra: float, dec: float) -> None:
    with pytest.raises(ValueError, match="position needs"):
        position_index(ra, dec)
    with pytest.raises(ValueError, match="position needs"):
        cone_ranges(ra, dec, 1.0)


@pytest.mark.parametrize("radius", [-1.0, math.nan, 180.0 * 3600.0 + 1.0])
def test_what_is_no_radius_makes_no_cone(radius: float) -> None:
    with pytest.raises(ValueError, match="radius"):
        cone_ranges(0.0, 0.0, radius)


@given(
    ra=st.one_of(st.sampled_from([0.0, 359.9999999, 45.0, 90.0]), st.floats(0.0, 359.999)),
    # 41.8103 is where the polar caps begin and cells are widest.
    dec=st.one_of(st.sampled_from([90.0, -90.0, 89.99999, 41.8103, -41.8103, 0.0]), st.floats(-90.0, 90.0)),
    radius=st.floats(-2.5, 5.3).map(lambda power: 10.0**power),
    seed=st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_no_position_inside_a_cone_is_outside_its_ranges(ra: float, dec: float, radius: float, seed: int) -> None:
    ra_near, dec_near = around(seed, 500, ra, dec, radius)
    assert is_covered(position_index(ra_near, dec_near), cone_ranges(ra, dec, radius)).all()


@pytest.mark.parametrize("radius", [0.5, 5.0, 60.0, 3600.0])
def test_a_cone_is_a_few_sorted_disjoint_ranges(radius: float) -> None:
    counts = []
    for ra, dec in zip(*isotropic(3, 60), strict=True):
        first, past = cone_ranges(ra, dec, radius)
        edges = [edge for pair in zip(first, past, strict=True) for edge in pair]
        assert edges == sorted(set(edges))
        counts.append(len(first))
    # Thirteen cells at most touch the reach; their runs are the 3 to 9 ranges that the design measured.
    assert max(counts) <= 9


def test_ranges_do_not_hold_the_whole_sky_for_a_small_cone() -> None:
    first, past = cone_ranges(10.0, -30.0, 5.0)
    held = sum(end - start for start, end in zip(first, past, strict=True))
    # Thirteen cells of order 15, 6.4 arcsec wide.
    assert held <= 13 * 4 ** (29 - 15)


def test_the_whole_sky_is_one_cone_of_half_a_turn() -> None:
    assert cone_ranges(123.0, 45.0, 180.0 * 3600.0) == ([0], [12 * 4**29])


def test_a_cone_of_no_radius_holds_its_centre() -> None:
    for ra, dec in [(0.0, 90.0), (359.99999999, 0.0), (45.0, -89.9999), (12.3, 41.8103)]:
        assert is_covered(np.atleast_1d(position_index(ra, dec)), cone_ranges(ra, dec, 0.0)).all()


def test_positions_far_from_a_cone_are_outside_its_ranges() -> None:
    ra, dec = isotropic(4, 20_000)
    inside = is_covered(position_index(ra, dec), cone_ranges(0.0, 89.0, 3600.0))
    # Order 5: a cell is 1.83 degrees wide, its reach 2.0 degrees around the centre, 1 degree of radius: below 5 in all.
    assert (separation_arcsec(ra[inside], dec[inside], 0.0, 89.0) < 5.0 * 3600.0).all()
    assert inside.any()
