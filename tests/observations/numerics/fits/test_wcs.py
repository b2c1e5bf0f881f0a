"""World coordinates in all the forms in which headers hold them."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import FK4, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from observations.numerics.fits.facts import Notes
from observations.numerics.fits.wcs import centre_of, header_wcs, pixel_scale_arcsec
from observations.numerics.sphere import separation_deg

SHAPE = (600, 800)
SCALE_DEG = 1.2 / 3600
# Rotated by 30 degrees, mirrored as the sky is.
TURN = np.array([[-np.cos(0.5236), np.sin(0.5236)], [np.sin(0.5236), np.cos(0.5236)]])


def cards_of(**changes: object) -> fits.Header:
    header = fits.Header()
    header.update(
        CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=150.1, CRVAL2=0.478, CRPIX1=400.5, CRPIX2=300.5, RADESYS="ICRS"
    )
    for (i, j), number in np.ndenumerate(TURN * SCALE_DEG):
        header[f"CD{i + 1}_{j + 1}"] = float(number)
    for keyword, value in changes.items():
        if value is None:
            del header[keyword]
        else:
            header[keyword] = value
    return header


def without_matrix(**more: object) -> fits.Header:
    return cards_of(CD1_1=None, CD1_2=None, CD2_1=None, CD2_2=None, **more)


def place(header: fits.Header, x: float = 100.0, y: float = 500.0) -> tuple[float, float]:
    wcs = header_wcs(header, SHAPE, Notes())
    assert wcs is not None
    ra, dec = wcs.all_pix2world(x, y, 0)
    return float(ra), float(dec)


def apart_arcsec(first: tuple[float, float], second: tuple[float, float]) -> float:
    return float(separation_deg(*first, *second)) * 3600


def old_matrix() -> fits.Header:
    header = without_matrix(CDELT1=SCALE_DEG, CDELT2=SCALE_DEG)
    for (i, j), value in np.ndenumerate(TURN):
        header[f"PC00{i + 1}00{j + 1}"] = value
    return header


def declination_first() -> fits.Header:
    header = cards_of(CTYPE1="DEC--TAN", CTYPE2="RA---TAN", CRVAL1=0.478, CRVAL2=150.1)
    for j in (1, 2):
        header[f"CD1_{j}"], header[f"CD2_{j}"] = header[f"CD2_{j}"], header[f"CD1_{j}"]
    return header


def by_rotation() -> fits.Header:
    return without_matrix(CDELT1=-SCALE_DEG, CDELT2=SCALE_DEG, CROTA2=30.0)


def in_words() -> fits.Header:
    return cards_of(CRVAL1="10:00:24.0", CRVAL2="+00:28:40.8")


@pytest.mark.parametrize("form", [old_matrix, declination_first, by_rotation, in_words])
def test_every_form_of_a_header_puts_a_pixel_to_the_same_place(form):
    right = WCS(cards_of()).all_pix2world(100.0, 500.0, 0)
    if form is by_rotation:
        right = WCS(by_rotation()).all_pix2world(100.0, 500.0, 0)
    assert apart_arcsec(place(form()), (float(right[0]), float(right[1]))) < 0.01


def test_a_declination_that_stands_first_stays_out_of_the_right_ascension():
    wcs = header_wcs(declination_first(), SHAPE, Notes())
    ra, dec = centre_of(wcs, SHAPE)
    assert (ra, dec) == (pytest.approx(150.1, abs=1e-6), pytest.approx(0.478, abs=1e-6))


@pytest.mark.parametrize(
    "header",
    [
        cards_of(CRVAL1=0.0, CRVAL2=0.0),
        without_matrix(CDELT1=1.0, CDELT2=1.0, CRPIX1=1.0, CRPIX2=1.0),
        cards_of(CTYPE1="RA---ZPX", CTYPE2="DEC--ZPX"),
        cards_of(CPDIS1="LOOKUP"),
        cards_of(CRVAL1="somewhere"),
        cards_of(CRVAL2=None),
    ],
)
def test_what_nobody_filled_in_or_nobody_can_read_is_not_used_and_says_why(header):
    notes = Notes()
    assert header_wcs(header, SHAPE, notes) is None
    assert [doubt.code for doubt in notes.doubts] == ["wcs_not_used"]


def test_the_surfaces_of_a_tnx_are_applied():
    # xi + 2e-5 xi + 3e-4 xi^3 and eta + 1e-5 + 2e-4 xi eta, in degrees: up to 0.7 px at the corners.
    xi_terms = "3. 4. 1. 2. -0.2 0.2 -0.2 0.2 0. 2.E-5 0. 3.E-4"
    eta_terms = "3. 2. 2. 1. -0.2 0.2 -0.2 0.2 1.E-5 0. 0. 2.E-4"
    header = cards_of(CTYPE1="RA---TNX", CTYPE2="DEC--TNX")
    for axis, kind, terms in ((1, "lngcor", xi_terms), (2, "latcor", eta_terms)):
        text = f'wtype=tnx axtype={"ra" if axis == 1 else "dec"} {kind} = "{terms}"'
        header[f"WAT{axis}_001"], header[f"WAT{axis}_002"] = text[:68], text[68:] or " "
    wcs = header_wcs(header, SHAPE, Notes())
    plain = WCS(cards_of())
    for x, y in ((0.0, 0.0), (799.0, 10.0), (200.0, 599.0)):
        xi, eta = plain.pixel_scale_matrix @ (np.array([x, y]) - (plain.wcs.crpix - 1))
        bent = (xi + 2e-5 * xi + 3e-4 * xi**3, eta + 1e-5 + 2e-4 * xi * eta)
        back = np.linalg.solve(plain.pixel_scale_matrix, bent) + plain.wcs.crpix - 1
        right = plain.wcs_pix2world(*back, 0)
        got = wcs.all_pix2world(x, y, 0)
        assert apart_arcsec((float(got[0]), float(got[1])), (float(right[0]), float(right[1]))) < 0.02
    # The mapping outlives a product's header, which holds no surfaces.
    again = WCS(wcs.to_header(relax=True))
    assert np.allclose(again.all_pix2world(5.0, 5.0, 0), wcs.all_pix2world(5.0, 5.0, 0), atol=1e-9)


def test_distortion_tables_of_other_hdus_are_applied(tmp_path):
    header = cards_of(CPDIS1="LOOKUP", CPDIS2="LOOKUP")
    hdus = fits.HDUList([fits.PrimaryHDU(np.zeros(SHAPE, np.float32), header)])
    for axis in (1, 2):
        table = np.full((5, 5), 1.5 * axis, dtype=np.float32)
        extra = fits.ImageHDU(table, name="WCSDVARR", ver=axis)
        extra.header.update(CRPIX1=1.0, CRPIX2=1.0, CRVAL1=1.0, CRVAL2=1.0, CDELT1=200.0, CDELT2=150.0)
        hdus.append(extra)
        for key, value in (("EXTVER", axis), ("NAXES", 2), ("AXIS.1", 1), ("AXIS.2", 2)):
            hdus[0].header.append(fits.Card.fromstring(f"DP{axis}     = '{key}: {float(value)}'".ljust(80)))
    path = tmp_path / "tables.fits"
    hdus.writeto(path)
    with fits.open(path) as opened:
        wcs = header_wcs(opened[0].header, SHAPE, Notes(), opened)
        right = WCS(cards_of()).all_pix2world(100.0 + 1.5, 500.0 + 3.0, 0)
    got = wcs.all_pix2world(100.0, 500.0, 0)
    assert apart_arcsec((float(got[0]), float(got[1])), (float(right[0]), float(right[1]))) < 0.05
    assert pixel_scale_arcsec(wcs) == pytest.approx(1.2, rel=1e-3)


@pytest.mark.parametrize(("largest", "is_used"), [((0.042, 0.028), True), ((0.042, 0.5), False), ((None, None), False)])
def test_tables_that_shift_a_twentieth_of_a_pixel_may_be_missing(largest, is_used):
    header = cards_of(D2IMDIS1="Lookup", CPDIS1="Lookup", CPDIS2="Lookup")
    for keyword, value in zip(("D2IMERR1", "CPERR1"), largest, strict=True):
        if value is not None:
            header[keyword] = value
    notes = Notes()
    assert (header_wcs(header, SHAPE, notes) is not None) == is_used
    assert [doubt.code for doubt in notes.doubts] == ["distortion_tables_missing" if is_used else "wcs_not_used"]


@pytest.mark.parametrize(
    ("cards", "word"),
    [
        ({"IMAGEW": 400, "IMAGEH": 300}, "solved for 400 x 300 px"),
        ({"EQUINOX": "JNOW"}, "equinox is JNOW"),
        ({"CRPIX1": 1e9}, "degrees from its reference point"),
        ({"CRVAL1": "0.0", "CRVAL2": "0.0"}, "nobody filled it in"),
    ],
)
def test_a_wcs_of_another_image_or_system_is_not_used_and_says_why(cards, word):
    notes = Notes()
    assert header_wcs(cards_of(**cards), SHAPE, notes) is None
    assert word in notes.doubts[0].message


def test_a_reference_point_in_hours_or_unreadable_is_not_used():
    header, notes = cards_of(), Notes()
    header.comments["CRVAL1"] = "[hours]"
    assert header_wcs(header, SHAPE, notes) is None
    assert "hours" in notes.doubts[0].message
    unreadable, notes = cards_of(), Notes()
    del unreadable["CRVAL1"]
    unreadable.append(fits.Card.fromstring("CRVAL1  =                  NaN".ljust(80)))
    assert header_wcs(unreadable, SHAPE, notes) is None
    assert "CRVAL1" in notes.doubts[0].message


@pytest.mark.parametrize("first", ["lon", "lat"])
@pytest.mark.parametrize(("letter", "frame"), [("G", "galactic"), ("E", "barycentricmeanecliptic")])
def test_other_systems_of_coordinates_are_turned_in_either_order(letter, frame, first):
    sky = SkyCoord(150.1, 2.2, unit="deg")
    there = sky.transform_to(frame).spherical
    lon, lat = (1, 2) if first == "lon" else (2, 1)
    header = fits.Header({
        f"CTYPE{lon}": f"{letter}LON-TAN", f"CTYPE{lat}": f"{letter}LAT-TAN",
        f"CRVAL{lon}": there.lon.deg, f"CRVAL{lat}": there.lat.deg, "CRPIX1": 400.5, "CRPIX2": 300.5,
        f"CD{lon}_1": -3e-4, f"CD{lon}_2": 0.0, f"CD{lat}_1": 0.0, f"CD{lat}_2": 3e-4,
    })  # fmt: skip
    assert apart_arcsec(centre_of(header_wcs(header, SHAPE, Notes()), SHAPE), (150.1, 2.2)) < 0.5


def test_an_equinox_of_text_is_read_and_one_of_0_is_left_out():
    old = SkyCoord(150.1, 2.2, unit="deg").transform_to(FK4(equinox="B1950"))
    written = cards_of(
        CRVAL1=float(old.ra.deg), CRVAL2=float(old.dec.deg), EQUINOX="1950.0", CRPIX1=400.5, CRPIX2=300.5
    )
    del written["RADESYS"]
    assert apart_arcsec(centre_of(header_wcs(written, SHAPE, Notes()), SHAPE), (150.1, 2.2)) < 1.0
    plain, unset = cards_of(), cards_of(EQUINOX=0.0, RADESYS="icrs")
    places = [centre_of(header_wcs(one, SHAPE, Notes()), SHAPE) for one in (plain, unset)]
    assert apart_arcsec(*places) < 0.1


def test_the_polynomial_of_an_older_scamp_is_no_place_of_the_pole():
    plain = cards_of()
    scamp = cards_of(PV1_0=0.0, PV1_1=1.0, PV1_2=0.0, PV2_0=0.0, PV2_1=1.0, PV2_2=0.0)
    places = [centre_of(header_wcs(one, SHAPE, Notes()), SHAPE) for one in (plain, scamp)]
    assert apart_arcsec(*places) < 0.01
