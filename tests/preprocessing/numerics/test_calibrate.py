import numpy as np
import pytest

from preprocessing.numerics.calibrate import (
    CalibrationError,
    Exposure,
    Master,
    Masters,
    calibrate,
    combine,
    master_bias,
    master_dark,
    master_flat,
    parse_section,
)

SHAPE = (120, 100)


def _noise(seed, level, sigma):
    return np.random.default_rng(seed).normal(level, sigma, SHAPE).astype(np.float32)


def _stack(count, level=1000.0, sigma=5.0):
    return [_noise(seed, level, sigma) for seed in range(count)]


@pytest.mark.parametrize("count", [2, 3, 8])
def test_a_cosmic_ray_in_one_frame_does_not_reach_the_master(count):
    frames = _stack(count)
    frames[0][50, 50] += 5000
    assert abs(combine(frames)[50, 50] - 1000) < 20  # four sigma of one frame


@pytest.mark.parametrize(("method", "efficiency"), [("clipped_mean", 1.0), ("median", 1.25)])
def test_combining_lowers_the_noise_as_it_should(method, efficiency):
    master = combine(_stack(9), method)
    assert master.std() == pytest.approx(efficiency * 5.0 / 3, rel=0.05)
    assert master.mean() == pytest.approx(1000, abs=0.1)


def test_nan_takes_no_part_and_stays_only_where_all_are_nan():
    frames = _stack(3)
    frames[0][0, 0] = np.nan
    for frame in frames:
        frame[1, 1] = np.nan
    master = combine(frames)
    assert abs(master[0, 0] - 1000) < 20
    assert np.isnan(master[1, 1])
    assert np.isfinite(master).sum() == master.size - 1


def test_frames_of_different_sizes_are_refused():
    with pytest.raises(CalibrationError, match="different sizes"):
        combine([np.zeros((4, 4), "f4"), np.zeros((4, 5), "f4")])


def test_no_frames_are_refused():
    with pytest.raises(CalibrationError, match="no frame"):
        combine([])


def test_a_dark_is_scaled_by_exposure_and_light_comes_out_clean():
    bias = master_bias(_stack(5, 1000, 0.1))
    glow = np.linspace(10, 200, SHAPE[1], dtype=np.float32)[None, :]
    dark = master_dark([f + glow for f in _stack(5, 1000, 0.1)], [Exposure(240.0)] * 5, bias)
    raw = _noise(9, 1000, 0.1) + glow / 4 + 300
    done = calibrate(raw, masters=Masters(bias, dark), exposure=Exposure(60.0))
    assert done.applied == ("bias", "dark")
    np.testing.assert_allclose(done.data, 300, atol=1.0)  # ten times the noise left


def test_dark_current_follows_the_temperature():
    dark = Master(np.full(SHAPE, 100, "f4"), "dark", 3, 60.0, -20.0)
    bias = Master(np.zeros(SHAPE, "f4"), "bias", 3)
    done = calibrate(np.full(SHAPE, 500, "f4"), masters=Masters(bias, dark), exposure=Exposure(60.0, -27.0))
    np.testing.assert_allclose(done.data, 450, atol=1e-3)  # half as much dark current 7 K colder
    near = calibrate(np.full(SHAPE, 500, "f4"), masters=Masters(bias, dark), exposure=Exposure(60.0, -20.3))
    np.testing.assert_allclose(near.data, 400)


def test_a_dark_that_holds_its_bias_serves_its_own_exposure_only():
    dark = master_dark(_stack(3, 1100, 0.1), [Exposure(60.0)] * 3, None)
    assert dark.contains_bias
    same = calibrate(_noise(5, 1500, 0.1), masters=Masters(dark=dark), exposure=Exposure(60.0))
    assert same.applied == ("dark",)
    np.testing.assert_allclose(same.data, 400, atol=1.0)
    other = calibrate(_noise(5, 1500, 0.1), masters=Masters(dark=dark), exposure=Exposure(30.0))
    assert other.applied == ()
    assert any("fits no light of 30.0 s" in sentence for sentence in other.missing)


