import numpy as np
import pytest

from preprocessing.numerics.astrometry.matching import MatchFailed, MatchParameters, match_stars


def _stars(seed, count=120, size=1000.0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, size, (count, 2)), rng.uniform(0.01, 1, count) ** -1.0


def _seen_by_another(xy, flux, *, angle_deg=0.0, scale=1.0, shift=(0.0, 0.0), flip=False, seed=0, size=1000.0):
    """Move stars, lose those outside and one in ten, scatter places by 0.1 px and fluxes by 10 %, add ten strangers."""
    rng = np.random.default_rng(1000 + seed)
    a = np.radians(angle_deg)
    turn = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ np.diag([-1.0 if flip else 1.0, 1.0])
    moved = (xy - size / 2) @ turn.T + size / 2 + np.array(shift)
    seen = ((moved > 0) & (moved < size)).all(axis=1) & (rng.uniform(size=len(xy)) < 0.9)
    places = np.vstack([moved[seen] + rng.normal(0, 0.1, (seen.sum(), 2)), rng.uniform(0, size, (10, 2))])
    return places, np.concatenate([flux[seen] * rng.normal(1, 0.1, seen.sum()), rng.choice(flux, 10)]), turn


CASES = [
    {},
    {"shift": (600.0, -350.0)},
    {"angle_deg": 0.46, "shift": (-238.0, 31.0)},
    {"angle_deg": 137.0},
    {"angle_deg": 90.0, "flip": True, "shift": (120.0, 40.0)},
    {"scale": 1.09, "angle_deg": -30.0},
    {"scale": 0.92, "flip": True},
]


@pytest.mark.parametrize("case", CASES)
def test_any_offset_turn_flip_and_tenth_of_scale_is_found(case):
    xy, flux = _stars(1)
    other, other_flux, turn = _seen_by_another(xy, flux, **case)
    match = match_stars(xy, flux, other, other_flux)
    np.testing.assert_allclose(match.transform.matrix, turn, atol=1e-3)
    assert match.rms_px < 0.2  # scatter of 0.1 px an axis, minus what the fit takes up
    assert match.transform.is_flipped == case.get("flip", False)
    assert match.count > 0.8 * (len(other) - 10)


def test_pairs_are_one_to_one_and_name_the_callers_rows():
    xy, flux = _stars(2)
    order = np.random.default_rng(2).permutation(len(xy))
    match = match_stars(xy, flux, xy[order] + 5.0, flux[order])
    assert len(set(match.source_index)) == len(set(match.target_index)) == match.count
    np.testing.assert_array_equal(order[match.target_index], match.source_index)


def test_unrelated_fields_do_not_match():
    false = 0
    for seed in range(12):
        one, other = _stars(seed, count=20 + 15 * seed), _stars(500 + seed, count=200 - 15 * seed)
        try:
            match_stars(*one, *other)
            false += 1
        except MatchFailed:
            pass
    # The parameter allows 1e-4 a trial.
    assert false == 0


def test_too_few_stars_are_refused_with_their_number():
    xy, flux = _stars(3, count=4)
    with pytest.raises(MatchFailed, match="4 and 4 stars"):
        match_stars(xy, flux, xy, flux)


def test_a_larger_change_of_scale_than_allowed_is_no_match():
    xy, flux = _stars(4)
    with pytest.raises(MatchFailed):
        match_stars(xy, flux, xy * 1.3, flux)


def test_a_flip_is_not_tried_where_it_is_excluded():
    xy, flux = _stars(5)
    with pytest.raises(MatchFailed):
        match_stars(xy, flux, xy * [-1, 1], flux, parameters=MatchParameters(may_flip=False))


def test_distortion_asks_for_a_quadratic_map_and_noise_does_not():
    xy, flux = _stars(6, count=300)
    bent = xy + 3e-6 * (xy - 500) ** 2  # 0.75 px in the corners
    assert match_stars(xy, flux, bent, flux).transform.coefficients.shape[1] == 6
    noisy = xy + np.random.default_rng(6).normal(0, 0.1, xy.shape)
    assert match_stars(xy, flux, noisy, flux).transform.coefficients.shape[1] == 3


def test_nan_positions_are_left_out():
    xy, flux = _stars(7)
    broken = xy.copy()
    broken[3] = np.nan
    match = match_stars(broken, flux, xy + 10, flux)
    assert 3 not in match.source_index
    assert match.count == len(xy) - 1


@pytest.mark.parametrize("count", [30, 300])
def test_rows_of_one_brightness_do_not_matter(count):
    xy, _ = _stars(9, count=count)
    assert match_stars(xy, np.ones(count), xy + 3.0, np.ones(count)).count == count
