import numpy as np
import pytest

from preprocessing.numerics.mesh import expand, measure_cells, smooth_cells


def _measured(image, bad=None, cells=(4, 4)):
    return measure_cells(image, np.zeros(image.shape, dtype=bool) if bad is None else bad, cells, fewest=32, share=0.2)


def test_a_cell_of_noise_has_its_mean_its_median_and_its_rms():
    image = np.random.default_rng(1).normal(100.0, 5.0, (256, 256)).astype(np.float32)
    found = _measured(image)
    # 64² pixels a cell: mean to 0.08, median to 0.10, rms to 1.1 %; four of each.
    np.testing.assert_allclose(found.mean, 100.0, atol=0.32)
    np.testing.assert_allclose(found.median, 100.0, atol=0.4)
    np.testing.assert_allclose(found.noise, 5.0, rtol=0.045)


@pytest.mark.parametrize("shape", [(256, 256), (257, 259)])
def test_every_other_row_of_each_cell_may_do(shape):
    image = np.random.default_rng(3).normal(100.0, 5.0, shape).astype(np.float32)
    bad = np.zeros(shape, dtype=bool)
    bad[64:128, 64:128] = np.random.default_rng(4).random((64, 64)) < 0.9
    some = measure_cells(image, bad, (4, 4), fewest=32, share=0.2, every=2)
    # In a cell with a tenth of good pixels there are as few of the rows that are looked at.
    assert np.isnan(some.median[1, 1]) and np.isfinite(some.median).sum() == 15
    first = image[0 : shape[0] // 4 : 2, : round(shape[1] / 4)]
    clipped = first[np.abs(first - np.median(first)) < 15.0]
    assert some.mean[0, 0] == pytest.approx(clipped.mean(), abs=0.1)
    np.testing.assert_allclose(some.noise[np.isfinite(some.noise)], 5.0, rtol=0.065)


def test_a_cell_is_clipped_as_its_definition_says():
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(10.0, 2.0, 3600), rng.uniform(20.0, 500.0, 496)]).astype(np.float32)
    found = _measured(rng.permutation(values).reshape(64, 64), cells=(1, 1))
    inside = values.astype(np.float64)
    spread = 0.7413 * np.subtract(*np.percentile(inside, [75, 25], method="lower"))
    for _ in range(8):
        inside = values[np.abs(values - np.median(inside)) <= 3 * spread].astype(np.float64)
        spread = inside.std() / 0.9848
    # An even count has two middles; the mesh takes the upper one, which is 0.002 away here.
    assert found.median[0, 0] == pytest.approx(np.median(inside), abs=0.005)
    assert found.mean[0, 0] == pytest.approx(inside.mean(), rel=1e-4)
    assert found.noise[0, 0] == pytest.approx(spread, rel=1e-3)


def test_bad_pixels_take_no_part_whatever_they_hold():
    rng = np.random.default_rng(3)
    image = rng.normal(0.0, 1.0, (96, 130)).astype(np.float32)
    bad = rng.random(image.shape) < 0.3
    spoilt = np.where(bad, np.where(rng.random(image.shape) < 0.5, np.nan, np.inf), image).astype(np.float32)
    one, other = _measured(image, bad), _measured(spoilt, bad)
    for name in ("median", "mean", "noise"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_cell_with_too_few_good_pixels_is_empty_and_takes_its_neighbours_value():
    image = np.full((128, 128), 7.0, dtype=np.float32)
    bad = np.zeros(image.shape, dtype=bool)
    bad[:32, :32] = True
    bad[0, :31] = False  # 31 pixels: fewer than 32
    found = _measured(image, bad)
    assert np.isnan(found.median[0, 0])
    assert np.isfinite(found.median).sum() == 15
    np.testing.assert_array_equal(smooth_cells(found.median), 7.0)


def test_the_mode_of_a_skewed_cell_is_below_its_median():
    rng = np.random.default_rng(4)
    image = (rng.normal(0.0, 1.0, (64, 64)) + (rng.random((64, 64)) < 0.2) * rng.exponential(1.5, (64, 64))).astype(
        "f4"
    )
    found = _measured(image, cells=(1, 1))
    assert found.mode[0, 0] < found.median[0, 0] < found.mean[0, 0]


def test_cells_are_joined_without_a_bend_in_a_plane():
    y, x = np.mgrid[0:300, 0:413]
    plane = 3.0 + 0.25 * x - 0.5 * y
    cells = np.array([[plane[j * 30 : j * 30 + 30, i * 59 : i * 59 + 59].mean() for i in range(7)] for j in range(10)])
    # Float32 holds numbers up to 200 to 1.5e-5.
    np.testing.assert_allclose(expand(cells, plane.shape), plane, atol=1e-4)


def test_one_cell_is_one_value_everywhere():
    # One unit in the last place of float32.
    np.testing.assert_allclose(expand(np.array([[4.5]]), (20, 33)), 4.5, rtol=2e-7)
