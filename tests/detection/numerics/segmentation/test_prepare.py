import numpy as np
import pytest

from detection.numerics.segmentation.prepare import binned, binning, noise_of, planes_of
from tests.detection.numerics.segmentation.conftest import blank


def whole(image):
    return tuple(slice(0, n) for n in image.shape)


def test_frames_are_binned_to_a_seeing_near_three_pixels():
    assert [binning(fwhm) for fwhm in (1.5, 3.0, 4.4, 6.2, 12.0)] == [1, 1, 1, 2, 4]


@pytest.mark.parametrize("fwhm", [0.0, -1.0, np.nan])
def test_a_seeing_that_is_none_is_refused(fwhm):
    with pytest.raises(ValueError, match="positive number"):
        binning(fwhm)


def test_a_square_is_the_mean_of_its_good_pixels_and_bad_where_most_are():
    image = np.arange(20, dtype=np.float32).reshape(4, 5)
    mask = np.zeros(image.shape, dtype=bool)
    mask[0, 0] = mask[2, 2] = mask[2, 3] = mask[3, 2] = True
    image[1, 1] = np.nan
    means, is_bad = binned(image, mask, 2)
    assert means.shape == is_bad.shape == (2, 3)
    assert means[0, 0] == (1 + 5) / 2
    assert not is_bad[0, 0], "half of it is good"
    assert is_bad[1, 1], "three of four are bad"
    # The edge cuts it: two pixels of four are there.
    assert means[0, 2] == (4 + 9) / 2


def test_noise_is_divided_out_where_it_is_and_sources_do_not_raise_it():
    image, mask = blank((384, 512))
    image[:, 256:] *= 3.0
    image += 40.0
    image[::17, ::13] += 900.0
    sigmas, _ = planes_of(image, mask, noise_of(image, mask, 1), whole(image))
    for part in (sigmas[:, :160], sigmas[:, -160:]):
        assert np.median(np.abs(part)) * 1.4826 == pytest.approx(1.0, abs=0.05)
        assert abs(np.median(part)) < 0.05


def test_a_part_is_the_same_as_in_the_whole():
    image, mask = blank((300, 260))
    image *= np.linspace(1, 3, 260, dtype=np.float32)
    noise = noise_of(image, mask, 2)
    everything, _ = planes_of(image, mask, noise, (slice(0, 150), slice(0, 130)))
    part, _ = planes_of(image, mask, noise, (slice(64, 128), slice(32, 100)))
    np.testing.assert_allclose(part, everything[64:128, 32:100], rtol=1e-6)


def test_what_is_bad_or_unknown_is_nought_and_masked():
    image, mask = blank((128, 128))
    mask[10, 20] = True
    image[30, 40] = np.nan
    sigmas, is_bad = planes_of(image, mask, noise_of(image, mask, 1), whole(image))
    assert is_bad.sum() == 2
    assert sigmas[10, 20] == sigmas[30, 40] == 0.0
    assert np.isfinite(sigmas).all()


def test_an_image_without_noise_or_without_good_pixels_is_refused():
    image, mask = blank((128, 128))
    with pytest.raises(ValueError, match="no noise"):
        noise_of(np.zeros_like(image), mask, 1)
    with pytest.raises(ValueError, match="nothing in this image is good"):
        noise_of(image, ~mask, 1)
