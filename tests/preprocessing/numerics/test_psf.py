import numpy as np
import pytest
from scipy.spatial import cKDTree

from preprocessing.numerics.photometry import psf_fluxes
from preprocessing.numerics.psf import PsfError, fit_psf
from preprocessing.numerics.psf_shape import core_of, windowed_centroid
from preprocessing.numerics.stars import find_stars
from tests.preprocessing.numerics.scenes import moffat_stars, star_field


def _fit(field, **options):
    stars = find_stars(field.image, field.no_mask, background=400.0, noise=field.noise)
    return fit_psf(field.image, field.no_mask, stars, background=400.0, noise=field.noise, **options), stars


def _truth(fwhm, beta, size):
    one = np.array([float(size // 2)])
    return moffat_stars((size, size), (one, one, np.ones(1)), fwhm, beta)


# At FWHM 1.8 the PSF is undersampled: a Fourier shift aliases 5 % at the Nyquist frequency.
@pytest.mark.parametrize(
    ("fwhm", "beta", "tolerance"), [(1.8, 3.0, 0.04), (2.5, 3.0, 0.02), (4.0, 2.5, 0.02), (4.0, 4.0, 0.02)]
)
def test_the_psf_is_the_truth_to_two_per_cent_of_its_peak(fwhm, beta, tolerance):
    psf, _ = _fit(star_field(21, size=600, count=90, fwhm=fwhm, beta=beta))
    truth = _truth(fwhm, beta, psf.size_px)
    assert np.abs(psf(300, 300) - truth).max() / truth.max() < tolerance


@pytest.mark.parametrize("fwhm", [2.0, 3.0, 6.0])
def test_psf_photometry_is_unbiased_to_one_per_cent(fwhm):
    field = star_field(22, size=600, count=90, fwhm=fwhm)
    psf, stars = _fit(field)
    distance, index = cKDTree(np.column_stack([field.x, field.y])).query(stars.xy)
    flux, error = psf_fluxes(field.image, field.no_mask, psf, stars, background=400.0, noise=field.noise)
    good = stars.is_clean & (distance < 1) & (flux / error > 50)
    ratio = flux[good] / field.flux[index[good]]
    assert good.sum() > 15
    assert abs(np.median(ratio) - 1) < 0.01


def test_every_position_has_sum_one_and_is_centred():
    psf, _ = _fit(star_field(23, size=600, count=120), degree=2)
    for x, y in [(0, 0), (300, 300), (599, 0), (20, 580)]:
        stamp = psf(x, y)
        assert stamp.shape[0] % 2 == 1
        assert stamp.sum() == pytest.approx(1.0, abs=1e-9)
        assert np.hypot(*windowed_centroid(stamp, 3.0)) < 0.02


def test_the_stamp_fades_to_zero_at_its_rim():
    psf, _ = _fit(star_field(24))
    stamp = psf(200, 200)
    rim = np.concatenate([stamp[0], stamp[-1], stamp[:, 0], stamp[:, -1]])
    assert np.abs(rim).max() < 1e-3 * stamp.max()


def test_a_width_that_grows_across_the_field_is_followed():
    rng = np.random.default_rng(25)
    image = np.full((600, 600), 400.0)
    x, y = rng.uniform(20, 580, (2, 110))
    flux = 3e4 * rng.uniform(0.1, 1, 110) ** -1
    for one in zip(x, y, flux, strict=True):
        image += moffat_stars((600, 600), tuple(np.array([v]) for v in one), 2.6 + 1.2 * one[0] / 600)
    image = rng.normal(image, np.sqrt(image)).astype(np.float32)
    none = np.zeros(image.shape, dtype=bool)
    stars = find_stars(image, none, background=400.0, noise=20.0)
    psf = fit_psf(image, none, stars, background=400.0, noise=20.0)
    assert psf.degree >= 1
    assert core_of(psf(550, 300))[0] - core_of(psf(50, 300))[0] == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(("count", "degree"), [(8, 0), (45, 1), (140, 2)])
def test_the_degree_follows_the_number_of_stars(count, degree):
    assert _fit(star_field(26, size=700, count=count, fwhm=2.5))[0].degree == degree


def test_masked_pixels_and_cosmic_rays_leave_no_trace():
    field = star_field(27)
    clean, stars = _fit(field, degree=0)
    image = field.image.copy()
    bright = np.argsort(-stars.flux)[:12]
    columns, rows = np.round(stars.x[bright]).astype(int) + 2, np.round(stars.y[bright]).astype(int)
    image[rows[:6], columns[:6]] = np.nan
    image[rows[6:] + 3, columns[6:]] += 20_000
    hit = fit_psf(image, field.no_mask, stars, background=400.0, noise=field.noise, degree=0)
    assert np.abs(hit(200, 200) - clean(200, 200)).max() < 0.01 * clean(200, 200).max()


def test_without_stars_there_is_no_psf():
    image = np.random.default_rng(28).normal(400, 20, (200, 200)).astype(np.float32)
    none = np.zeros(image.shape, dtype=bool)
    stars = find_stars(image, none, background=400.0, noise=20.0)
    with pytest.raises(PsfError):
        fit_psf(image, none, stars, background=400.0, noise=20.0)


def test_an_even_stamp_is_refused():
    with pytest.raises(ValueError, match="odd"):
        _fit(star_field(29), size_px=20)
