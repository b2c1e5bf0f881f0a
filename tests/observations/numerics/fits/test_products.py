"""Products out and in again."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from observations.numerics.fits.images import (
    FitsRefused,
    decode_frame,
    encode_frame,
    encode_image,
    read_images,
)
from observations.numerics.fits.products import decode_psf
from observations.numerics.fits.wcs import nominal_wcs
from observations.numerics.frame import BAD_BITS, Frame, HeldOut, MaskBit, PsfModel, Stars

SHAPE = (50, 70)


def stars_of(count: int) -> Stars:
    rng = np.random.default_rng(5)
    numbers = (rng.uniform(0.0, 50.0, count) for _ in range(6))
    return Stars(*numbers, np.arange(count) % 2 == 0, np.arange(count) % 3 == 0)


def frame_of() -> Frame:
    rng = np.random.default_rng(11)
    data = rng.normal(1000, 20, SHAPE).astype(np.float32)
    data[3, 4] = np.nan
    bits = rng.choice([0, 1, 2, 64, 66], SHAPE, p=[0.8, 0.05, 0.05, 0.05, 0.05]).astype(np.uint16)
    return Frame(
        data=data,
        mask=(bits & BAD_BITS) != 0,
        mask_bits=bits,
        variance=rng.uniform(300, 500, SHAPE).astype(np.float32),
        gain=2.07,
        read_noise=12.3,
        saturation=61234.5,
        wcs=nominal_wcs(253.4938163887, 62.9105200874, 0.529256517447, SHAPE),
        psf=PsfModel(rng.normal(size=(3, 9, 9)), 1, 70, 50, HeldOut(0.0123, -0.0045, 17)),
        zero_point_mag=25.123456789,
        mjd_utc=59091.90103126157,
        band="og515+kg5",
        exposure_s=60.0,
        pixel_scale_arcsec=0.529256517447,
    )


def with_sip() -> WCS:
    wcs = nominal_wcs(150.0, 2.0, 1.0, SHAPE)
    header = wcs.to_header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    header["A_ORDER"], header["B_ORDER"] = 2, 2
    header["A_2_0"], header["B_1_1"] = 1.2345678901e-5, -2.3456789012e-5
    return WCS(header)


def round_trip(tmp_path, frame: Frame) -> Frame:
    (tmp_path / "frame.fits").write_bytes(encode_frame(frame))
    return decode_frame(tmp_path / "frame.fits")


def test_a_frame_comes_back_as_it_went(tmp_path):
    frame = frame_of()
    back = round_trip(tmp_path, frame)
    for name in ("data", "mask", "mask_bits", "variance"):
        there, here = getattr(back, name), getattr(frame, name)
        np.testing.assert_array_equal(there, here)
        assert there.dtype == here.dtype
    known = ("gain", "read_noise", "saturation", "zero_point_mag", "mjd_utc", "exposure_s", "pixel_scale_arcsec")
    for name in (*known, "band", "unit"):
        assert getattr(back, name) == getattr(frame, name)
    np.testing.assert_array_equal(back.psf(12.0, 34.0), frame.psf(12.0, 34.0))
    assert (back.psf.degree, back.psf.nx, back.psf.ny) == (1, 70, 50)
    assert back.psf.held_out == HeldOut(0.0123, -0.0045, 17)


def test_a_psf_that_no_star_was_held_out_of_comes_back_without(tmp_path):
    psf = PsfModel(np.ones((1, 5, 5)), 0, 70, 50)
    assert round_trip(tmp_path, replace(frame_of(), psf=psf)).psf.held_out is None


def test_the_psf_of_a_frame_is_read_without_the_rest(tmp_path):
    frame = frame_of()
    (tmp_path / "frame.fits").write_bytes(encode_frame(frame))
    np.testing.assert_array_equal(decode_psf(tmp_path / "frame.fits")(12.0, 34.0), frame.psf(12.0, 34.0))
    (tmp_path / "bare.fits").write_bytes(encode_frame(replace(frame, psf=None)))
    assert decode_psf(tmp_path / "bare.fits") is None


def test_what_is_unknown_stays_unknown(tmp_path):
    data = np.ones(SHAPE, dtype=np.float32)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1, 2] = True
    back = round_trip(tmp_path, Frame(data=data, mask=mask))
    np.testing.assert_array_equal(back.mask, mask)
    for name in (
        "mask_bits",
        "variance",
        "gain",
        "saturation",
        "wcs",
        "psf",
        "stars",
        "zero_point_mag",
        "mjd_utc",
        "band",
    ):
        assert getattr(back, name) is None


@pytest.mark.parametrize("wcs", [nominal_wcs(359.99999, -89.5, 5.21, SHAPE), with_sip()])
def test_a_wcs_comes_back_to_a_millionth_of_a_pixel(tmp_path, wcs):
    back = round_trip(tmp_path, replace(frame_of(), wcs=wcs))
    x, y = np.meshgrid(np.linspace(-5, 75, 7), np.linspace(-5, 55, 7))
    sky = wcs.all_pix2world(x.ravel(), y.ravel(), 0)
    again = back.wcs.all_pix2world(x.ravel(), y.ravel(), 0)
    # Header cards carry 12 digits: 1e-6 px is far below any centroid.
    scale = np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix)))
    apart = np.hypot((again[0] - sky[0] + 180) % 360 - 180, again[1] - sky[1])
    assert np.max(apart * np.cos(np.radians(sky[1]))) / scale < 1e-6


@pytest.mark.parametrize("count", [0, 7])
def test_stars_come_back_as_they_went(tmp_path, count):
    stars = stars_of(count)
    back = round_trip(tmp_path, replace(frame_of(), stars=stars)).stars
    assert len(back) == count
    for name, column in stars.columns().items():
        there = getattr(back, name)
        np.testing.assert_array_equal(there, column)
        assert there.dtype == column.dtype


def test_the_stars_of_an_earlier_versions_product_are_read(tmp_path):
    """Its table had one column more, the brightest pixel."""
    with fits.open(io.BytesIO(encode_frame(replace(frame_of(), stars=stars_of(3))))) as hdus:
        columns = hdus["STARS"].columns + fits.ColDefs([fits.Column("peak", "D", array=np.ones(3))])
        hdus["STARS"] = fits.BinTableHDU.from_columns(columns, name="STARS")
        hdus.writeto(tmp_path / "earlier.fits")
    np.testing.assert_array_equal(decode_frame(tmp_path / "earlier.fits").stars.flux, stars_of(3).flux)


def test_a_table_of_stars_that_lacks_a_column_is_refused(tmp_path):
    with fits.open(io.BytesIO(encode_frame(replace(frame_of(), stars=stars_of(3))))) as hdus:
        hdus["STARS"].columns.del_col("flux")
        hdus.writeto(tmp_path / "lacking.fits")
    with pytest.raises(FitsRefused, match="flux"):
        decode_frame(tmp_path / "lacking.fits")


def test_the_same_frame_is_the_same_bytes():
    assert encode_frame(frame_of()) == encode_frame(frame_of())


def test_a_product_is_what_astropy_would_write():
    content = encode_frame(replace(frame_of(), stars=stars_of(3)))
    with fits.open(io.BytesIO(content), do_not_scale_image_data=True) as hdus:
        again = io.BytesIO()
        hdus.writeto(again, output_verify="exception")
    assert again.getvalue() == content


def test_encoding_does_not_touch_the_frame():
    frame = frame_of()
    before = frame.data.copy(), frame.mask_bits.copy()
    encode_frame(frame)
    np.testing.assert_array_equal(frame.data, before[0])
    np.testing.assert_array_equal(frame.mask_bits, before[1])


def test_a_mask_that_contradicts_its_bits_is_refused():
    frame = frame_of()
    with pytest.raises(ValueError, match="contradict"):
        encode_frame(replace(frame, mask=~frame.mask))
    interpolated = np.full(SHAPE, MaskBit.INTERPOLATED, dtype=np.uint16)
    assert encode_frame(replace(frame, mask=np.zeros(SHAPE, dtype=bool), mask_bits=interpolated))


def test_cards_are_written_and_nan_becomes_undefined():
    cards = [("FWHM", np.float64(2.5), "px"), ("LIMMAG", float("nan")), ("NSTARS", np.int64(12))]
    with fits.open(io.BytesIO(encode_image(np.ones(SHAPE, dtype=np.float32), cards=cards))) as hdus:
        header = hdus[0].header
    assert (header["FWHM"], header["NSTARS"]) == (2.5, 12)
    assert header["LIMMAG"] is None


def test_other_programs_read_the_product():
    content = encode_frame(frame_of())
    with fits.open(io.BytesIO(content)) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus] == ["SCI", "MASK", "VAR", "PSF"]
        assert hdus["MASK"].data.dtype == np.uint16
        assert hdus["SCI"].header["BUNIT"] == "adu"


@pytest.mark.parametrize("content", [b"", b"hello", encode_image(np.ones((5, 5), dtype=np.float32))])
def test_what_is_no_processed_frame_is_refused(tmp_path, content):
    (tmp_path / "x.fits").write_bytes(content)
    for decode in (decode_frame, decode_psf):
        with pytest.raises(FitsRefused):
            decode(tmp_path / "x.fits")


@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_a_product_cut_short_is_refused(tmp_path):
    content = encode_frame(frame_of())
    (tmp_path / "x.fits").write_bytes(content[: len(content) // 3])
    with pytest.raises(FitsRefused):
        decode_frame(tmp_path / "x.fits")


def test_an_image_keeps_its_wcs_cards_and_companions():
    data = np.random.default_rng(3).normal(size=SHAPE)
    wcs = nominal_wcs(150.0, 2.0, 1.0, SHAPE)
    mask = data > 2
    content = encode_image(data, wcs=wcs, cards=[("NOISE", 1.5, "adu")], extra=[("MASK", mask)])
    with fits.open(io.BytesIO(content)) as hdus:
        np.testing.assert_array_equal(hdus[0].data, data.astype(np.float32))
        np.testing.assert_array_equal(hdus["MASK"].data.astype(bool), mask)
        assert hdus[0].header["NOISE"] == 1.5
        assert WCS(hdus[0].header).wcs.crval == pytest.approx([150.0, 2.0])


@pytest.mark.parametrize("content", [encode_frame(frame_of()), encode_image(np.ones((64, 64), dtype=np.float32))])
def test_no_product_is_taken_for_a_delivered_frame(tmp_path, content):
    (tmp_path / "x.fits").write_bytes(content)
    with pytest.raises(FitsRefused, match="processed product"):
        read_images(tmp_path / "x.fits")
