import numpy as np
import pytest
from scipy import ndimage

from differencing.numerics.confusion import own_noise
from differencing.numerics.noise import MAX_LAG_PX
from tests.differencing.numerics.scenes import gaussian_stamp

SHAPE = (500, 500)
EVERYWHERE = np.ones(SHAPE, dtype=bool)
SIGMAS = (1.0, 1.0)


def _images(sky_rms, sigmas=SIGMAS, noise=(1.0, 1.0)):
    """Two frames of one confused sky: faint sources everywhere, seen through Gaussian PSFs, and noise of their own."""
    rng = np.random.default_rng(41)
    sky = rng.normal(size=SHAPE)
    seen = [ndimage.gaussian_filter(sky, sigma, mode="wrap") for sigma in sigmas]
    unit = sky_rms / seen[0].std()
    return tuple(
        (unit * s + rng.normal(size=SHAPE) * n).astype(np.float32) for s, n in zip(seen, noise, strict=True)
    ), tuple(gaussian_stamp(sigma) for sigma in sigmas)


@pytest.mark.parametrize("sky_rms", [0.2, 0.4, 0.6])
def test_what_both_frames_see_of_a_crowded_sky_is_no_noise(sky_rms):
    images, psfs = _images(sky_rms)
    for found in own_noise(images, EVERYWHERE, psfs):
        assert found.share == pytest.approx(1.0 / (1.0 + sky_rms**2), abs=0.01)
        # What is left is the white noise that was put in.
        assert np.count_nonzero(found.correlation) == 1


def test_each_frame_loses_what_its_own_psf_makes_of_the_sky():
    images, psfs = _images(0.5, sigmas=(1.0, 1.6))
    sharp, wide = own_noise(images, EVERYWHERE, psfs)
    # A Gaussian of sigma s leaves white light a variance of 1 / (4 pi s²).
    assert sharp.share == pytest.approx(1.0 / (1.0 + 0.25), abs=0.02)
    assert wide.share == pytest.approx(1.0 / (1.0 + 0.25 / 1.6**2), abs=0.02)


def test_correlated_noise_of_one_frame_stays_its_noise():
    (one, other), psfs = _images(0.0)
    smooth = ndimage.gaussian_filter(one, 0.6)
    found, _ = own_noise((smooth, other), EVERYWHERE, psfs)
    assert found.share == 1.0
    assert found.correlation[MAX_LAG_PX, MAX_LAG_PX + 1] > 0.3


def test_frames_with_nothing_in_common_keep_all_of_their_noise():
    images, psfs = _images(0.0)
    assert [found.share for found in own_noise(images, EVERYWHERE, psfs)] == [1.0, 1.0]


def test_a_frame_compared_with_itself_keeps_some_noise():
    (one, _), psfs = _images(0.0)
    found, _ = own_noise((one, one.copy()), EVERYWHERE, psfs)
    assert 0.2 < found.share < 0.5


def test_without_empty_sky_nothing_is_taken_off():
    images, psfs = _images(0.5)
    assert [found.share for found in own_noise(images, ~EVERYWHERE, psfs)] == [1.0, 1.0]
