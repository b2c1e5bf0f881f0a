import numpy as np
import pytest

from observations.numerics.simulate.sources import MoffatPsf
from preprocessing.numerics.moffat import Moffats, Stamps, fit_places, fit_shapes, plain_moffats


def _moffats(seed, n=30, beta=2.7):
    rng = np.random.default_rng(seed)
    shape = np.column_stack([np.log(rng.uniform(2.5, 5, n)), rng.uniform(-0.2, 0.2, (n, 2))])
    return Moffats(shape, rng.uniform(-0.5, 0.5, (n, 2)), rng.uniform(50, 5000, n), rng.uniform(-20, 20, n), beta)


def _stamps(m, half=12, noise=0.0, seed=0):
    value = m.profiles(half) * m.light[:, None, None] + m.sky[:, None, None]
    value += np.random.default_rng(seed).normal(0, noise or 1e-9, value.shape)
    return Stamps(value.astype(np.float32), np.full(value.shape, 1 / max(noise, 1e-3) ** 2, dtype=np.float32))


def _start(m):
    return plain_moffats(3.5, np.zeros((len(m.height), 2)), m.height * 0.7, 3.5)


def test_shapes_places_and_beta_of_noise_free_profiles_are_found():
    m = _moffats(1)
    fit = fit_shapes(_stamps(m), _start(m), np.ones(30), model_error=0.01, rounds=20).moffats
    assert fit.beta == pytest.approx(2.7, abs=1e-3)
    for name, tolerance in (("shape", 1e-3), ("centre", 1e-3)):
        np.testing.assert_allclose(getattr(fit, name), getattr(m, name), atol=tolerance)
    np.testing.assert_allclose(fit.light, m.light, rtol=1e-3)


def test_the_light_of_a_profile_is_that_of_the_sky_simulator():
    one = Moffats(np.array([[np.log(3.0), 0.0, 0.0]]), np.zeros((1, 2)), np.ones(1), np.zeros(1), 3.0)
    assert one.profiles(40).sum() == pytest.approx(1.0, abs=2e-3)  # the rest lies beyond 40 px
    # Sampled in the middle of pixels the peak is that of the simulator before pixels blur it by 4 %.
    assert one.profiles(6).max() == pytest.approx(MoffatPsf(3.0, (1, 1)).stamp(0.0, 0.0, 6).max(), rel=0.06)


def test_the_variances_are_those_of_the_noise():
    m = _moffats(2, n=200)
    m = Moffats(m.shape, m.centre, np.full(200, 400.0), m.sky, m.beta)
    fit = fit_shapes(_stamps(m, noise=5.0), _start(m), np.ones(200), model_error=0.0, rounds=12)
    pull = (fit.moffats.shape - m.shape) / np.sqrt(fit.variance)
    assert pull.std() == pytest.approx(1.0, abs=0.1)  # 600 values know their scatter to 3 %
    assert abs(pull.mean()) < 0.25


def test_unusable_pixels_take_no_part():
    m = _moffats(3)
    stamps = _stamps(m)
    hole = np.random.default_rng(4).random(stamps.value.shape) < 0.2
    holed = Stamps(np.where(hole, np.float32(1e6), stamps.value), np.where(hole, np.float32(0), stamps.weight))
    fit = fit_shapes(holed, _start(m), np.ones(30), model_error=0.01, rounds=20).moffats
    np.testing.assert_allclose(fit.shape, m.shape, atol=2e-3)


def test_only_stars_have_a_say_in_beta():
    m, other = _moffats(5, beta=2.7), _moffats(6, beta=6.0)
    both = [np.concatenate([getattr(_stamps(k), name) for k in (m, other)]) for name in ("value", "weight")]
    start = plain_moffats(3.5, np.zeros((60, 2)), np.concatenate([m.height, other.height]), 3.5)
    fit = fit_shapes(Stamps(*both), start, np.repeat([1.0, 0.0], 30), model_error=0.01, rounds=20)
    assert fit.moffats.beta == pytest.approx(2.7, abs=1e-2)


def test_a_star_without_its_core_is_placed_by_what_is_left_of_it():
    m = _moffats(7)
    m = Moffats(m.shape, m.centre, m.height, np.zeros(30), m.beta)
    stamps = _stamps(m)
    y, x = np.mgrid[-12:13, -12:13]
    core = np.broadcast_to(np.hypot(x, y) < 3, stamps.value.shape)
    cored = Stamps(np.where(core, np.float32(0), stamps.value), np.where(core, np.float32(0), stamps.weight))
    start = Moffats(m.shape, np.zeros((30, 2)), m.height * 0.5, np.zeros(30), m.beta)
    fit = fit_places(cored, start, model_error=0.03, rounds=12, with_sky=False)
    np.testing.assert_allclose(fit.centre, m.centre, atol=2e-3)
    np.testing.assert_allclose(fit.light, m.light, rtol=2e-3)


def test_an_empty_stamp_moves_nothing():
    m = _moffats(8, n=2)
    nothing = Stamps(np.zeros((2, 25, 25), np.float32), np.zeros((2, 25, 25), np.float32))
    fit = fit_shapes(nothing, m, np.ones(2), model_error=0.01, rounds=3).moffats
    np.testing.assert_allclose(fit.shape, m.shape)
    assert fit.beta == m.beta
