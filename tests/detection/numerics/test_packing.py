"""What comes out of packed cutouts is what went in, as far as anybody can see or measure."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from detection.numerics.packing import MIDDLE, NO_DATA, STEP, Packed, pack

SIZE = 63


def unpacked(packed: Packed, size: int = SIZE) -> NDArray[np.float32]:
    """Read codes as the browser does."""
    low, high = np.frombuffer(packed.planes, np.uint8).reshape(2, size, size).astype(np.int64)
    codes = low + 256 * high
    values = packed.zero + packed.soft * np.sinh((codes - MIDDLE) * packed.step)
    return np.where(codes == NO_DATA, np.nan, values).astype(np.float32)


def field(seed: int, sky: float, sigma: float, peak: float) -> NDArray[np.float32]:
    """Return noise on a sky with a bright star, a hole beside it and a galaxy over a third of the image."""
    y, x = np.mgrid[:SIZE, :SIZE]
    star = peak * np.exp(-((x - 31.0) ** 2 + (y - 30.0) ** 2) / 8.0)
    hole = -0.3 * peak * np.exp(-((x - 44.0) ** 2 + (y - 12.0) ** 2) / 8.0)
    galaxy = 30.0 * sigma * np.exp(-np.hypot(x - 10.0, y - 50.0) / 8.0)
    noise = np.random.default_rng(seed).normal(0.0, sigma, (SIZE, SIZE))
    return (sky + star + hole + galaxy + noise).astype(np.float32)


NO_MASK = np.zeros((SIZE, SIZE), dtype=bool)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("sky", "sigma", "peak"),
    [(0.0, 12.0, 60_000.0), (1000.0, 12.0, 500.0), (3e-3, 4e-5, 0.9), (-20.0, 0.02, 1e7), (0.0, 1.0, 0.0)],
)
def test_values_come_back_within_a_hundredth_of_the_noise_or_a_thousandth_of_what_is_bright(seed, sky, sigma, peak):
    image = field(seed, sky, sigma, peak)
    error = np.abs(unpacked(pack(image, NO_MASK)) - image.astype(np.float64))
    # What float32 itself misses of the sky's level is no fault of the codes.
    allowed = np.maximum(0.01 * sigma, 1e-3 * np.abs(image - sky)) + np.spacing(np.abs(image))
    assert (error <= allowed).all()


def test_noise_that_neighbours_share_is_kept_as_finely():
    smooth = gaussian_filter(np.random.default_rng(2).normal(0.0, 50.0, (SIZE, SIZE)), 1.5).astype(np.float32)
    sigma = 1.4826 * float(np.median(np.abs(smooth - np.median(smooth))))
    assert np.abs(unpacked(pack(smooth, NO_MASK)) - smooth).max() <= 0.01 * sigma


def test_a_galaxy_that_fills_the_image_makes_no_step_coarser_than_the_noise_allows():
    y, x = np.mgrid[:SIZE, :SIZE]
    noise = np.random.default_rng(3).normal(0.0, 1.0, (SIZE, SIZE))
    image = (400.0 * np.exp(-np.hypot(x - 31.0, y - 31.0) / 40.0) + noise).astype(np.float32)
    packed = pack(image, NO_MASK)
    near = np.abs(image - packed.zero) < 10.0
    assert np.abs(unpacked(packed) - image)[near].max() <= 0.01


def test_what_has_no_data_comes_back_without_and_nothing_else_does():
    image = field(1, 100.0, 3.0, 1e4)
    image[:4, :9], image[20, 20], image[21, 21] = np.nan, np.inf, -np.inf
    assert (np.isnan(unpacked(pack(image, NO_MASK))) == ~np.isfinite(image)).all()
    nothing = np.full((SIZE, SIZE), np.nan, dtype=np.float32)
    assert np.isnan(unpacked(pack(nothing, NO_MASK))).all()


def test_masked_pixels_are_kept_and_move_neither_sky_nor_steps():
    image, mask = field(4, 50.0, 2.0, 0.0), NO_MASK.copy()
    mask[:, :40] = True
    spoilt = image.copy()
    spoilt[mask] = np.random.default_rng(5).normal(9e4, 2e4, int(mask.sum()))
    packed = pack(spoilt, mask)
    assert packed.zero == pytest.approx(50.0, abs=1.0)
    assert np.abs(unpacked(packed) - spoilt)[~mask].max() <= 0.02
    assert (np.abs(unpacked(packed) / spoilt - 1)[mask] < 1e-3).all()
    assert pack(image, ~NO_MASK) == pack(image, NO_MASK), "masked all over, and still measured"


@pytest.mark.parametrize(("level", "bright"), [(0.0, 0.0), (7.0, 7.0), (0.0, 5.0), (-3e30, 3e38), (1e-30, 3e38)])
def test_an_image_without_noise_comes_back_too(level, bright):
    image = np.full((SIZE, SIZE), level, dtype=np.float32)
    image[31, 31] = bright
    back = unpacked(pack(image, NO_MASK)).astype(np.float64)
    assert back[31, 31] == pytest.approx(float(image[31, 31]), rel=5e-3)
    assert back[0, 0] == pytest.approx(float(image[0, 0]), rel=1e-6, abs=1e-3 * abs(bright))


def test_the_brightest_star_of_a_camera_makes_no_step_coarser():
    assert pack(field(6, 0.0, 1e-3, 1e9), NO_MASK).step == STEP
