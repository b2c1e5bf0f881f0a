import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from observations.numerics.fits.facts import Notes
from observations.numerics.fits.wcs import header_wcs, nominal_wcs
from observations.numerics.sphere import project
from preprocessing.numerics.astrometry.solution import (
    Catalogue,
    MatchFailed,
    Pointing,
    Transform,
    WcsInvalid,
    check_wcs,
    registration_quality,
    solve_with_catalogue,
    wcs_from_match,
)

SHAPE = (900, 1000)


def _wcs(ra=120.0, dec=-30.0, scale=1.2, angle_deg=0.0, flip=False):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [500.5, 450.5]
    a = np.radians(angle_deg)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    wcs.wcs.cd = turn @ np.diag([1.0 if flip else -1.0, 1.0]) * scale / 3600
    wcs.wcs.set()
    return wcs


def _separation_px(one, other, scale):
    return one.separation(other).arcsec / scale


@pytest.mark.parametrize(("ra", "dec"), [(120.0, -30.0), (0.01, 5.0), (200.0, 89.5)])
def test_a_star_has_the_same_position_in_every_frame_of_a_field(ra, dec):
    anchor = _wcs(ra, dec)
    transform = Transform(np.array([[240.0, 0.99997, 0.008], [-40.0, -0.008, 0.99997]]))
    solved = wcs_from_match(anchor, transform, SHAPE)
    x, y = np.random.default_rng(1).uniform(0, 900, (2, 40))
    truth = anchor.pixel_to_world(*transform(x, y)).icrs
    assert _separation_px(solved.wcs.pixel_to_world(x, y), truth, 1.2).max() < 0.01
    assert solved.rms_px < 0.01


def test_an_anchor_in_fk4_gives_icrs_positions():
    anchor = _wcs()
    anchor.wcs.radesys, anchor.wcs.equinox = "FK4", 1950.0
    solved = wcs_from_match(anchor, Transform.shift(0, 0), SHAPE)
    truth = anchor.pixel_to_world(100, 200).icrs
    assert solved.wcs.wcs.radesys == "ICRS"
    assert _separation_px(solved.wcs.pixel_to_world(100, 200), truth, 1.2) < 0.01


