import numpy as np

from differencing.numerics.kernel import fit_kernel
from differencing.numerics.pair import prepare, with_kernel
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.stars import find_stars
from tests.differencing.numerics.scenes import find, gaussian, pair_of, subtract
from tests.parameters import ZOGY

FIELD = {"shape": (400, 400), "n_stars": 160, "n_galaxies": 60}


def _wider(psf, share):
    """The PSF as somebody who is wrong about its width by a share would draw it."""
    size = psf(200.0, 200.0).shape[0]

    def wrong(x, y):
        stamp = psf(x, y)
        blur = gaussian((size, size), size // 2, size // 2, share)
        hats = np.fft.rfft2(stamp) * np.fft.rfft2(np.fft.ifftshift(blur / blur.sum()))
        wide = np.fft.irfft2(hats, stamp.shape)
        return wide / wide.sum()

    return wrong


def test_perfect_psfs_need_no_kernel():
    pair = pair_of(81, **FIELD)
    assert with_kernel(prepare(pair.science, pair.reference, (None, None), ZOGY)).kernel is None


def test_a_psf_that_is_too_wide_is_mended_so_that_stars_and_galaxies_cancel():
    pair = pair_of(81, **FIELD)
    wrong = _wider(pair.psf_science, 0.7)
    kernel = with_kernel(prepare(pair.science, pair.reference, (wrong, None), ZOGY)).kernel
    assert kernel is not None and kernel.sources > 50
    difference = subtract(pair.science, pair.reference, psf_science=wrong)
    found = find(difference)
    inner = (np.minimum(found.x, 399 - found.x) > 16) & (np.minimum(found.y, 399 - found.y) > 16)
    assert inner.sum() <= 2
    assert difference.diagnostics.model_error < 0.02


def test_too_few_sources_make_no_kernel():
    pair = pair_of(82)
    side = prepare(pair.science, pair.reference, (None, None), ZOGY)
    sky = estimate_background(pair.science.data, pair.science.mask)
    stars = find_stars(pair.science.data, pair.science.mask, background=sky.level, noise=sky.noise)
    few = stars[np.arange(len(stars)) < 8]
    images, psfs = (side.new.image, side.ref.image), (side.new.psf, side.ref.psf)
    noise = (side.new.noise.median, side.ref.noise.median)
    assert fit_kernel(images, psfs, noise, None, few, side.mask, side.fwhm_px) is None
