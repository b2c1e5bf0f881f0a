import numpy as np
import pytest
from scipy.spatial import cKDTree

from observations.numerics.frame import Stars
from preprocessing.numerics.stars import find_stars, point_like
from tests.preprocessing.numerics.scenes import moffat_stars, star_field


def _found(field, mask=None, **options):
    mask = field.no_mask if mask is None else mask
    return find_stars(field.image, mask, background=400.0, noise=field.noise, **options)


@pytest.mark.parametrize("fwhm", [1.8, 2.5, 4.0, 8.0])
def test_centroids_of_clean_stars_are_good_to_a_twentieth_of_a_pixel(fwhm):
    field = star_field(11, fwhm=fwhm)
    stars = _found(field)
    distance, _ = cKDTree(np.column_stack([field.x, field.y])).query(stars.xy)
    clean = stars.is_clean & (distance < 1)
    assert clean.sum() >= 15
    # Photon noise of the faintest used allows 0.03 px an axis; the median leaves out blends of two stars.
    assert np.median(distance[clean]) < 0.05


@pytest.mark.parametrize(("fwhm", "expected"), [(1.8, 2.15), (2.5, 2.8), (4.0, 4.3), (8.0, 8.4)])
def test_seeing_is_the_width_of_the_stars_with_their_pixels(fwhm, expected):
    # A Gaussian through the core of a pixel-integrated Moffat of index 3 is wider by this much.
    assert _found(star_field(12, fwhm=fwhm)).fwhm_px == pytest.approx(expected, rel=0.05)


def test_nine_of_ten_stars_are_found_and_next_to_nothing_else():
    field = star_field(13)
    stars = _found(field)
    truth = cKDTree(np.column_stack([field.x, field.y]))
    assert (cKDTree(stars.xy).query(truth.data)[0] < 1.5).mean() > 0.9  # the rest are blends
    assert (truth.query(stars.xy)[0] > 3).sum() <= 1


def test_hot_pixels_are_not_stars_and_do_not_set_the_seeing():
    field = star_field(14)
    rng = np.random.default_rng(14)
    image = field.image.copy()
    image[rng.integers(0, 400, 300), rng.integers(0, 400, 300)] += 3000
    stars = find_stars(image, field.no_mask, background=400.0, noise=field.noise)
    assert stars.fwhm_px == pytest.approx(3.3, rel=0.07)
    assert len(stars) < 1.6 * 60


def test_a_star_with_a_masked_core_is_flagged():
    field = star_field(15, count=20)
    brightest = int(np.argmax(field.flux))
    mask = field.no_mask
    mask[round(field.y[brightest]), round(field.x[brightest])] = True
    stars = _found(field, mask)
    distance = np.hypot(stars.x - field.x[brightest], stars.y - field.y[brightest])
    assert stars.is_saturated[np.argmin(distance)]


def test_close_neighbours_are_not_isolated():
    image = moffat_stars((200, 200), (np.array([60.0, 67.0, 150.0]), np.full(3, 100.0), np.full(3, 5e4)), 3.0)
    image = np.random.default_rng(16).normal(image + 400, 20).astype(np.float32)
    stars = find_stars(image, np.zeros((200, 200), dtype=bool), background=400.0, noise=20.0)
    order = np.argsort(stars.x[:3])
    assert stars.is_isolated[:3][order].tolist() == [False, False, True]


def test_pure_noise_holds_no_stars_to_speak_of():
    image = np.random.default_rng(17).normal(100, 10, (512, 512)).astype(np.float32)
    stars = find_stars(image, np.zeros((512, 512), dtype=bool), background=100.0, noise=10.0)
    assert len(stars) <= 2  # 5 sigma of the filtered image: 0.1 expected


def test_an_image_without_noise_gives_no_stars():
    assert len(find_stars(np.ones((64, 64), "f4"), np.zeros((64, 64), bool), background=1.0, noise=0.0)) == 0


def test_nan_pixels_do_not_spread():
    field = star_field(18)
    image = field.image.copy()
    image[100:140, 100:140] = np.nan
    stars = find_stars(image, field.no_mask, background=400.0, noise=field.noise)
    assert np.isfinite(stars.xy).all()
    assert np.isfinite(stars.flux).all()
    assert len(stars) > 40


