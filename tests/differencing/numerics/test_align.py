import numpy as np
import pytest
from scipy import ndimage

from differencing.numerics.align import align, fill_masked
from observations.numerics.frame import MaskBit
from tests.differencing.numerics.scenes import SIGMA_TO_FWHM, frame_of, gaussian, gaussian_stamp


def _shift(dx, dy):
    return lambda x, y: (x + dx, y + dy)


def _turn(degrees, scale, centre=(60.0, 60.0)):
    """Target (x, y) to source: a rotation about `centre`, source pixels per target pixel = scale."""
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    cx, cy = centre
    return lambda x, y: (cx + c * (x - cx) - s * (y - cy), cy + s * (x - cx) + c * (y - cy))


def test_the_identity_leaves_every_pixel_as_it_was():
    data = np.random.default_rng(1).normal(1000.0, 30.0, (50, 70))
    aligned = align(frame_of(data), _shift(0.0, 0.0), (50, 70))
    # float32 at 1000 has steps of 6e-5; the spline's coefficients lose a little more.
    np.testing.assert_allclose(aligned.data, data, atol=5e-3)
    assert not aligned.mask.any()


def test_a_whole_pixel_shift_moves_the_pixels_along_their_own_axes():
    data = np.random.default_rng(2).normal(0.0, 10.0, (50, 70))
    aligned = align(frame_of(data), _shift(3.0, -2.0), (50, 70))
    np.testing.assert_allclose(aligned.data[2:, :-3], data[:-2, 3:], atol=2e-3)
    assert aligned.mask[:2].all() and aligned.mask[:, -3:].all()
    assert not aligned.mask[2:, :-3].any()


# The claim beside the spline's order: a star of FWHM 2 px is kept to 0.3 % of its core, a wider one better.
@pytest.mark.parametrize(("fwhm", "tolerance"), [(2.0, 0.005), (3.0, 2e-3)])
def test_a_half_pixel_shift_turns_a_star_into_the_same_star_half_a_pixel_on(fwhm, tolerance):
    sigma = fwhm / SIGMA_TO_FWHM
    aligned = align(frame_of(gaussian((60, 60), 30.0, 30.0, sigma)), _shift(0.5, 0.5), (60, 60))
    truth = gaussian((60, 60), 29.5, 29.5, sigma)
    assert np.abs(aligned.data - truth).max() < tolerance * truth.max()


@pytest.mark.parametrize(("degrees", "scale"), [(0.46, 1.0), (30.0, 1.0), (90.0, 1.0), (-12.0, 1.1), (5.0, 0.9)])
def test_a_star_keeps_its_flux_and_lands_where_the_map_says(degrees, scale):
    sky = 500.0
    star = gaussian((121, 121), 72.3, 55.8, 1.7, flux=1e4)
    pixel_map = _turn(degrees, scale)
    aligned = align(frame_of(star + sky), pixel_map, (121, 121))
    light = np.where(aligned.mask, 0.0, aligned.data.astype(np.float64) - sky * scale**2)
    v, u = np.indices(light.shape)
    # 1e-3: the float32 sky of 500 leaves some 1e-4 of the flux over the frame.
    assert light.sum() == pytest.approx(1e4, rel=1e-3)
    found = pixel_map((light * u).sum() / light.sum(), (light * v).sum() / light.sum())
    assert found == pytest.approx((72.3, 55.8), abs=0.01)


def test_sky_counts_follow_the_area_of_the_new_pixels():
    aligned = align(frame_of(np.full((121, 121), 100.0)), _turn(7.0, 1.1), (121, 121))
    np.testing.assert_allclose(aligned.data[~aligned.mask], 121.0, rtol=1e-5)


def test_the_variance_of_a_pixel_follows_the_square_of_its_area():
    frame = frame_of(np.zeros((121, 121)), variance=np.full((121, 121), 4.0, dtype=np.float32))
    aligned = align(frame, _turn(7.0, 1.1), (121, 121))
    inner = ~ndimage.binary_dilation(aligned.mask, iterations=2)  # the rim takes up to 5 % from outside, where it is 0
    np.testing.assert_allclose(aligned.variance[inner], 4.0 * 1.1**4, rtol=1e-5)


def test_a_bad_pixel_spoils_the_four_pixels_that_take_from_it_and_no_other():
    mask = np.zeros((40, 40), dtype=bool)
    mask[20, 15] = True
    aligned = align(frame_of(np.zeros((40, 40)), mask), _shift(0.5, 0.5), (40, 40))
    expected = np.zeros((40, 40), dtype=bool)
    expected[19:21, 14:16] = True
    np.testing.assert_array_equal(aligned.mask[:39, :39], expected[:39, :39])