def test_a_distorted_anchor_is_followed_by_sip_terms_that_survive_a_header():
    anchor = _wcs()
    header = anchor.to_header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    header.update({"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 2e-6, "B_0_2": -3e-6, "A_1_1": 1e-6})
    bent = WCS(header)
    transform = Transform.shift(60.0, -35.0)
    solved = wcs_from_match(bent, transform, SHAPE)
    again = WCS(fits.Header.fromstring(solved.wcs.to_header(relax=True).tostring()))
    x, y = np.random.default_rng(2).uniform(0, 900, (2, 40))
    truth = bent.pixel_to_world(*transform(x, y)).icrs
    assert "A_ORDER" in solved.wcs.to_header(relax=True)
    assert _separation_px(again.pixel_to_world(x, y), truth, 1.2).max() < 0.02


def _catalogue(ra0, dec0, seed):
    rng = np.random.default_rng(seed)
    plane = _wcs(ra0, dec0, scale=3600.0, flip=True)
    xi, eta = rng.uniform(-1.4, 1.4, (2, 5000))
    ra, dec = plane.all_pix2world(xi + 499.5, eta + 449.5, 0)
    return Catalogue(ra, dec, 20 + 2 * np.log10(rng.uniform(1e-4, 1, 5000)))


@pytest.mark.parametrize(("ra", "dec", "angle", "flip"), [(120.0, -30.0, 33.0, False), (359.9, 88.6, 211.0, True)])
def test_a_frame_half_a_degree_off_its_claim_is_solved(ra, dec, angle, flip):
    catalogue = _catalogue(ra, dec, seed=3)
    centre = SkyCoord(ra, dec, unit="deg").directional_offset_by(40 * u.deg, 0.5 * u.deg)
    truth = _wcs(centre.ra.deg, centre.dec.deg, scale=1.2 * 1.06, angle_deg=angle, flip=flip)
    x, y = truth.all_world2pix(catalogue.ra_deg, catalogue.dec_deg, 0)
    rng = np.random.default_rng(4)
    seen = (x > 0) & (x < 1000) & (y > 0) & (y < 900) & (rng.uniform(size=x.size) < 0.9)
    xy = np.column_stack([x[seen], y[seen]]) + rng.normal(0, 0.2, (seen.sum(), 2))
    flux = 10 ** (-0.4 * catalogue.magnitude[seen])
    solved = solve_with_catalogue(xy, flux, SHAPE, Pointing(ra, dec, 1.2), catalogue)
    corners = np.array([[0, 0], [999, 899], [0, 899]], dtype=float).T
    away = truth.pixel_to_world(*corners).separation(solved.wcs.pixel_to_world(*corners)).arcsec / 1.27
    # 0.2 px of scatter over 60 stars is 0.05 px in the middle and three times that in a corner.
    assert away.max() < 0.4
    assert solved.rms_px < 0.4
    assert solved.star_count > 0.8 * seen.sum()


def test_the_wrong_part_of_the_sky_does_not_solve():
    rng = np.random.default_rng(5)
    with pytest.raises(MatchFailed, match="no place within"):
        solve_with_catalogue(
            rng.uniform(0, 900, (60, 2)), rng.uniform(1, 100, 60), SHAPE, Pointing(120, -30, 1.2, radius_deg=0.12),
            _catalogue(120, -30, seed=6),
        )  # fmt: skip


def test_projection_agrees_with_wcslib():
    wcs = _wcs(10.0, 60.0, scale=3600.0, flip=True)
    xi, eta = project(np.array([11.0, 8.5]), np.array([60.5, 59.2]), 10.0, 60.0)
    x, y = wcs.all_world2pix([11.0, 8.5], [60.5, 59.2], 0)
    np.testing.assert_allclose([xi, eta], [x - 499.5, y - 449.5], atol=1e-9)


def test_a_good_header_gives_its_scale():
    assert check_wcs(_wcs(scale=0.53), SHAPE) == pytest.approx(0.53)


def test_a_placeholder_wcs_is_refused():
    blank = WCS(naxis=2)
    blank.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    blank.wcs.cdelt = [1.0, 1.0]
    with pytest.raises(WcsInvalid, match="placeholder"):
        check_wcs(blank, SHAPE)


def test_a_pixel_wcs_and_an_impossible_scale_are_refused():
    with pytest.raises(WcsInvalid, match="celestial"):
        check_wcs(WCS(naxis=2), SHAPE)
    with pytest.raises(WcsInvalid, match="arcsec a pixel"):
        check_wcs(_wcs(scale=4000.0), SHAPE)


@pytest.mark.parametrize(("scale", "is_possible"), [(0.004, False), (0.006, True), (650.0, True), (760.0, False)])
def test_a_scale_that_a_header_may_have_is_one_that_a_solution_may_have(scale, is_possible):
    """An all-sky camera of a megapixel has 650 arcsec a pixel."""
    shape = (60, 60)
    wcs = nominal_wcs(120.0, -30.0, scale, shape)
    assert (header_wcs(wcs.to_header(), shape, Notes()) is not None) == is_possible
    if is_possible:
        assert check_wcs(wcs, shape) == pytest.approx(scale)
    else:
        with pytest.raises(WcsInvalid, match="arcsec a pixel"):
            check_wcs(wcs, shape)


@pytest.mark.parametrize(
    ("rms", "fwhm", "quality"), [(0.0, 3.0, 1.0), (0.75, 3.0, 0.5), (9.0, 3.0, 0.0), (np.nan, 3.0, 0.0)]
)
def test_registration_quality_falls_from_one_to_zero_at_half_the_seeing(rms, fwhm, quality):
    assert registration_quality(rms, fwhm) == pytest.approx(quality)