def _sources(seed, stars, galaxies, *, variation=0.0):
    """Return sources as `find_stars` would list them, and which of them are stars."""
    rng = np.random.default_rng(seed)
    n = stars + galaxies
    is_star = np.arange(n) < stars
    x, y = rng.uniform(0, 1000, (2, n))
    snr = 20 * rng.uniform(0.01, 1, n) ** -0.8
    u, v = x / 500 - 1, y / 500 - 1
    psf = 3.3 * (1 + variation * (0.35 * u - 0.2 * v + 0.225 * (u * u + v * v)))
    half_light = np.where(is_star, 0, np.exp(rng.uniform(np.log(0.3), np.log(8), n)))
    fwhm = np.hypot(psf, 1.7 * half_light) * np.exp(rng.normal(0, np.hypot(1.2 / snr, 0.012)))
    no = np.zeros(n, dtype=bool)
    order = np.argsort(-snr)
    listed = Stars(x, y, snr * 10, np.full(n, 10.0), fwhm, np.zeros(n), no, ~no, float(np.median(fwhm)))
    return listed[order], is_star[order], half_light[order]


@pytest.mark.parametrize("variation", [0.0, 0.18])
@pytest.mark.parametrize(("stars", "galaxies"), [(300, 300), (150, 450), (40, 40)])
def test_stars_are_told_from_galaxies_where_the_psf_varies_and_galaxies_are_more(stars, galaxies, variation):
    sources, is_star, half_light = _sources(31, stars, galaxies, variation=variation)
    found = point_like(sources)
    assert found[is_star].mean() > 0.93
    # A half-light radius of a pixel widens a PSF of 3.3 px by 12 %: at S/N 20 that is two errors of a width.
    assert found[half_light > 1].mean() < 0.07


def test_a_bleed_or_a_blend_does_not_shape_the_ridge_of_point_sources():
    sources, *_ = _sources(32, 60, 0)
    n = len(sources)
    blended = np.arange(n) % 2 == 0
    columns = sources.columns() | {"fwhm": np.where(blended, 5.0, sources.fwhm), "is_isolated": ~blended}
    found = point_like(Stars.of(columns, sources.fwhm_px))
    assert found[~blended].mean() > 0.93
    assert not found[blended].any()


def test_without_a_usable_source_none_is_point_like():
    sources, *_ = _sources(33, 30, 0)
    spoilt = Stars.of(sources.columns() | {"is_saturated": np.ones(30, dtype=bool)}, 3.3)
    assert not point_like(spoilt).any()
    assert point_like(sources[:0]).shape == (0,)


def test_galaxies_drawn_on_the_sky_are_no_point_sources():
    rng = np.random.default_rng(34)
    x, y, flux = (rng.uniform(20, 490, 60), rng.uniform(20, 490, 60), 1e4 * rng.uniform(0.05, 1, 60) ** -0.7)
    gx, gy, bright = (rng.uniform(20, 490, 60), rng.uniform(20, 490, 60), 1e4 * rng.uniform(0.05, 1, 60) ** -0.7)
    wide = [moffat_stars((512, 512), (gx[k::3], gy[k::3], bright[k::3]), f) for k, f in enumerate((4.0, 5.0, 7.0))]
    image = moffat_stars((512, 512), (x, y, flux), 3.0) + sum(wide) + 400
    image = rng.normal(image, np.sqrt(image)).astype(np.float32)
    stars = find_stars(image, np.zeros(image.shape, dtype=bool), background=400.0, noise=20.0)
    found = point_like(stars) & stars.is_isolated & ~stars.is_saturated
    of_star = cKDTree(np.column_stack([x, y])).query(stars.xy)[0] < 1
    of_galaxy = cKDTree(np.column_stack([gx, gy])).query(stars.xy)[0] < 1
    clean = stars.is_isolated & ~stars.is_saturated
    assert found[of_star & clean].mean() > 0.9
    assert found[of_galaxy & clean].mean() < 0.1


def test_light_all_over_the_frame_is_one_source_and_no_fault():
    y, x = np.mgrid[:600, :600]
    glow = 500.0 * np.exp(-0.5 * ((x - 300.0) ** 2 + (y - 300.0) ** 2) / 250.0**2)
    image = (glow + np.random.default_rng(3).normal(size=glow.shape)).astype(np.float32)
    stars = find_stars(image, np.zeros(image.shape, dtype=bool), background=0.0, noise=1.0)
    assert len(stars) < 5