@pytest.mark.parametrize("bad_value", [np.nan, np.inf, 1e6])
def test_what_stands_in_a_masked_pixel_reaches_no_other(bad_value):
    data = np.random.default_rng(3).normal(100.0, 5.0, (40, 40))
    mask = np.zeros((40, 40), dtype=bool)
    mask[20, 15] = True
    spoilt = data.copy()
    spoilt[20, 15] = bad_value
    clean, dirty = (align(frame_of(d, mask), _shift(0.3, 0.6), (40, 40)) for d in (data, spoilt))
    np.testing.assert_array_equal(clean.data, dirty.data)


def test_a_nan_that_nobody_masked_is_masked_and_spreads_nowhere():
    data = np.random.default_rng(4).normal(100.0, 5.0, (40, 40))
    spoilt = data.copy()
    spoilt[20, 15] = np.nan
    aligned = align(frame_of(spoilt), _shift(0.5, 0.0), (40, 40))
    assert np.isfinite(aligned.data).all()
    assert aligned.mask[20, 14] and aligned.mask[20, 15]
    assert aligned.mask[:, :38].sum() == 2


def test_pixels_from_outside_the_source_are_masked_as_edge():
    bits = np.zeros((30, 30), dtype=np.uint16)
    aligned = align(frame_of(np.ones((30, 30)), mask_bits=bits), _shift(-10.0, 0.0), (30, 50))
    assert aligned.shape == (30, 50)
    assert aligned.mask[:, :10].all() and aligned.mask[:, 40:].all() and not aligned.mask[:, 10:40].any()
    assert (aligned.mask_bits[:, :10] == MaskBit.EDGE).all()
    assert (aligned.mask_bits[:, 10:40] == 0).all()


def test_the_cause_of_a_bad_pixel_travels_with_it_and_an_interpolated_one_stays_good():
    bits = np.zeros((30, 30), dtype=np.uint16)
    bits[10, 12], bits[20, 5] = MaskBit.SATURATED, MaskBit.INTERPOLATED
    aligned = align(frame_of(np.ones((30, 30)), bits == MaskBit.SATURATED, mask_bits=bits), _shift(2.0, 1.0), (30, 30))
    assert aligned.mask_bits[9, 10] == MaskBit.SATURATED and aligned.mask[9, 10]
    assert aligned.mask_bits[19, 3] == MaskBit.INTERPOLATED and not aligned.mask[19, 3]


def test_every_masked_pixel_has_a_cause():
    bits = np.zeros((30, 30), dtype=np.uint16)
    bits[10, 12] = MaskBit.COSMIC_RAY
    aligned = align(frame_of(np.ones((30, 30)), bits != 0, mask_bits=bits), _shift(0.4, 0.3), (30, 30))
    np.testing.assert_array_equal(aligned.mask_bits != 0, aligned.mask)


def test_a_map_that_misses_the_source_leaves_nothing_but_masked_pixels():
    aligned = align(frame_of(np.full((30, 30), 9.0)), _shift(500.0, 0.0), (30, 30))
    assert aligned.mask.all() and np.isfinite(aligned.data).all()


def test_what_no_longer_holds_on_the_new_grid_is_dropped():
    frame = frame_of(np.ones((30, 30)), psf=lambda x, y: gaussian_stamp(1.3), wcs=object(), gain=1.5)
    aligned = align(frame, _shift(0.0, 0.0), (30, 30))
    assert aligned.psf is None and aligned.wcs is None
    assert aligned.gain == 1.5


def test_the_frame_that_is_aligned_stays_untouched():
    data = np.random.default_rng(5).normal(100.0, 5.0, (40, 40)).astype(np.float32)
    mask = data > 110
    frame = frame_of(data.copy(), mask.copy())
    align(frame, _shift(0.3, 0.6), (40, 40))
    np.testing.assert_array_equal(frame.data, data)
    np.testing.assert_array_equal(frame.mask, mask)


def test_a_frame_without_a_good_pixel_is_refused():
    with pytest.raises(ValueError, match="masked"):
        align(frame_of(np.ones((9, 9)), np.ones((9, 9), dtype=bool)), _shift(0.0, 0.0), (9, 9))


def test_filling_changes_no_good_pixel():
    rng = np.random.default_rng(6)
    data = rng.normal(300.0, 10.0, (60, 60)).astype(np.float32)
    mask = rng.random((60, 60)) < 0.05
    filled = fill_masked(np.where(mask, np.nan, data).astype(np.float32), mask)
    # The centre is taken off and put back: a rounding of float32 at 300.
    np.testing.assert_allclose(filled[~mask], data[~mask], atol=1e-4)
    assert np.isfinite(filled).all()


def test_a_hole_takes_the_level_around_it_and_a_wide_one_the_median_of_the_frame():
    data = np.tile(np.arange(200, dtype=np.float32), (80, 1))
    mask = np.zeros(data.shape, dtype=bool)
    mask[40, 150] = True
    mask[20:60, 20:60] = True
    filled = fill_masked(data, mask)
    assert filled[40, 150] == pytest.approx(150.0, abs=0.1)  # symmetric weights on a ramp
    assert filled[40, 40] == pytest.approx(float(np.median(data[~mask])), abs=0.1)
