import numpy as np
import pytest
from scipy import ndimage

from differencing.numerics.peaks import PeakParameters, fwhm_of, psf_fwhm_px
from tests.differencing.numerics.scenes import SIGMA_TO_FWHM, find, gaussian, gaussian_stamp, made_of

# The score of a point source is its PSF smoothed by itself: sqrt(2) times as wide.
SIGMA = 1.9


def _score(*sources, shape=(80, 100)):
    """Sources (x, y, height) as the score shows them."""
    out = np.zeros(shape)
    for x, y, height in sources:
        out += height * gaussian(shape, x, y, SIGMA) * 2 * np.pi * SIGMA**2
    return out


@pytest.mark.parametrize(("x", "y"), [(40.0, 30.0), (40.3, 30.2), (40.45, 29.6), (39.8, 30.49)])
@pytest.mark.parametrize("height", [12.0, -12.0])
def test_a_peak_is_found_between_the_pixels_with_its_height_and_sign(x, y, height):
    found = find(made_of(_score((x, y, height))))
    assert len(found) == 1
    # A parabola through 3 x 3 pixels of a Gaussian of sigma 1.9 px errs by 0.03 px and 2 % at most.
    assert (found.x[0], found.y[0]) == pytest.approx((x, y), abs=0.05)
    assert found.score[0] == pytest.approx(height, rel=0.02)
    assert bool(found.is_negative[0]) is (height < 0)


@pytest.mark.parametrize(("x", "y"), [(40.5, 30.0), (40.0, 30.5), (40.5, 30.5)])
def test_a_peak_exactly_between_pixels_is_one_peak(x, y):
    found = find(made_of(_score((x, y, 12.0))))
    assert len(found) == 1
    assert (found.x[0], found.y[0]) == pytest.approx((x, y), abs=0.05)


def test_peaks_of_both_signs_come_strongest_first():
    found = find(made_of(_score((20, 20, 7.0), (60, 20, -30.0), (20, 60, 12.0), (60, 60, -9.0))))
    np.testing.assert_allclose(found.score, [-30.0, 12.0, -9.0, 7.0], rtol=1e-3)
    np.testing.assert_array_equal(found.is_negative, [True, False, True, False])
    np.testing.assert_allclose(found.x, [60, 20, 60, 20], atol=0.01)


@pytest.mark.parametrize(("height", "expected"), [(5.1, 1), (4.9, 0), (-5.1, 1), (-4.9, 0)])
def test_the_threshold_divides(height, expected):
    assert len(find(made_of(_score((40, 30, height))), threshold_sigma=5.0)) == expected


def test_the_height_between_the_pixels_counts_against_the_threshold():
    # Half a pixel off the centre the pixel reads 3.4 % less.
    score = _score((40.5, 30.0, 5.08))
    assert score.max() < 5.0
    assert len(find(made_of(score + 1e-4 * np.arange(100)), threshold_sigma=5.0)) == 1


@pytest.mark.parametrize(("distance", "expected"), [(10, 2), (7, 2)])
def test_neighbours_that_the_seeing_parts_are_two(distance, expected):
    assert len(find(made_of(_score((40, 30, 20.0), (40 + distance, 30, 15.0))))) == expected


def test_a_ripple_within_the_separation_is_not_a_second_peak():
    score = _score((40, 30, 20.0))
    score[30, 43] += 6.0
    assert len(find(made_of(score), parameters=PeakParameters(separation_px=8.0))) == 1
    assert len(find(made_of(score), parameters=PeakParameters(separation_px=2.0))) == 2


def test_a_masked_peak_is_not_a_candidate():
    score = _score((40, 30, 20.0))
    score[30, 40] = np.nan
    assert len(find(made_of(score))) == 0


def test_a_hole_further_off_does_not_hide_a_peak():
    score = _score((40, 30, 20.0))
    score[30, 43] = np.nan
    assert len(find(made_of(score))) == 1


@pytest.mark.parametrize(("x", "y"), [(0, 30), (99, 30), (40, 0), (40, 79)])
def test_the_rim_of_the_frame_has_no_peak(x, y):
    assert len(find(made_of(_score((x, y, 20.0))))) == 0


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_empty_score_has_no_peak(value):
    found = find(made_of(np.full((40, 50), value)))
    assert len(found) == 0
    assert found.x.shape == found.score.shape == found.is_negative.shape == (0,)


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (3, 3)])
def test_a_tiny_frame_is_no_trouble(shape):
    score = np.zeros(shape)
    score[shape[0] // 2, shape[1] // 2] = 9.0
    assert len(find(made_of(score))) == (1 if shape == (3, 3) else 0)


def test_no_more_than_the_strongest_are_returned():
    sources = [(10 + 12 * k, 30, 6.0 + k) for k in range(7)]
    found = find(made_of(_score(*sources)), parameters=PeakParameters(max_peaks=3))
    np.testing.assert_allclose(found.score, [12.0, 11.0, 10.0], rtol=1e-3)


def test_noise_reaches_five_sigma_as_rarely_as_the_normal_distribution_says():
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(1000, 1000)), 1.3)
    found = find(made_of(noise / noise.std()), threshold_sigma=4.0)
    # Maxima of a Gaussian field above u (Euler characteristic): N = A lambda u exp(-u²/2) / (2 pi)^1.5,
    # lambda = 1 / (2 sigma²) for a kernel of sigma; both signs at u = 4 give 50, with Poisson noise of 7.
    expected = 2 * 1e6 / (2 * 1.3**2) * 4.0 * np.exp(-8.0) / (2 * np.pi) ** 1.5
    assert len(found) == pytest.approx(expected, abs=4 * np.sqrt(expected))
    assert len(find(made_of(noise / noise.std()), threshold_sigma=6.0)) == 0


@pytest.mark.parametrize("sigma", [0.9, 1.3, 2.5])
def test_the_fwhm_of_a_gaussian_is_known(sigma):
    # The area is counted in fifths of a pixel.
    assert fwhm_of(gaussian_stamp(sigma)) == pytest.approx(SIGMA_TO_FWHM * sigma, rel=0.05)


@pytest.mark.parametrize(("height", "count"), [(20.0, 1), (-20.0, 2)])
def test_the_psf_of_the_frame_that_shows_a_peak_sets_the_separation(height, count):
    # Two peaks 5 px apart: too close for a science PSF of FWHM 7.1 px, not for a reference's of 3.1.
    wide = gaussian_stamp(3.0)
    score = _score((40, 30, height), (45, 30, 0.9 * height))
    difference = made_of(score, sigma_psf=1.3, psf_science=lambda x, y: wide)
    assert psf_fwhm_px(difference, is_negative=False) == pytest.approx(SIGMA_TO_FWHM * 3.0, rel=0.05)
    assert psf_fwhm_px(difference, is_negative=True) == pytest.approx(SIGMA_TO_FWHM * 1.3, rel=0.05)
    assert len(find(difference)) == count


def test_the_slope_of_a_higher_peak_hides_no_other_beyond_the_separation():
    score = _score((40, 30, 60.0))
    score[30, 45] += 9.0
    assert len(find(made_of(score), parameters=PeakParameters(separation_px=4.0))) == 2


def test_of_a_row_of_peaks_the_one_that_nothing_leads_is_kept():
    # The second is closer than the separation to both others, which are not to each other.
    score = np.zeros((40, 80))
    score[20, [20, 24, 28]] = 30.0, 20.0, 10.0
    found = find(made_of(score), parameters=PeakParameters(separation_px=5.0))
    np.testing.assert_allclose(np.sort(found.x), [20.0, 28.0])
