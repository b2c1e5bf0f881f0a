"""A header's world coordinates against those that the stars gave."""

import numpy as np
import pytest
from astropy.wcs import WCS

from preprocessing.numerics.astrometry.claims import doubts_of_header

SHAPE = (1000, 1200)


def _wcs(ra=150.0, dec=2.0, *, scale=1.0, angle_deg=0.0, mirror=-1.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [(SHAPE[1] + 1) / 2, (SHAPE[0] + 1) / 2]
    a = np.radians(angle_deg)
    wcs.wcs.cd = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ np.diag([mirror, 1.0]) * scale / 3600
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    return wcs


def _said(claimed, error_arcsec=0.1):
    doubts = doubts_of_header(claimed, _wcs(), SHAPE, error_arcsec)
    return doubts[0] if doubts else None


def test_a_header_that_agrees_is_not_doubted():
    assert _said(_wcs(dec=2.0 + 1.9 / 3600)) is None


def test_two_arcseconds_are_the_bound_and_the_solution_s_own_error_widens_it():
    off = _wcs(dec=2.0 + 2.5 / 3600)
    assert _said(off).value == pytest.approx(2.5, abs=0.02)
    assert _said(off, error_arcsec=0.3) is None


def test_a_shift_is_named_as_one():
    doubt = _said(_wcs(dec=2.0 + 90 / 3600))
    assert (doubt.code, doubt.fact, doubt.keyword) == ("header_wcs_off", "position", "CRVAL1")
    assert not doubt.blocks_publication
    assert "90.0 arcsec off at the frame's middle" in doubt.message and "scale" not in doubt.message


@pytest.mark.parametrize(
    ("claimed", "words"),
    [
        ({"scale": 1.02}, "its scale is 2.0% too large."),
        ({"scale": 0.5}, "its scale is 50.0% too small."),
        ({"angle_deg": 180.0}, "it is turned by 180.0 degrees."),
        ({"angle_deg": -3.0, "scale": 1.01}, "its scale is 1.0% too large and it is turned by 3.0 degrees."),
        ({"mirror": 1.0}, "it is mirrored."),
    ],
)
def test_scale_and_orientation_are_named(claimed, words):
    assert words in _said(_wcs(**claimed)).message


def test_a_claim_about_the_middle_alone_does_not_hide_corners_that_are_off():
    doubt = _said(_wcs(angle_deg=1.0))
    assert "0.0 arcsec off at the frame's middle" in doubt.message
    # A degree at 780 px.
    assert doubt.value == pytest.approx(780.3 * np.radians(1.0), rel=0.01)


def test_a_header_without_a_position_for_a_corner_is_left_to_what_refuses_it():
    claimed = _wcs(scale=3600.0)
    # An orthographic plane ends a radian away from its middle.
    claimed.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    claimed.wcs.set()
    assert _said(claimed) is None
