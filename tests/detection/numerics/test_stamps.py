import numpy as np
import pytest

from detection.numerics.stamp_width import width_of, widths_of
from detection.numerics.stamps import cut_stamps
from detection.numerics.views import network_input

SHAPE = (80, 100)


def frames(seed: int = 5) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    images = rng.normal(100.0, 3.0, (3, *SHAPE)).astype(np.float32)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[40, 50] = True
    return images[0], images[1], images[2], mask


def star_stamps(fwhm_px: float, size: int = 63, amplitude: float = 300.0, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size // 2
    star = amplitude * np.exp(-4 * np.log(2) * (x**2 + y**2) / fwhm_px**2)
    stamps = rng.normal(0.0, 1.0, (1, 4, size, size)).astype(np.float32)
    stamps[:, :3] += star.astype(np.float32)
    stamps[:, 3] = 0.0
    return stamps


def test_the_central_pixel_is_the_one_that_holds_the_position():
    science, reference, difference, mask = frames()
    stamps = cut_stamps(science, reference, difference, mask, ([49.6], [39.6]), size=5)
    assert stamps.dtype == np.float32
    assert stamps[0, 0, 2, 2] == science[40, 50]
    assert stamps[0, 1, 0, 4] == reference[38, 52]
    assert stamps[0, 2, 2, 0] == difference[40, 48]
    assert stamps[0, 3].sum() == 1.0
    assert stamps[0, 3, 2, 2] == 1.0


def test_beyond_the_edge_images_are_nan_and_the_mask_is_bad():
    stamps = cut_stamps(*frames(), ([1.0, 98.0, -50.0], [2.0, 79.0, 10.0]), size=7)
    assert np.isnan(stamps[0, :3, :1]).all()
    assert np.isnan(stamps[0, :3, :, :2]).all()
    assert np.isfinite(stamps[0, :3, 1:, 2:]).all()
    assert np.isnan(stamps[1, :3, 4:]).all()
    assert np.isnan(stamps[1, :3, :, 5:]).all()
    assert np.isnan(stamps[2, :3]).all()
    np.testing.assert_array_equal(stamps[:, 3] == 1.0, np.isnan(stamps[:, 0]))


def test_no_position_gives_no_stamp():
    assert cut_stamps(*frames(), ([], []), size=7).shape == (0, 4, 7, 7)


def test_positions_that_are_no_numbers_even_sizes_and_different_grids_are_refused():
    science, reference, difference, mask = frames()
    with pytest.raises(ValueError, match="finite"):
        cut_stamps(science, reference, difference, mask, ([np.nan], [3.0]))
    with pytest.raises(ValueError, match="odd"):
        cut_stamps(science, reference, difference, mask, ([3.0], [3.0]), size=62)
    with pytest.raises(ValueError, match="grid"):
        cut_stamps(science, reference[1:], difference, mask, ([3.0], [3.0]))


def test_the_frames_are_left_as_they_were():
    images = frames()
    before = [image.copy() for image in images]
    stamps = cut_stamps(*images, ([5.0], [5.0]))
    kept = stamps.copy()
    network_input(stamps, 3.0)
    for image, copy in zip(images, before, strict=True):
        np.testing.assert_array_equal(image, copy)
    np.testing.assert_array_equal(stamps, kept)


@pytest.mark.parametrize("fwhm_px", [2.0, 3.0, 5.0])
def test_the_width_of_a_star_is_found_in_stamps_to_a_fifth(fwhm_px):
    rng = np.random.default_rng(5)
    stamps = rng.normal(100.0, 3.0, (30, 3, 63, 63)).astype(np.float32)
    y, x = np.mgrid[:63, :63]
    for stamp in stamps:
        at_x, at_y = rng.uniform(20, 42, 2)
        stamp[0] += 2000.0 * np.exp(-4.0 * np.log(2.0) * ((x - at_x) ** 2 + (y - at_y) ** 2) / fwhm_px**2)
    # A hot pixel and a galaxy among them, and one that knows nothing.
    stamps[0, 0, 5, 5] = 1e5
    stamps[1, 0] += 5000.0 * np.exp(-((x - 31) ** 2 + (y - 31) ** 2) / 300.0)
    stamps[2, 0] = np.nan
    assert width_of(stamps) == pytest.approx(fwhm_px, rel=0.2)
    with pytest.raises(ValueError, match="bright enough"):
        width_of(rng.normal(100.0, 3.0, (5, 3, 63, 63)).astype(np.float32))


def test_exposures_of_other_seeing_are_told_apart_and_one_without_stars_has_the_survey_s():
    sharp = np.concatenate([star_stamps(2.0, amplitude=900.0, seed=k) for k in range(12)])
    soft = np.concatenate([star_stamps(2.8, amplitude=900.0, seed=k) for k in range(6)])
    empty = np.random.default_rng(1).normal(0.0, 1.0, (2, 4, 63, 63)).astype(np.float32)
    widths = widths_of(np.concatenate([sharp, soft, empty]), np.repeat(["a", "b", "c"], [12, 6, 2]))
    assert len(set(widths[:12])) == len(set(widths[12:18])) == 1
    assert widths[0] < widths[12] < 2.8
    assert widths[18] == pytest.approx(widths[0], rel=0.1)
