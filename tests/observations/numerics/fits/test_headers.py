"""What headers of different observatories come to."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from astropy.coordinates import FK4, FK5, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from observations.numerics.fits.blocks import parse_header
from observations.numerics.fits.headers import Reading, read_facts
from observations.numerics.fits.images import FitsRefused, FrameFacts, Overrides, read_images

SHAPE = (400, 600)
BASE: dict[str, object] = {
    "DATE-OBS": "2024-03-01T21:00:00.000",
    "EXPTIME": 60.0,
    "FILTER": "V",
    "RA": "10:00:00.0",
    "DEC": "+02:00:00",
    "PIXSCALE": 1.0,
}
TAN: dict[str, object] = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRVAL1": 150.0,
    "CRVAL2": 2.0,
    "CRPIX1": 300.5,
    "CRPIX2": 200.5,
    "CD1_1": -1 / 3600,
    "CD1_2": 0.0,
    "CD2_1": 0.0,
    "CD2_2": 1 / 3600,
}


def header_of(*cards: dict[str, object]) -> fits.Header:
    """Return a header; a value may be a pair with its comment, None removes a card."""
    header = fits.Header()
    for group in cards:
        for keyword, value in group.items():
            if value is None:
                header.remove(keyword, ignore_missing=True)
            else:
                header[keyword] = value
    return header


def facts_of(*cards: dict[str, object], **overrides: object) -> FrameFacts:
    return read_facts(header_of(BASE, *cards), SHAPE, Reading(Overrides(**overrides)))[0]


def refusal(*cards: dict[str, object], **overrides: object) -> FitsRefused:
    with pytest.raises(FitsRefused) as caught:
        facts_of(*cards, **overrides)
    return caught.value


def codes(facts: FrameFacts) -> list[str]:
    return [doubt.code for doubt in facts.doubts]


def is_warned(facts: FrameFacts, word: str) -> bool:
    return any(word in doubt.message for doubt in facts.doubts)


# --- kind ---


@pytest.mark.parametrize(
    ("keyword", "value", "kind"),
    [
        ("IMAGETYP", "Light Frame", "light"),
        ("IMAGETYP", "Bias Frame", "bias"),
        ("IMAGETYP", "zero", "bias"),
        ("IMAGETYP", "Dark Frame", "dark"),
        ("IMAGETYP", "Flat Field", "flat"),
        ("OBSTYPE", "EXPOSE", "light"),
        ("OBSTYPE", "SKY_FLAT", "flat"),
        ("FRAMETYP", "Dark", "dark"),
        ("HIERARCH ESO DPR TYPE", "OBJECT", "light"),
        ("PICTTYPE", 4, "flat"),
    ],
)
def test_the_kind_is_read_from_each_observatorys_keyword(keyword, value, kind):
    assert facts_of({keyword: value}).kind == kind


def test_a_frame_that_says_nothing_is_a_light():
    assert facts_of().kind == "light"


@pytest.mark.parametrize("value", ["FOCUS", "ARC", "Tricolor"])
def test_what_is_neither_light_nor_calibration_is_refused(value):
    assert refusal({"IMAGETYP": value}).code == "unsupported_header"


def test_a_quarrel_about_the_kind_is_kept():
    facts = facts_of({"IMAGETYP": "Light Frame", "PICTTYPE": 3})
    assert facts.kind == "light"
    assert codes(facts) == ["kind_contradicted"]


# --- what is lacking ---


def test_all_that_is_lacking_is_named_at_once():
    refused = refusal({"DATE-OBS": None, "EXPTIME": None, "FILTER": None, "RA": None, "PIXSCALE": None})
    assert refused.code == "no_time"
    assert str(refused).endswith("give --time, --exposure, --band, --ra and --dec and --pixel-scale.")


def test_nothing_is_lacking_once_it_is_given():
    start = dt.datetime(2024, 3, 1, 21, 0, tzinfo=dt.UTC)
    lacking = dict.fromkeys(BASE)
    facts = facts_of(
        lacking, ra_deg=10.0, dec_deg=20.0, pixel_scale_arcsec=2.0, band="lum", exposure_s=60.0, observation_time=start
    )
    assert (facts.ra_deg, facts.dec_deg, facts.pixel_scale_arcsec, facts.filter_band) == (10.0, 20.0, 2.0, "L")
    # 60370.875 is 2024-03-01 21:00; half of 60 s later.
    assert facts.mjd_utc == pytest.approx(60370.875 + 30 / 86400, abs=1e-9)
    assert facts.wcs_quality == "nominal"


def test_a_given_band_and_position_overrule_a_light_and_the_quarrel_is_kept():
    facts = facts_of(ra_deg=10.0, dec_deg=20.0, band="R")
    assert (facts.ra_deg, facts.filter_band) == (10.0, "R")
    assert set(codes(facts)) == {"given_band_differs", "given_position_differs"}


def test_a_given_time_and_exposure_do_not_overrule_a_header():
    facts = facts_of(exposure_s=5.0, observation_time=dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    assert facts.exposure_s == 60.0
    assert facts.observation_time.year == 2024


def test_a_given_band_does_not_overrule_a_flat():
    assert facts_of({"IMAGETYP": "flat"}, band="R").filter_band == "V"


@pytest.mark.parametrize("name", ["ra_deg", "dec_deg"])
def test_half_a_position_is_no_position(name):
    with pytest.raises(ValueError, match="both"):
        Overrides(**{name: 10.0})


@pytest.mark.parametrize(
    "values", [{"ra_deg": 400.0, "dec_deg": 0.0}, {"pixel_scale_arcsec": -1.0}, {"exposure_s": 0.0}]
)
def test_impossible_values_cannot_be_given(values):
    with pytest.raises(ValueError, match="must lie between"):
        Overrides(**values)


def test_calibration_frames_need_no_position_and_a_bias_no_exposure():
    no_sky = {"RA": None, "DEC": None, "PIXSCALE": None}
    assert facts_of(no_sky, {"IMAGETYP": "bias", "EXPTIME": 0.0, "FILTER": None}).exposure_s == 0.0
    assert facts_of(no_sky, {"IMAGETYP": "dark", "FILTER": None}).exposure_s == 60.0
    assert refusal(no_sky, {"IMAGETYP": "dark", "EXPTIME": None}).code == "no_exposure"
    assert refusal(no_sky, {"IMAGETYP": "flat", "FILTER": None}).code == "no_band"


# --- impossible values ---


@pytest.mark.parametrize(
    ("keyword", "value", "fact"),
    [
        ("AIRMASS", 0.2, "airmass"),
        ("AIRMASS", -1.0, "airmass"),
        ("EGAIN", -2.0, "gain_e_per_adu"),
        ("RDNOISE", 1e9, "read_noise_e"),
        ("SATURATE", 0.0, "saturation"),
        ("CCD-TEMP", -400.0, "ccd_temperature_c"),
        ("SEEING", 999.0, "seeing_arcsec"),
        ("PEDESTAL", 1e30, "pedestal_adu"),
    ],
)
def test_an_impossible_value_is_unknown_and_said_so(keyword, value, fact):
    facts = facts_of({keyword: value})
    assert getattr(facts, fact) is None
    assert is_warned(facts, keyword)


@pytest.mark.parametrize("exposure", [-5.0, 1e30, 0.0, "none", True])
def test_an_impossible_exposure_of_a_light_is_none(exposure):
    assert refusal({"EXPTIME": exposure}).code == "no_exposure"


@pytest.mark.parametrize("dec", ["+95:00:00", "+02:75:00", "north", 123.0])
def test_an_impossible_declination_is_no_pointing(dec):
    assert refusal({"DEC": dec}).code == "no_pointing"


def test_a_header_that_nobody_filled_in_is_no_pointing():
    assert refusal({"RA": 0.0, "DEC": 0.0}).code == "no_pointing"


def test_a_number_that_is_none_is_dropped_and_stored_as_null():
    strange = (
        "AIRMASS =                  nan",
        "GAIN    = 'inf'",
        "CRVAL1  = here",
        "SEEING  =                  1e999",
    )
    text = header_of(BASE).tostring(endcard=False, padding=False) + "".join(card.ljust(80) for card in strange)
    facts, cards = read_facts(parse_header(text.encode()), SHAPE)
    assert (facts.airmass, facts.gain_e_per_adu, facts.seeing_arcsec) == (None, None, None)
    json.dumps(cards.as_json(), allow_nan=False)


def test_gain_as_a_camera_setting_is_not_electrons_per_adu():
    assert facts_of({"GAIN": 100}).gain_e_per_adu is None
    assert facts_of({"GAIN": 1.5}).gain_e_per_adu == 1.5
    assert facts_of({"GAIN": 100, "EGAIN": 0.25}).gain_e_per_adu == 0.25
    assert facts_of({"GAIN": (0.5, "[ADU/e-]")}).gain_e_per_adu == 2.0


def test_saturation_is_raw_adu_only_where_the_file_rescales():
    assert facts_of({"SATURATE": 60000}).saturation_unit == "data"
    assert facts_of({"SATURATE": 60000, "BSCALE": 1.0, "BZERO": 32768}).saturation_unit == "data"
    assert facts_of({"SATURATE": 60000, "BSCALE": 0.4, "BZERO": 13023.5}).saturation_unit == "raw_adu"
    # The largest pixel is not the largest possible one.
    assert facts_of({"DATAMAX": 60000}).saturation is None


@pytest.mark.parametrize(
    ("cards", "celsius"),
    [
        ({"CCD-TEMP": -20.0}, -20.0),
        ({"CAMTEMP": (272.0, "CCD Camera Temperature in Kelvin, =-1 if no data")}, -1.15),
        ({"DETTEMP": 173.15}, -100.0),
        ({"CAMTEMP": (-1, "CCD Camera Temperature in Kelvin, =-1 if no data")}, None),
    ],
)
def test_temperatures_are_celsius(cards, celsius):
    assert facts_of(cards).ccd_temperature_c == (None if celsius is None else pytest.approx(celsius))


def test_seeing_in_pixels_is_multiplied_by_the_scale():
    assert facts_of({"SEEING": (2.5, "[pixels] frame seeing"), "PIXSCALE": 2.0}).seeing_arcsec == 5.0
    assert facts_of({"SEEING": 2.5, "PIXSCALE": 2.0}).seeing_arcsec == 2.5


# --- scale, binning, filter ---


@pytest.mark.parametrize(
    ("cards", "scale"),
    [
        ({"SECPIX": 0.53, "PIXSCALE": 0.54}, 0.53),
        ({"PIXSCALE": None, "CCDSCALE": 0.5, "XBINNING": 2, "YBINNING": 2}, 1.0),
        # 206265 * 0.024 mm / 3910 mm; XPIXSZ is after binning.
        ({"PIXSCALE": None, "XPIXSZ": 24.0, "FOCALLEN": 3910.0, "XBINNING": 2}, 1.26608),
        ({"PIXSCALE": None, "IM_SCALE": 5.21}, 5.21),
    ],
)
def test_the_pixel_scale_is_found(cards, scale):
    assert facts_of(cards).pixel_scale_arcsec == pytest.approx(scale, rel=1e-5)


@pytest.mark.parametrize("cards", [{"FOCALLEN": 0.0, "XPIXSZ": 9.0}, {"PIXSCALE": 1e9}, {"PIXSCALE": -1.0}])
def test_without_a_possible_scale_there_is_no_wcs(cards):
    assert refusal({"PIXSCALE": None}, cards).code == "no_wcs"


@pytest.mark.parametrize(
    ("cards", "binning"),
    [
        ({"XBINNING": 3, "YBINNING": 3}, "3x3"),
        ({"CCDXBIN": 1, "CCDYBIN": 2}, "1x2"),
        ({"CCDSUM": "1 1"}, "1x1"),
        ({}, None),
    ],
)
def test_the_binning_is_found(cards, binning):
    assert facts_of(cards).binning == binning


@pytest.mark.parametrize(
    ("cards", "band"),
    [
        ({"FILTER": "Open"}, "Clear"),
        ({"FILTER": None, "FILTER1": "og515+kg5", "FILTER2": "Dummy"}, "og515+kg5"),
        ({"FILTER": None, "FILTER1": "Clear", "FILTER2": "Clear"}, "Clear"),
        ({"FILTER": "F200W", "PUPIL": "CLEAR"}, "F200W"),
        ({"FILTER": "F150W2", "PUPIL": "F162M"}, "F150W2+F162M"),
        ({"FILTER": None, "HIERARCH ESO INS OPTI-7 TYPE": "FILTER", "HIERARCH ESO INS OPTI-7 NAME": "R"}, "R"),
    ],
)
def test_the_band_is_found(cards, band):
    assert facts_of(cards).filter_band == band


@pytest.mark.parametrize("name", ["unknown", "?", "", "n/a"])
def test_a_filter_that_is_not_named_is_none(name):
    assert refusal({"FILTER": name}).code == "no_band"


# --- position ---


@pytest.mark.parametrize(
    ("cards", "ra"),
    [
        ({"RA": "10:00:00.0"}, 150.0),
        ({"RA": "10 00 00"}, 150.0),
        ({"RA": 150.0}, 150.0),
        ({"RA": (10.0, "[hours] right ascension")}, 150.0),
        ({"RA": "150:00:00"}, 150.0),
        ({"RA": "150.0"}, 150.0),
        ({"RA": None, "OBJCTRA": "10 00 00", "OBJCTDEC": "+02 00 00"}, 150.0),
    ],
)
def test_right_ascension_is_read_in_hours_and_degrees(cards, ra):
    # FK5 and ICRS differ by less than 0.1 arcsec.
    assert facts_of(cards).ra_deg == pytest.approx(ra, abs=3e-5)


def test_a_small_negative_declination_keeps_its_sign():
    assert facts_of({"DEC": "-00:30:00"}).dec_deg == pytest.approx(-0.5, abs=3e-5)


@pytest.mark.parametrize(
    ("cards", "frame"),
    [
        ({"EQUINOX": 1950.0}, FK4(equinox="B1950")),
        ({"RADECSYS": "FK4"}, FK4(equinox="B1950")),
        ({"EQUINOX": 2024.2}, FK5(equinox="J2024.2")),
        ({"RADESYS": "FK5", "EQUINOX": 2000.0}, FK5()),
        ({"OBJEQUIN": "JNOW"}, FK5(equinox="J2024.165")),
    ],
)
def test_pointings_of_other_equinoxes_become_icrs(cards, frame):
    expected = SkyCoord(150.0, 2.0, unit="deg", frame=frame).icrs
    facts = facts_of(cards)
    found = SkyCoord(facts.ra_deg, facts.dec_deg, unit="deg")
    # Half an arcsecond: the exact day of "now" is read to a thousandth of a year.
    assert found.separation(expected).arcsec < 0.5


def test_pointings_that_disagree_are_kept():
    facts = facts_of({"OBJCTRA": "10 00 00", "OBJCTDEC": "+02 00 00", "TELRA": 200.0, "TELDEC": -10.0})
    assert facts.ra_deg == pytest.approx(150.0, abs=3e-5)
    assert codes(facts) == ["pointing_contradicted"]


def test_a_good_header_wcs_is_used_and_never_called_solved():
    facts = facts_of(TAN)
    assert facts.wcs_quality == "header"
    assert (facts.ra_deg, facts.dec_deg) == pytest.approx((150.0, 2.0), abs=1e-9)
    assert facts.pixel_scale_arcsec == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize(
    "bad",
    [
        {"CRVAL1": 0.0, "CRVAL2": 0.0, "CRPIX1": 0.0, "CRPIX2": 0.0, "CD1_1": 1.0, "CD2_2": 1.0},
        {"CD1_1": 0.0},
        {"CD1_1": -1e-9, "CD2_2": 1e-9},
        {"CD1_2": 1 / 3600, "CD2_1": -1 / 3600 * 0.99},
        {"CRVAL2": 120.0},
        {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"},
        {"CTYPE1": "", "CTYPE2": ""},
        {"CTYPE2": "RA---TAN"},
    ],
)
def test_a_header_wcs_that_cannot_be_is_not_used_and_the_pointing_stands(bad):
    facts = facts_of(TAN, bad)
    assert facts.wcs_quality == "nominal"
    assert is_warned(facts, "WCS")
    assert facts.ra_deg == pytest.approx(150.0, abs=3e-5)


def test_a_nominal_wcs_is_centred_north_up_and_east_left():
    wcs = facts_of().wcs
    ra, dec = wcs.all_pix2world([299.5, 299.5, 309.5], [199.5, 209.5, 199.5], 0)
    assert (ra[0], dec[0]) == pytest.approx((150.0, 2.0), abs=3e-5)
    assert (dec[1] - dec[0]) * 3600 == pytest.approx(10.0, rel=1e-6)
    assert ra[2] < ra[0]


def test_a_wcs_of_1950_becomes_icrs():
    facts = facts_of(TAN, {"EQUINOX": 1950.0})
    expected = SkyCoord(150.0, 2.0, unit="deg", frame=FK4(equinox="B1950")).icrs
    assert facts.wcs_quality == "header"
    # A tenth of a pixel of 1 arcsec.
    assert SkyCoord(facts.ra_deg, facts.dec_deg, unit="deg").separation(expected).arcsec < 0.1


def test_cd_stands_before_an_older_programs_cdelt_and_pc():
    old = {"CDELT1": 1.0, "CDELT2": 1.0, "CROTA2": 33.0, "PC1_1": 5.0, "PC2_2": 5.0}
    assert facts_of(TAN, old).pixel_scale_arcsec == pytest.approx(1.0, rel=1e-9)


def test_a_distortion_beyond_the_frame_is_left_out_and_the_rest_used():
    sip = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2, "A_2_0": 0.5}
    facts = facts_of(TAN, sip)
    assert facts.wcs_quality == "header"
    assert facts.wcs.sip is None
    assert is_warned(facts, "distortion")
    small = facts_of(TAN, sip | {"A_2_0": 1e-6})
    assert small.wcs.sip is not None


def test_a_given_position_far_from_the_header_wcs_overrules_it():
    near, far = facts_of(TAN, ra_deg=150.3, dec_deg=2.0), facts_of(TAN, ra_deg=10.0, dec_deg=2.0)
    assert near.wcs_quality == "header"
    assert (far.wcs_quality, far.ra_deg) == ("nominal", 10.0)
    assert "wcs_contradicted" in codes(far)


def test_a_given_scale_far_from_the_header_wcs_overrules_it():
    assert facts_of(TAN, pixel_scale_arcsec=1.05).wcs_quality == "header"
    assert facts_of(TAN, pixel_scale_arcsec=2.0).pixel_scale_arcsec == 2.0


def test_a_header_wcs_far_from_the_headers_own_pointing_is_a_kept_quarrel():
    facts = facts_of(TAN, {"RA": "20:00:00"})
    assert facts.wcs_quality == "header"
    doubt = next(doubt for doubt in facts.doubts if doubt.code == "pointing_off_wcs")
    assert doubt.blocks_publication


# --- real frames ---


def real(shared_data, name: str, **overrides: object) -> FrameFacts:
    return read_images(shared_data / name, reading=Reading(Overrides(**overrides)))[0].facts


def test_the_raw_asteroid_frames(shared_data):
    facts = real(shared_data, "raw_asteroid2713_20181017/light/light240_12.fit")
    assert facts.kind == "light"
    # The truth file's own date_obs.
    assert facts.observation_time == dt.datetime(2018, 10, 18, 3, 1, 53, 784000, tzinfo=dt.UTC)
    assert facts.mjd_utc == pytest.approx(58409.126317 + 120 / 86400, abs=1e-6)
    assert facts.site_longitude_deg == pytest.approx(-71.485)
    assert "longitude_turned" in codes(facts)
    assert facts.pixel_scale_arcsec == pytest.approx(1.266, abs=5e-4)
    assert (facts.filter_band, facts.gain_e_per_adu, facts.pedestal_adu) == ("Clear", 2.07, -100.0)
    assert facts.wcs_quality == "nominal"
    assert real(shared_data, "raw_asteroid2713_20181017/bias/bias_206.fit").exposure_s == 0.0
    assert real(shared_data, "raw_asteroid2713_20181017/dark/dark240_36.fit").kind == "dark"


def test_the_liverpool_telescope_frames(shared_data):
    facts = real(shared_data, "pair_lt_rise_ucwd/q_e_20200830_1_1_1_1.fits")
    assert facts.site_longitude_deg == pytest.approx(-17.8792)
    assert (facts.saturation, facts.saturation_unit) == (63438.0, "raw_adu")
    assert facts.bscale == pytest.approx(0.400158940324997)
    assert facts.filter_band == "og515+kg5"
    # Fitted on sky, not the 0.5376 of the unbinned detector.
    assert facts.pixel_scale_arcsec == pytest.approx(0.5293, abs=5e-4)
    assert facts.wcs_quality == "header"
    assert facts.seeing_arcsec == pytest.approx(2.92, abs=0.005)


def test_the_frames_without_pointing_are_refused_until_it_is_given(shared_data):
    name = "pair_eso085-030/aligned_eso085-030-004.fit"
    with pytest.raises(FitsRefused, match="give --ra and --dec") as caught:
        real(shared_data, name)
    assert caught.value.code == "no_pointing"
    facts = real(shared_data, name, ra_deg=74.3, dec_deg=-63.3)
    assert facts.pixel_scale_arcsec == pytest.approx(206264.806 * 0.027 / 7475)
    # The Sun decides: at 64.5 degrees east it would have been day.
    assert facts.site_longitude_deg == pytest.approx(-64.5489, abs=1e-4)
    assert "eastward" not in facts.origins["site"].note


def test_the_local_times_of_the_microobservatory(shared_data):
    facts = real(shared_data, "seq_hatp32_microobs/HATP-32171220014512.FITS")
    assert facts.observation_time == dt.datetime(2017, 12, 20, 1, 45, 12, 242000, tzinfo=dt.UTC)
    assert facts.site_longitude_deg == pytest.approx(-110.88)
    assert facts.ra_deg == pytest.approx(31.3121, abs=1e-4)
    assert facts.pixel_scale_arcsec == 5.21
    assert facts.ccd_temperature_c == pytest.approx(-1.15)


def test_the_stacks_from_space_have_their_own_epoch_and_not_their_grids(shared_data):
    folder = "pair_jwst_nircam_a2744"
    dates = []
    for name in ("jw01324001001-01324-o001_t001", "jw02561001002-02561-o001_t003"):
        facts = real(shared_data, f"{folder}/{name}_nircam_clear-f200w_i2d_stamp.fits")
        dates.append(facts.observation_time.date())
        assert facts.filter_band == "F200W"
        assert "time_contradicted" in codes(facts)
    # As the provenance of the files says; both headers carry 2022-11-11 in DATE-BEG.
    assert dates == [dt.date(2022, 6, 29), dt.date(2022, 11, 2)]


def test_the_emmi_frame_of_1992(shared_data):
    facts = real(shared_data, "awkward_fits/sep_eso_emmi_256.fits", pixel_scale_arcsec=0.27)
    # 26/10/92 and TM-START = 11048 s; MJD-OBS was made as JD - 2400000 and is half a day late.
    assert facts.observation_time == dt.datetime(1992, 10, 26, 3, 4, 8, tzinfo=dt.UTC)
    assert facts.site_longitude_deg == pytest.approx(-70.7345)
    assert (facts.filter_band, facts.exposure_s) == ("R", 1200.0)
    assert (facts.ra_deg, facts.dec_deg) == pytest.approx((5.64817, -30.18297), abs=1e-4)


def test_the_mid_exposure_of_a_camera_whose_gps_failed_is_not_believed(shared_data):
    facts = real(shared_data, "awkward_fits/qhy600_3122_mpc.fits", band="Clear")
    # EGAINSAV, which is of the numbers that were saved; EGAIN is of the converter's, rounded to 0.1579.
    assert facts.gain_e_per_adu == pytest.approx(0.15793)
    # DATE-AVG equals DATE-OBS in an exposure of 20 s.
    assert facts.mjd_utc - 60641.73319664 == pytest.approx(10 / 86400, abs=1e-7)
    assert "time_contradicted" in codes(facts)


def test_the_sip_frame_keeps_its_distortion(shared_data):
    facts = real(shared_data, "awkward_fits/sip-wcs.fit")
    assert facts.wcs.sip is not None
    assert isinstance(facts.wcs, WCS)
    assert np.isfinite(facts.wcs.all_pix2world(0, 0, 0)).all()
    assert facts.site_longitude_deg == pytest.approx(-96.453278)
