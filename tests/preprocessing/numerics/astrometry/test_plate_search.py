import numpy as np
import pytest

from preprocessing.numerics.astrometry.plate_search import Effort, find_places

SHAPE = (500, 600)
EFFORT = Effort(28, 9, 0.5)


def _patch(seed, count=4000, size=3000.0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-size, size, (count, 2)), rng.uniform(1, 1000, count) ** 2


def _frame(sky, flux, turn, middle, flipped):
    """Return the stars that a frame shows: sky = middle + turn * (pixel - centre), mirrored or not."""
    z = (sky[:, 0] + 1j * sky[:, 1] - middle) / turn
    z = z.conj() if flipped else z
    x, y = z.real + (SHAPE[1] - 1) / 2, z.imag + (SHAPE[0] - 1) / 2
    on = (x > 0) & (x < SHAPE[1]) & (y > 0) & (y < SHAPE[0])
    rng = np.random.default_rng(9)
    seen = np.flatnonzero(on)[rng.uniform(size=on.sum()) < 0.85]
    return np.column_stack([x, y])[seen] + rng.normal(0, 0.2, (seen.size, 2)), flux[seen]


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(("middle", "scale", "angle_deg"), [(1900 - 1400j, 1.09, 137.0), (-30 + 5j, 0.92, -5.0)])
def test_the_likeliest_place_is_where_the_frame_lies(middle, scale, angle_deg, flipped):
    sky, flux = _patch(1)
    turn = scale * np.exp(1j * np.radians(angle_deg))
    xy, own = _frame(sky, flux, turn, middle, flipped)
    best = find_places((xy, own), (sky, flux), shape=SHAPE, tolerance=0.1, effort=EFFORT).transforms[0]
    x, y = best((SHAPE[1] - 1) / 2, (SHAPE[0] - 1) / 2)
    # One triangle of 60 px with 0.2 px of noise is turned by 0.005: 2 px at 400 px.
    assert abs(complex(x, y) - middle) < 3
    assert best.scale == pytest.approx(scale, rel=0.02)
    assert best.is_flipped is flipped


def test_a_scale_beyond_the_tolerance_is_not_among_the_places():
    sky, flux = _patch(1)
    xy, own = _frame(sky, flux, 1.4 + 0j, 300 + 0j, flipped=False)
    places = find_places((xy, own), (sky, flux), shape=SHAPE, tolerance=0.1, effort=EFFORT)
    assert all(abs(place.scale - 1.4) > 0.1 for place in places.transforms)


@pytest.mark.parametrize("count", [0, 2])
def test_too_few_stars_give_no_places(count):
    sky, flux = _patch(1)
    few = np.arange(2.0 * count).reshape(-1, 2), np.ones(count)
    assert find_places(few, (sky, flux), shape=SHAPE, tolerance=0.1, effort=EFFORT).transforms == []
    assert find_places((sky, flux), few, shape=SHAPE, tolerance=0.1, effort=EFFORT).transforms == []


def test_a_catalogue_star_without_position_takes_no_part():
    sky, flux = _patch(1)
    xy, own = _frame(sky, flux, 1.0 + 0j, 300 + 0j, flipped=False)
    holes = np.vstack([sky, np.full((5, 2), np.nan)]), np.r_[flux, np.full(5, 1e9)]
    best = find_places((xy, own), holes, shape=SHAPE, tolerance=0.1, effort=EFFORT).transforms[0]
    x, y = best((SHAPE[1] - 1) / 2, (SHAPE[0] - 1) / 2)
    assert abs(complex(x, y) - 300) < 3
