"""Point sources and galaxies of the simulation, against what is known of them on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest

from observations.numerics.simulate.sources import Galaxies, MoffatPsf, galaxies, point_sources, sersic_gaussians

SHAPE = (121, 141)
FLUX = 1e5


def one(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def star(x, y, fwhm_px=3.0, flux=FLUX, faintest=1e-4, **shape):
    return point_sources(SHAPE, one(x), one(y), one(flux), MoffatPsf(fwhm_px, SHAPE, **shape), faintest=faintest)


def galaxy(x, y, radius_px, index=1.0, axis_ratio=1.0, angle=0.0, fwhm_px=3.0):
    source = Galaxies(one(x), one(y), one(FLUX), one(radius_px), one(index), one(axis_ratio), one(angle))
    return galaxies(SHAPE, source, MoffatPsf(fwhm_px, SHAPE))


def centroid(image):
    y, x = np.indices(image.shape)
    return float((image * x).sum() / image.sum()), float((image * y).sum() / image.sum())


def moments(image, x, y):
    v, u = np.indices(image.shape)
    weighted = [(image * m).sum() / image.sum() for m in ((u - x) ** 2, (v - y) ** 2, (u - x) * (v - y))]
    return [float(m) for m in weighted]


@pytest.mark.parametrize("fwhm_px", [2.0, 2.5, 4.0])
def test_a_star_keeps_its_flux(fwhm_px):
    # Beyond the edge, 60 px or 15 FWHM away, lies 1.1e-5 of a Moffat of beta 3; integration over pixels errs less.
    assert star(70.3, 60.2, fwhm_px).sum() == pytest.approx(FLUX, rel=1e-4)


def test_the_flux_within_a_radius_is_that_of_the_moffat_profile():
    # Moffat (1969): 1 - (1 + r²/alpha²)**(1 - beta). At 12 px the pixels astride the circle are 0.1 % of the flux.
    image, radius, fwhm = star(70.0, 60.0, 4.0), 12.0, 4.0
    y, x = np.indices(SHAPE)
    alpha = fwhm / (2 * math.sqrt(2 ** (1 / 3) - 1))
    inside = image[np.hypot(x - 70, y - 60) <= radius].sum() / FLUX
    assert inside == pytest.approx(1 - (1 + radius**2 / alpha**2) ** -2, abs=1e-3)


def test_a_pixel_holds_the_integral_of_the_profile_and_not_its_central_value():
    fine = (np.arange(400) + 0.5) / 400 - 0.5
    alpha = 2.5 / (2 * math.sqrt(2 ** (1 / 3) - 1))
    r2 = (fine[:, None] - 0.3) ** 2 + (fine[None, :] + 0.2) ** 2
    expected = (2 / (math.pi * alpha**2) * (1 + r2 / alpha**2) ** -3).mean()
    # Three Gauss-Legendre nodes per axis at FWHM 2.5 px; the central value is 7 % too high.
    assert star(70.3, 59.8, 2.5)[60, 70] / FLUX == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("x", "y"), [(70.0, 60.0), (70.37, 59.81), (69.5, 60.5)])
def test_a_star_stands_where_it_was_put(x, y):
    # Its stamp is cut at whole pixels, which moves the centroid by no more than this.
    assert centroid(star(x, y, e1=0.1, e2=-0.05)) == pytest.approx((x, y), abs=0.002)


def test_the_half_maximum_lies_at_half_the_fwhm():
    psf = MoffatPsf(20.0, SHAPE)  # so wide that the pixels do not matter
    cut = psf.stamp(70.0, 60.0, 40)[40]
    assert np.interp(10.0, np.arange(41), cut[40:] / cut[40]) == pytest.approx(0.5, abs=0.005)


def test_an_elliptical_star_is_longest_along_its_angle():
    angle = math.radians(30)
    xx, yy, xy = moments(star(70.0, 60.0, 4.0, e1=0.2 * math.cos(2 * angle), e2=0.2 * math.sin(2 * angle)), 70, 60)
    assert math.degrees(math.atan2(2 * xy, xx - yy)) / 2 == pytest.approx(30, abs=0.5)
    root = math.hypot((xx - yy) / 2, xy)
    ratio = math.sqrt(((xx + yy) / 2 - root) / ((xx + yy) / 2 + root))
    # The moments reach out to the stamp's square edge, which rounds them a little.
    assert 1 - ratio == pytest.approx(0.2, abs=0.02)


def test_a_star_beyond_the_edge_leaves_its_wing_and_one_far_away_nothing():
    assert 0 < star(-3.0, 60.0).sum() < 0.2 * FLUX
    assert star(-300.0, 60.0).sum() == 0


def test_two_stars_add_up():
    both = point_sources(SHAPE, one(40, 80.5), one(50, 60.2), one(1e3, 2e3), MoffatPsf(3.0, SHAPE), faintest=1e-3)
    apart = star(40, 50, flux=1e3, faintest=1e-3) + star(80.5, 60.2, flux=2e3, faintest=1e-3)
    np.testing.assert_allclose(both, apart, atol=1e-12)


def test_the_psf_is_odd_square_centred_and_of_sum_one():
    stamp = MoffatPsf(3.1, SHAPE, e1=0.1, variation=0.1)(20.7, 100.2)
    assert stamp.shape[0] == stamp.shape[1] and stamp.shape[0] % 2 == 1
    assert stamp.sum() == pytest.approx(1, abs=1e-12)
    middle = stamp.shape[0] // 2
    assert centroid(stamp) == pytest.approx((middle, middle), abs=1e-9)


def test_the_psf_is_the_image_of_a_star_at_the_same_place():
    psf = MoffatPsf(3.0, SHAPE, e1=0.05, e2=0.05, variation=0.2)
    x, y = 100.0, 30.0
    image = point_sources(SHAPE, one(x), one(y), one(1.0), psf, faintest=1e-9)
    stamp = psf(x, y)
    half = stamp.shape[0] // 2
    # The stamp's sum is brought to one, which lifts it by the 0.07 % that lie beyond six FWHM.
    seen = image[30 - half : 31 + half, 100 - half : 101 + half]
    np.testing.assert_allclose(seen, stamp, rtol=1e-3)


def test_the_fwhm_grows_by_the_stated_variation_towards_the_worst_corner():
    psf = MoffatPsf(3.0, (1000, 1000), variation=0.1)
    corners = [psf.local(x, y)[0] for x in (0, 999) for y in (0, 999)]
    assert psf.local(499.5, 499.5)[0] == pytest.approx(3.0)
    assert max(corners) == pytest.approx(3.3, abs=0.001)


@pytest.mark.parametrize("index", [1.0, 1.5, 2.5, 4.0])
def test_the_gaussians_follow_the_sersic_profile(index):
    weights, sigmas = sersic_gaussians(index)
    r = np.geomspace(0.03, 3, 60)
    mixture = (weights * np.exp(-0.5 * (r[:, None] / sigmas) ** 2) / sigmas**2).sum(axis=1)
    b = 2 * index - 1 / 3 + 4 / (405 * index)
    ratio = mixture / np.exp(-b * (r ** (1 / index) - 1))
    # Least squares over 0.02 to 6 half-light radii keep within 1 % of the shape; the scale is set by the sum of one.
    np.testing.assert_allclose(ratio / np.median(ratio), 1, atol=0.012)
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("index", [1.0, 2.5])
def test_half_of_the_light_lies_within_the_half_light_radius(index):
    weights, sigmas = sersic_gaussians(index)
    # What lies beyond six radii is missing: 1 % of the light at index 2.5.
    assert (weights * (1 - np.exp(-0.5 / sigmas**2))).sum() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("axis_ratio", "angle"), [(1.0, 0.0), (0.5, 0.0), (0.5, 0.7)])
def test_a_galaxy_keeps_its_flux_and_its_place(axis_ratio, angle):
    image = galaxy(70.3, 59.6, 3.0, 1.5, axis_ratio, angle)
    # The stamp of six radii and four FWHM misses the outermost wings of both profiles.
    assert image.sum() == pytest.approx(FLUX, rel=0.002)
    assert centroid(image) == pytest.approx((70.3, 59.6), abs=0.02)


@pytest.mark.parametrize("radius_px", [0.3, 1.0, 8.0])
def test_a_galaxy_of_any_size_keeps_its_flux(radius_px):
    # The largest reaches beyond its stamp's six radii and the image's edge by half a per cent.
    assert galaxy(70.3, 59.6, radius_px).sum() == pytest.approx(FLUX, rel=0.008)


def test_an_aureole_takes_its_share_of_the_light_far_out():
    plain, hazy = (MoffatPsf(3.0, SHAPE, aureole=share).stamp(70.0, 60.0, 50) for share in (0.0, 0.1))
    y, x = np.indices(plain.shape) - 50
    # Of a Moffat of beta 2 and FWHM 24 px, alpha = 18.6 px, the share 1 / (1 + (r / alpha)²) lies beyond r.
    beyond = np.hypot(x, y) > 15
    inside = np.hypot(x, y) <= 50
    expected = 1 / (1 + (15 / 18.64) ** 2) - 1 / (1 + (50 / 18.64) ** 2)
    assert (hazy - 0.9 * plain)[beyond & inside].sum() == pytest.approx(0.1 * expected, rel=0.02)
    assert MoffatPsf(3.0, SHAPE, aureole=0.1)(70.0, 60.0).sum() == pytest.approx(1.0)
    assert MoffatPsf(3.0, SHAPE, aureole=0.1)(70.0, 60.0).shape[0] > 2 * 30


def test_a_galaxy_without_extent_is_a_star():
    difference = galaxy(70.3, 59.6, 0.01) - star(70.3, 59.6)
    # The transform is sampled twice per pixel; the peak holds 6 400 counts.
    assert np.abs(difference).max() < 2e-4 * star(70.3, 59.6).max()


def test_a_galaxy_without_extent_has_the_aureole_of_a_star():
    psf = MoffatPsf(3.0, SHAPE, e1=0.1, e2=0.05, aureole=0.1)
    source = Galaxies(one(70.3), one(59.8), one(FLUX), one(0.01), one(1.0), one(1.0), one(0.0))
    seen = galaxies(SHAPE, source, psf, faintest=1e-2)
    expected = point_sources(SHAPE, one(70.3), one(59.8), one(FLUX), psf, faintest=1e-4)
    # What lies beyond the galaxy's stamp is folded into it: some tenths of a per cent of the light, all over it.
    np.testing.assert_allclose(seen[25:95, 35:105], expected[25:95, 35:105], rtol=2e-3, atol=2e-5 * FLUX)


def test_an_inclined_galaxy_is_longest_along_its_angle():
    xx, yy, xy = moments(galaxy(70.0, 60.0, 5.0, 1.0, 0.4, math.radians(30)), 70, 60)
    assert math.degrees(math.atan2(2 * xy, xx - yy)) / 2 == pytest.approx(30, abs=1.0)


def test_a_galaxy_moved_by_a_fraction_of_a_pixel_is_the_same_galaxy():
    # No cusp is sampled: the light of the middle 7 x 7 px does not depend on where in the pixel the centre stands.
    light = [galaxy(70 + d, 60.0, 3.0, 4.0) for d in (0.0, 0.5)]
    back = np.fft.ifft2(
        np.fft.fft2(light[1]) * np.exp(2j * np.pi * np.fft.fftfreq(SHAPE[1]) * 0.5),
    ).real
    np.testing.assert_allclose(back[57:64, 67:74], light[0][57:64, 67:74], rtol=0.005)
