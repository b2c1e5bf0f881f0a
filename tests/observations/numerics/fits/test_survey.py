"""Images of surveys: linear counts again, band, epoch and zero point, and a reason where one cannot be used."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy.io import fits

from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.products import encode_image
from observations.numerics.fits.survey import read_survey_image
from observations.numerics.simulate.nights import NightParameters
from tests.surveys import survey_sky, write_panstarrs

SMALL = NightParameters(seed=3, size=96, stars_per_mpx=1400, transients=0, dither_px=4.0)


def plain(path, data=None, **cards):
    """Write an image north up at RA 150, Dec 22 with such cards."""
    header = fits.Header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    header["CRVAL1"], header["CRVAL2"], header["CRPIX1"], header["CRPIX2"] = 150.0, 22.0, 20.5, 20.5
    header["CDELT1"], header["CDELT2"] = -1e-4, 1e-4
    for keyword, value in cards.items():
        header[keyword.replace("_", "-") if keyword.startswith(("MJD", "DATE")) else keyword] = value
    fits.writeto(path, np.ones((40, 40), np.float32) if data is None else data, header)
    return path


def test_the_counts_of_panstarrs_are_linear_again(tmp_path):
    counts, wcs = survey_sky(SMALL)
    image = read_survey_image(write_panstarrs(tmp_path / "ps1.fits", SMALL))
    assert np.isnan(image.data[:20, :30]).all()
    seen = np.isfinite(image.data)
    # float32 holds seven digits of the magnitude, hence six of the counts.
    np.testing.assert_allclose(image.data[seen], counts[seen], rtol=1e-5, atol=1e-3)
    assert (image.survey, image.band, image.mjd_utc) == ("Pan-STARRS", "r", pytest.approx(55900.5, abs=0.02))
    assert image.zero_point_mag == pytest.approx(25.0 + 2.5 * math.log10(700.0))
    ra, dec = image.wcs.all_pix2world([3.0, 80.0], [70.0, 11.0], 0)
    expected = wcs.all_pix2world([3.0, 80.0], [70.0, 11.0], 0)
    np.testing.assert_allclose([ra, dec], expected, atol=1e-9)


def test_a_cutout_that_is_linear_already_stays_as_it_is(tmp_path):
    data = np.full((40, 40), 2.0, np.float32)
    data[20, 20] = 5000.0
    image = read_survey_image(plain(tmp_path / "ps1.fits", data, BSOFTEN=100.0, BOFFSET=0.0))
    np.testing.assert_array_equal(image.data, data)


def test_skymapper_states_its_zero_point(tmp_path):
    path = plain(tmp_path / "sm.fits", TELESCOP="SkyMapper", FILTER="g", ZPAPPROX=29.1, MJD_OBS=57001.4, EXPTIME=100.0)
    image = read_survey_image(path)
    assert (image.survey, image.band, image.zero_point_mag) == ("SkyMapper", "g", 29.1)
    assert image.mjd_utc == pytest.approx(57001.4, abs=1e-3)


def test_the_legacy_surveys_count_nanomaggies_and_hold_a_band_in_each_plane(tmp_path):
    cube = np.stack([np.full((40, 40), value, np.float32) for value in (1.0, 2.0, 3.0)])
    path = plain(tmp_path / "ls.fits", cube, SURVEY="LegacySurvey", BANDS="grz", BAND0="g", BAND1="r", BAND2="z")
    image = read_survey_image(path, band="r")
    assert (image.survey, image.band, image.zero_point_mag, image.mjd_utc) == ("Legacy Surveys", "r", 22.5, None)
    assert image.data.shape == (40, 40) and (image.data == 2.0).all()
    with pytest.raises(FitsRefused, match="g, r, z") as caught:
        read_survey_image(path, band="i")
    assert caught.value.code == "no_band"


def test_another_telescope_serves_with_what_its_header_says(tmp_path):
    image = read_survey_image(plain(tmp_path / "any.fits", TELESCOP="INT", FILTER="R"))
    assert (image.survey, image.band, image.zero_point_mag) == ("INT", "R", None)


def test_an_image_without_world_coordinates_is_refused(tmp_path):
    fits.writeto(tmp_path / "bare.fits", np.ones((40, 40), np.float32))
    with pytest.raises(FitsRefused, match="no world coordinates") as caught:
        read_survey_image(tmp_path / "bare.fits")
    assert caught.value.code == "no_wcs"


def test_a_product_is_no_image_of_a_survey(tmp_path):
    (tmp_path / "product.fits").write_bytes(encode_image(np.ones((40, 40))))
    with pytest.raises(FitsRefused, match="processed product"):
        read_survey_image(tmp_path / "product.fits")
