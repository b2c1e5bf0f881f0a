"""The simulated camera: what it does to light, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

from observations.numerics.simulate.detector import Detector, bleed, expose, make_detector

SHAPE = (200, 220)


def rng_of(seed):
    return np.random.default_rng(seed)


def plain(**changes) -> Detector:
    """Return a camera without faults."""
    usual = {
        "response": np.ones(SHAPE),
        "dark_e": np.zeros(SHAPE),
        "bias_adu": np.full(SHAPE, 1000.0),
        "bad_columns": (),
    }
    return Detector(**{**usual, **changes})


def test_the_noise_is_that_of_photons_and_of_the_read_out():
    electrons = rng_of(1).poisson(900.0, SHAPE).astype(float)
    data = plain().read_out(rng_of(2), electrons).astype(float)
    # 900 photons, read noise of 9 electrons, and the rounding to whole ADU (1/12), at 1.5 electrons per ADU.
    expected = (900 + 81) / 1.5**2 + 1 / 12
    # 44 000 pixels know their variance to 0.7 %, their mean to 0.1 ADU.
    assert data.var() == pytest.approx(expected, rel=0.03)
    assert data.mean() == pytest.approx(1600, abs=0.5)


def test_a_bias_frame_has_the_level_and_the_read_noise_only():
    data = plain().bias(rng_of(3)).astype(float)
    assert data.mean() == pytest.approx(1000, abs=0.2)
    assert data.std() == pytest.approx(9 / 1.5, rel=0.03)


def test_nothing_exceeds_the_ceiling_and_nothing_wraps_around():
    data = plain().read_out(rng_of(4), np.full(SHAPE, 1e7))
    assert data.dtype == np.uint16
    assert (data == 60_000).all()
    assert (plain(bias_adu=np.zeros(SHAPE)).read_out(rng_of(5), np.full(SHAPE, -1e5)) == 0).all()


def test_a_bad_column_loses_light_and_its_neighbours_do_not():
    data = plain(bad_columns=(30,)).read_out(rng_of(6), np.full(SHAPE, 3000.0)).astype(float)
    assert data[:, 30].mean() - 1000 == pytest.approx(0.35 * 2000, abs=5)
    assert data[:, 31].mean() - 1000 == pytest.approx(2000, abs=5)


def test_the_camera_is_dimmer_in_the_corners_and_has_a_mean_response_of_one():
    response = make_detector(rng_of(7), SHAPE, 180.0).response
    assert response.mean() == pytest.approx(1)
    corner, middle = np.median(response[:20, :20]), np.median(response[90:110, 100:120])
    # 15 % in the very corner, up to 5 % of dust on either.
    assert 0.08 < 1 - corner / middle < 0.2


def test_hot_pixels_stand_out_of_a_dark():
    detector = make_detector(rng_of(8), (400, 400), 180.0)
    dark = detector.dark(rng_of(9)).astype(float) - detector.bias_adu
    # Three in 10 000 are hot, by 180 electrons or more; ten sigma of the rest is 65 ADU.
    share = (dark > 65).mean()
    assert 1.5e-4 < share <= 3e-4
    assert np.median(dark) == pytest.approx(9 / 1.5, abs=0.5)


def test_a_flat_shows_the_response():
    detector = make_detector(rng_of(10), SHAPE, 180.0)
    flats = np.mean([detector.flat_field(rng_of(s), level_e=45_000.0) for s in range(5)], axis=0)
    light = np.delete((flats - detector.bias_adu) / 30_000, detector.bad_columns, axis=1)
    # Five flats of 45 000 electrons: 0.2 % of photon noise, five sigma for the worst of 44 000 pixels.
    np.testing.assert_allclose(light, np.delete(detector.response, detector.bad_columns, axis=1), atol=0.011)


def test_bleeding_keeps_the_charge_and_stays_in_the_column():
    electrons = np.full((101, 5), 10.0)
    electrons[50, 2] = 1000.0
    before = electrons.copy()
    after = bleed(electrons, 100.0)
    assert after.sum() == pytest.approx(electrons.sum())
    assert after.max() == pytest.approx(100.0)
    np.testing.assert_array_equal(after[:, [0, 1, 3, 4]], 10.0)
    # 900 electrons fill five neighbours of 90 free electrons each on either side.
    assert (after[45:56, 2] > 99.9).all()
    np.testing.assert_allclose(after[:45, 2], 10.0)
    np.testing.assert_array_equal(electrons, before)


def test_charge_is_lost_only_at_the_ends_of_the_column():
    electrons = np.zeros((11, 3))
    electrons[5, 1] = 1e6
    after = bleed(electrons, 100.0)
    np.testing.assert_allclose(after[:, 1], 100.0)


def test_no_pixel_that_is_not_called_a_defect_differs_from_the_expected_sky():
    detector = plain(bad_columns=(40,))
    data, defects = expose(rng_of(11), detector, np.zeros(SHAPE), 900.0, 3.0, np.zeros(SHAPE))
    assert 0.01 < defects.mean() < 0.2
    assert defects[:, 40].all()
    level = (data.astype(float) - 1600) / np.sqrt((900 + 81) / 1.5**2)
    # The tilt of 5 % from side to side is 0.8 sigma at the worst, a trail's outer wing one more.
    assert np.abs(level[~defects]).max() < 7
    assert (level[defects] > 5).mean() > 0.2


def test_a_frame_without_a_trail_has_none():
    quiet = expose(rng_of(12), plain(), np.zeros(SHAPE), 900.0, None, np.zeros(SHAPE))[1]
    trailed = expose(rng_of(12), plain(), np.zeros(SHAPE), 900.0, 3.0, np.zeros(SHAPE))[1]
    assert quiet.mean() < 0.002 < trailed.mean()


def test_strays_are_added_as_they_were_drawn_and_change_no_other_pixel():
    stray = np.zeros(SHAPE)
    stray[50:53, 60:63] = 600.0
    clean, dirty = (expose(rng_of(13), plain(), np.zeros(SHAPE), 900.0, None, extra) for extra in (stray * 0, stray))
    # 600 electrons are 400 ADU, rounded.
    np.testing.assert_allclose(dirty[0][stray > 0].astype(float) - clean[0][stray > 0], 400.0, atol=1.0)
    np.testing.assert_array_equal(dirty[0][stray == 0], clean[0][stray == 0])
    assert (dirty[1] & ~clean[1])[stray > 0].all()