def test_dividing_by_the_flat_evens_out_the_response():
    response = np.linspace(0.8, 1.2, SHAPE[0], dtype=np.float32)[:, None] * np.ones(SHAPE, "f4")
    flat = master_flat([20_000 * response + _noise(s, 500, 1.0) for s in range(3)], [Exposure(5.0)] * 3,
                       master_bias(_stack(3, 500, 0.1)), None)  # fmt: skip
    assert flat.data.mean() == pytest.approx(1.0, abs=1e-5)
    done = calibrate(1000 * response, masters=Masters(flat=flat))
    assert done.data.std() / done.data.mean() < 1e-3
    assert "flat" in done.applied


def test_unlit_pixels_of_a_flat_become_nan_and_not_huge():
    lit = np.ones(SHAPE, "f4") * 1000
    lit[:5] = 1.0
    flat = master_flat([lit] * 3, [Exposure()] * 3, None, None)
    done = calibrate(np.full(SHAPE, 100, "f4"), masters=Masters(flat=flat))
    assert np.isnan(done.data[:5]).all()
    assert np.isfinite(done.data[5:]).all()


def test_what_is_missing_is_said():
    done = calibrate(np.full(SHAPE, 100, "f4"))
    assert [sentence.split(":")[0] for sentence in done.missing] == ["no bias", "no dark", "no flat"]


def test_overscan_removes_a_drift_along_the_rows_and_trim_keeps_the_grid():
    drift = np.linspace(0, 50, SHAPE[0], dtype=np.float32)[:, None]
    raw = _noise(11, 1000, 1.0) + drift
    raw[:, :80] += 300
    done = calibrate(raw, exposure=Exposure(biassec="[81:100,1:120]", trimsec="[1:80,1:120]"))
    assert done.applied == ("overscan", "trim")
    assert done.data.shape == SHAPE
    assert np.isnan(done.data[:, 80:]).all()
    assert np.abs(done.data[:, :80].mean(axis=1) - 300).max() < 1.5


def test_a_pedestal_counts_only_where_nothing_else_sets_the_zero():
    raw = np.full(SHAPE, 600, "f4")
    assert calibrate(raw, exposure=Exposure(pedestal_adu=-100.0)).data[0, 0] == 500
    bias = Master(np.full(SHAPE, 550, "f4"), "bias", 3)
    assert calibrate(raw, masters=Masters(bias), exposure=Exposure(pedestal_adu=-100.0)).data[0, 0] == 50


@pytest.mark.parametrize("section", ["[1:200,1:120]", "[0:10,1:10]", "left", "[10:5,1:10]"])
def test_impossible_sections_are_refused(section):
    with pytest.raises(CalibrationError):
        parse_section(section, SHAPE)


def test_a_master_of_another_size_is_refused():
    with pytest.raises(CalibrationError, match="bias is"):
        calibrate(np.zeros((4, 4), "f4"), masters=Masters(Master(np.zeros((5, 5), "f4"), "bias", 1)))


def test_what_was_taken_off_before_delivery_stays_off_and_its_pedestal_goes():
    light = np.full((20, 20), 150.0, dtype=np.float32)
    bias, flat = (
        Master(np.full((20, 20), 1000.0, np.float32), "bias", 3),
        Master(np.full((20, 20), 0.5, np.float32), "flat", 3),
    )
    exposure = Exposure(60.0, done=("bias", "dark", "flat"), pedestal_adu=-100.0, biassec="[1:5,1:20]")
    done = calibrate(light, masters=Masters(bias, None, flat), exposure=exposure)
    assert np.all(done.data == 50.0)
    assert done.applied == ("bias", "dark", "flat", "pedestal")
    assert done.missing == ()
