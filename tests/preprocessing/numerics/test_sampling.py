from dataclasses import dataclass

import numpy as np
import pytest

from observations.numerics.fits.facts import FrameFacts
from observations.numerics.frame import MaskBit
from preprocessing.numerics import sampling
from preprocessing.numerics.preprocess import preprocess
from tests.parameters import PREPROCESSING
from tests.preprocessing.numerics.scenes import moffat_stars


@dataclass(frozen=True)
class Raw:
    data: np.ndarray
    facts: FrameFacts


def _field(fwhm, seed, hot=0):
    """Return a frame of stars that pixels may be too large for, and x, y and flux of the bright ones."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(6, 394, (2, 70))
    flux = 4000.0 * rng.uniform(0.03, 1.0, 70) ** -0.8
    clean = moffat_stars((400, 400), (x, y, flux), fwhm, beta=5.0) + 400.0
    image = rng.normal(clean, np.sqrt(clean)).astype(np.float32)
    image[rng.integers(0, 400, hot), rng.integers(0, 400, hot)] += 8000.0
    facts = FrameFacts(kind="light", width=400, height=400, exposure_s=60.0, gain_e_per_adu=1.0)
    return Raw(image, facts), (x, y, flux)


def _ratios(done, truth):
    stars, ratios = done.frame.stars, []
    for x, y, flux in zip(*truth, strict=True):
        near = np.hypot(stars.x - x, stars.y - y)
        k = int(np.argmin(near))
        if near[k] < 0.7 and stars.is_isolated[k] and not stars.is_saturated[k]:
            ratios.append(stars.flux[k] / flux)
    return np.array(ratios)


@pytest.mark.parametrize("fwhm", [0.8, 1.0, 1.2, 1.4])
@pytest.mark.parametrize("seed", [1, 2])
def test_fluxes_of_stars_that_pixels_are_too_large_for_are_right_in_the_median(fwhm, seed):
    raw, truth = _field(fwhm, seed)
    done = preprocess(raw, None, PREPROCESSING)
    assert done.failure is None
    ratios = _ratios(done, truth)
    assert len(ratios) > 35
    assert np.median(ratios) == pytest.approx(1.0, abs=0.03)
    assert [doubt.code for doubt in done.doubts] == ["undersampled"]
    # The width that is told holds the pixel's own, and a Moffat's wings.
    assert done.doubts[0].value == pytest.approx(np.hypot(fwhm, 0.68), abs=0.2)


def test_well_sampled_stars_are_left_as_they_are():
    raw, _ = _field(2.4, 3)
    done = preprocess(raw, None, PREPROCESSING)
    assert done.doubts == ()
    untouched = done.frame.mask_bits == 0
    np.testing.assert_array_equal(done.frame.data[untouched], raw.data[untouched])


def test_hot_pixels_are_masked_before_sharp_stars_are_smoothed():
    raw, truth = _field(1.2, 4, hot=200)
    done = preprocess(raw, None, PREPROCESSING)
    assert np.median(_ratios(done, truth)) == pytest.approx(1.0, abs=0.03)
    hot = raw.data > 8000
    known = (done.frame.mask_bits & (MaskBit.INTERPOLATED | MaskBit.COSMIC_RAY | MaskBit.BAD)) != 0
    assert known[hot].mean() > 0.9


def test_smoothing_keeps_light_and_tells_the_error_of_fluxes():
    rng = np.random.default_rng(5)
    noise = rng.normal(0.0, 1.0, (400, 400)).astype(np.float32)
    assert sampling.smoothed(noise + 3).mean() == pytest.approx((noise + 3).mean(), abs=1e-3)
    assert sampling.smoothed(noise).std() == pytest.approx(sampling.PIXEL_NOISE, rel=0.02)
    sigma = 2.1 / 2.354820045
    v, u = np.mgrid[-6:7, -6:7]
    psf = np.exp(-0.5 * (u**2 + v**2) / sigma**2)
    psf /= psf.sum()
    image = sampling.smoothed(noise)
    fluxes = [
        (psf * image[y - 6 : y + 7, x - 6 : x + 7]).sum() / (psf**2).sum()
        for y in range(10, 390, 8)
        for x in range(10, 390, 8)
    ]
    # 2300 fluxes know their scatter to 1.5 %.
    assert np.std(fluxes) == pytest.approx(sampling.noise_share(2.1) / np.sqrt((psf**2).sum()), rel=0.05)
