import numpy as np
import pytest

from differencing.numerics.align import align
from differencing.numerics.area import kernel_of, pixel_side, spread_mask
from differencing.numerics.mapped_psf import map_psf
from observations.numerics.frame import PsfModel
from tests.differencing.numerics.scenes import frame_of, gaussian, gaussian_stamp


def _scaled(side, shift=0.0):
    """Target pixels of this side in source pixels."""
    return lambda x, y: (side * x + (side - 1) / 2 + shift, side * y + (side - 1) / 2 + shift)


@pytest.mark.parametrize("side", [0.3, 1.0, 1.1, 2.0, 3.7])
def test_the_side_of_a_pixel_is_that_of_the_map(side):
    assert pixel_side(_scaled(side), (40, 60)) == pytest.approx(side)


@pytest.mark.parametrize("side", [1.5, 2.0, 3.0, 4.3])
def test_a_pixel_covers_its_side(side):
    kernel = kernel_of(side)
    assert kernel is not None
    assert kernel.sum() == pytest.approx(1.0)
    assert kernel.max() == pytest.approx(1 / side, rel=1e-6)


@pytest.mark.parametrize("side", [2.0, 3.0])
def test_larger_pixels_hold_the_noise_of_all_that_they_cover(side):
    data = np.random.default_rng(1).normal(100.0, 5.0, (600, 600))
    shape = (int(600 / side), int(600 / side))
    aligned = align(frame_of(data, variance=np.full(data.shape, 25.0, dtype=np.float32)), _scaled(side), shape)
    inner = aligned.data[5:-5, 5:-5]
    assert inner.mean() == pytest.approx(100.0 * side**2, rel=1e-3)
    # The sum of side² pixels has side times their noise, a spline through single ones side² times.
    assert inner.std() < 1.05 * side * 5.0
    assert np.median(aligned.variance[5:-5, 5:-5]) <= (1.05 * side * 5.0) ** 2


@pytest.mark.parametrize("side", [0.4, 0.5, 2.0, 3.0])
def test_a_star_keeps_its_flux_on_pixels_of_another_size(side):
    sigma = 1.3 * max(1.0, side)
    image = gaussian((200, 200), 101.3, 98.8, sigma, flux=1e4)
    aligned = align(frame_of(image), _scaled(side), (int(200 / side), int(200 / side)))
    assert aligned.data.sum() == pytest.approx(1e4, rel=2e-3)


@pytest.mark.parametrize("side", [0.4, 2.0])
def test_a_mapped_psf_is_the_image_of_a_star_on_pixels_of_another_size(side):
    size, sigma = 240, 2.2
    psf = PsfModel(gaussian_stamp(sigma, 31)[None], 0, size, size)
    shape = (int(size / side), int(size / side))
    middle = shape[0] // 2
    star = _scaled(side)(float(middle), float(middle))
    aligned = align(frame_of(gaussian((size, size), *star, sigma, flux=1e4)), _scaled(side), shape)
    stamp = map_psf(psf, _scaled(side), shape).middle
    half = stamp.shape[0] // 2
    cut = aligned.data[middle - half : middle + half + 1, middle - half : middle + half + 1].astype(np.float64)
    assert np.abs(cut / cut.sum() - stamp).max() < 6e-3 * stamp.max()


def test_larger_pixels_are_bad_where_a_twentieth_of_them_is():
    bad = np.zeros((40, 40), dtype=bool)
    bad[20, 20] = True
    wide = spread_mask(bad, kernel_of(2.0), 0.05)
    assert wide[19:22, 19:22].all()
    assert not wide[5:15, 5:35].any()
    assert wide[0].all()  # half of it would lie outside
