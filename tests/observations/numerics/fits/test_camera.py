"""Which camera, how it was set, and what was taken off before."""

from __future__ import annotations

import pytest

from observations.numerics.fits.facts import FrameFacts, Overrides
from observations.numerics.fits.headers import Reading, read_facts
from tests.observations.numerics.fits.test_headers import BASE, SHAPE, header_of


def facts_of(*cards: dict[str, object], primary: dict[str, object] | None = None) -> FrameFacts:
    reading = Reading(Overrides(), primary=None if primary is None else header_of(primary))
    return read_facts(header_of(BASE, *cards), SHAPE, reading)[0]


@pytest.mark.parametrize(
    ("cards", "gain", "setting"),
    [
        ({"EGAIN": 0.25, "GAIN": 100}, 0.25, "100"),
        ({"GAIN": 100}, None, "100"),
        ({"GAIN": 0, "OFFSET": 10}, None, "0"),
        ({"GAIN": 5.0, "OFFSET": 10}, None, "5"),
        ({"GAIN": (5.0, "e-/ADU")}, 5.0, None),
        ({"GAIN": 1.6}, 1.6, None),
        ({"EGAIN": 1.6, "ISOSPEED": 800}, 1.6, "800"),
        ({"GAIN": (56, "Electronic gain")}, None, "56"),
        ({"GAIN": (1, "Camera gain setting in manufacturer units")}, None, "1"),
        ({"GAIN": "4x"}, None, "4x"),
        ({"GAIN": "[3.3,3.4,3.3,3.4]"}, 3.35, None),
        ({"GAINA": 1.5, "GAINB": 1.6}, 1.55, None),
        ({"T_GAIN1": 3.5, "T_GAIN2": 3.5, "T_GAIN3": 3.6, "T_GAIN4": 3.4}, 3.5, None),
        ({"EGAIN": 0.1226, "EGAINSAV": 0.00766, "GAIN": 300}, 0.00766, "300"),
        ({"EPERADU": 3.99, "GAIN": 0}, 3.99, "0"),
        ({"CCDGAIN": 2.0}, 2.0, None),
        ({"CCDGAIN": 2.0, "BUNIT": "ELECTRONS"}, None, None),
        ({"GAINA": 5.24, "BUNIT": "electrons/s"}, None, None),
    ],
)
def test_an_amplifiers_setting_is_no_conversion_factor(cards, gain, setting):
    facts = facts_of({"GAIN": None, "EGAIN": None}, cards)
    assert (facts.gain_e_per_adu, facts.gain_setting) == (None if gain is None else pytest.approx(gain), setting)


@pytest.mark.parametrize(
    ("cards", "done"),
    [
        ({"CALSTAT": "BDF"}, ("bias", "dark", "flat")),
        ({"CALSTAT": "BD"}, ("bias", "dark")),
        ({"ZEROCOR": "Jan 12 10:00 Zero level correction image is Zero"}, ("bias",)),
        ({"FLATCOR": False}, ()),
        ({"FLATCORR": "OMIT"}, ()),
        ({"FLATCORR": "COMPLETE"}, ("flat",)),
        ({"RLEVEL": 91}, ("bias", "dark", "flat")),
        ({"BUNIT": "electron/s"}, ("bias",)),
        ({"STACKCNT": 24}, ("bias", "dark", "flat")),
        ({"STACKCNT": 1}, ()),
        ({"NDRIZIM": 18}, ("bias", "dark", "flat")),
        ({"BUNIT": "10.0*nanoJansky"}, ("bias", "dark", "flat")),
        ({"L1STATBI": 1, "L1STATDA": 1, "L1STATFL": 0}, ("bias", "dark")),
        ({"L1STATZE": 1, "L1STATFL": -1}, ("bias",)),
        ({"DOBIAS": True, "DODARK": False, "DOFLAT": False}, ("bias",)),
        ({"BLEVCORR": "COMPLETE"}, ("bias",)),
        ({"HISTORY": "Dark Subtraction (Dark 10, 4864 x 3232, Bin1 x 1, Temp -35C,"}, ("dark",)),
        ({"HISTORY": "Flat Field (Flat V 3, 2048 x 2048)"}, ("flat",)),
        ({"HISTORY": "bias subtracted, dark not applied"}, ("bias",)),
        ({"HISTORY": "Calibrated with a master dark"}, ("dark",)),
        ({"HISTORY": "sky subtracted, flat field not applied"}, ()),
        ({}, ()),
    ],
)
def test_what_was_taken_off_before_is_known(cards, done):
    assert facts_of(cards).calibrated == done


@pytest.mark.parametrize(
    ("cards", "section"),
    [
        ({"DATASEC": f"[1:{SHAPE[1]},1:{SHAPE[0]}]"}, f"[1:{SHAPE[1]},1:{SHAPE[0]}]"),
        ({"DATASEC": f"[{SHAPE[1]}:5,1:{SHAPE[0]}]"}, f"[5:{SHAPE[1]},1:{SHAPE[0]}]"),
        ({"DATASEC": f"[1:{2 * SHAPE[1]},1:{2 * SHAPE[0]}]", "XBINNING": 2}, f"[1:{SHAPE[1]},1:{SHAPE[0]}]"),
        ({"DATASEC": "[1:9000,1:9000]"}, None),
        ({"DATASEC": "UNKNOWN"}, None),
        # Cut by it already: its numbers are of what was read out, not of an unbinned detector.
        ({"TRIMSEC": f"[5:{SHAPE[1] + 4},5:{SHAPE[0] + 4}]", "XBINNING": 2}, None),
    ],
)
def test_a_section_counts_where_it_lies_in_the_image_binned_or_not(cards, section):
    facts = facts_of({"TRIMSEC": None, "DATASEC": None, "XBINNING": None, "YBINNING": None}, cards)
    assert facts.trimsec == section
    is_other = section is None and "UNKNOWN" not in cards.values()
    assert ("section_of_another_grid" in [doubt.code for doubt in facts.doubts]) == is_other


def test_an_extensions_own_sections_go_before_those_of_the_primary_header():
    primary = {"TRIMSEC": "[1:20,1:20]", "DATASEC": "[1:2080,1:2058]"}
    facts = facts_of({"TRIMSEC": None, "DATASEC": "[1:30,1:30]"}, primary=primary)
    assert facts.trimsec == "[1:30,1:30]"


def test_a_camera_is_known_by_its_number_and_its_window():
    facts = facts_of({"CAMID": "0d1a", "OFFSET": 10.0, "READOUTM": "High Gain", "XORGSUBF": 16, "YORGSUBF": 0})
    assert (facts.camera_serial, facts.offset_setting, facts.readout_mode, facts.window) == (
        "0d1a", "10", "High Gain", "16,0",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cards", "pattern"),
    [
        ({"BAYERPAT": "RGGB"}, "RGGB"),
        ({"COLORTYP": "gbrg"}, "GBRG"),
        ({"BAYERPAT": "NONE"}, None),
        ({"CFAIMAGE": "RGGB"}, "RGGB"),
        ({"FILTER": "RGGB"}, "RGGB"),
        ({"CFAIMAGE": "no"}, None),
        ({}, None),
    ],
)
def test_a_mosaic_of_colours_is_known_for_one(cards, pattern):
    assert facts_of(cards).bayer_pattern == pattern


@pytest.mark.parametrize(
    ("cards", "number"),
    [
        ({"DETECTID": "ccdkb05-1"}, "ccdkb05-1"),
        ({"CCD_SERN": "23166"}, "23166"),
        ({"T_CCDSN": "120"}, "120"),
        ({"CAMNAME": "QHY600MPCIE-ec89ab488ac5aca73"}, "ec89ab488ac5aca73"),
        ({"CAMNAME": "ea03"}, None),
    ],
)
def test_a_cameras_number_is_known_wherever_it_stands(cards, number):
    assert facts_of(cards).camera_serial == number


@pytest.mark.parametrize(
    ("cards", "binning"),
    [({"BINNING": "2*2"}, "2x2"), ({"BINNING": "2x2"}, "2x2"), ({"BIN-FCT1": 2, "BIN-FCT2": 1}, "2x1")],
)
def test_a_binning_is_known_in_every_spelling(cards, binning):
    assert facts_of(cards).binning == binning


@pytest.mark.parametrize(
    ("cards", "celsius"),
    [
        ({"CAMTEMP": "13 C"}, 13.0),
        ({"DETTEM": (-133.13, "Temp. Cold Plate (C)")}, -133.13),
        ({"DET-TMP": (166.26, "[Kelvin] Detector temperature")}, -106.89),
        ({"DET-TMP": (77.0, "Detector temperature (K)")}, -196.15),
        ({"DET-TMP": "77 K"}, -196.15),
        ({"HIERARCH ESO INS TEMP-DETSW": 59.999}, -213.151),
        ({"T_CCDTV": -101.158}, -101.158),
    ],
)
def test_a_temperature_is_known_in_every_unit(cards, celsius):
    assert facts_of(cards).ccd_temperature_c == pytest.approx(celsius)


def test_the_largest_pixel_is_the_saturation_where_its_comment_says_so():
    assert facts_of({"DATAMAX": (65535, "SATURATION LEVEL")}).saturation == 65535
    assert facts_of({"DATAMAX": (65535, "Maximum pixel value")}).saturation is None


@pytest.mark.parametrize(
    ("keyword", "value", "kind"),
    [
        ("IMAGETYP", "EXT", "light"),
        ("IMAGETYP", "SNAPSHOT", "light"),
        ("IMAGETYP", "Master Dark", "dark"),
        ("CALFRAME", "MasterFlat", "flat"),
        ("DATA-TYP", "DOMEFLAT", "flat"),
        ("FLAVOR", "bias", "bias"),
    ],
)
def test_a_kind_is_known_in_more_words(keyword, value, kind):
    assert facts_of({keyword: value}).kind == kind


@pytest.mark.parametrize(
    ("cards", "scale"),
    [
        ({"XPIXSZ": 9.0, "FOCALLMM": 1624.0}, 1.14309),
        ({"XPIXSZ": 9.0, "FOCLEN": (1.624, "[m] focal length")}, 1.14309),
        ({"XPIXELSZ": 9.0, "FOCALLEN": 1624.0}, 1.14309),
        ({"ASECPIX": 0.588, "XBINNING": 2, "YBINNING": 2}, 1.176),
        ({"HIERARCH ESO INS PIXSCALE": 0.148}, 0.148),
    ],
)
def test_a_scale_is_known_from_more_keywords(cards, scale):
    assert facts_of({"PIXSCALE": None}, cards).pixel_scale_arcsec == pytest.approx(scale, rel=1e-4)


def test_a_master_dark_of_many_frames_may_hold_its_bias_still():
    assert facts_of({"IMAGETYP": "Master Dark", "NCOMBINE": 20}).calibrated == ()
    assert facts_of({"IMAGETYP": "Master Dark", "NCOMBINE": 20, "CALSTAT": "B"}).calibrated == ("bias",)


@pytest.mark.parametrize("camera", ["ZWO ASI1600MM Pro", "QHY600M", "Player One Poseidon-M"])
def test_a_small_whole_gain_of_a_camera_with_a_setting_is_the_setting(camera):
    facts = facts_of({"GAIN": 1, "INSTRUME": camera})
    assert (facts.gain_e_per_adu, facts.gain_setting) == (None, "1")


def test_levels_and_noise_are_taken_in_the_unit_that_their_comments_name():
    facts = facts_of({"GAIN": 1.5, "RDNOISE": (5.0, "ADU"), "SATURATE": (90000.0, "[electron]")})
    assert (facts.read_noise_e, facts.saturation) == pytest.approx((7.5, 60000.0))
    assert facts_of({"SATURATE": (12, "number of saturated pixels")}).saturation is None
    assert facts_of({"GAIN": (0.5, "counts per photoelectron")}).gain_e_per_adu == pytest.approx(2.0)


def test_the_overscan_does_not_lie_in_the_sky():
    facts = facts_of({"TRIMSEC": "[1:60,1:50]", "BIASSEC": "[51:60,1:50]"})
    assert (facts.biassec, facts.trimsec) == (None, "[1:60,1:50]")
    assert "sections_overlap" in {doubt.code for doubt in facts.doubts}
    facts = facts_of({"DATASECA": "[1:50,1:50]", "BIASSECA": "[51:60,1:50]"})
    assert "sections_of_amplifiers" in {doubt.code for doubt in facts.doubts}


@pytest.mark.parametrize(
    ("offsets", "pattern"),
    [({"XBAYROFF": 1}, "GRBG"), ({"YBAYROFF": 1}, "GBRG"), ({"XBAYROFF": 1, "YBAYROFF": 1}, "BGGR"), ({}, "RGGB")],
)
def test_a_mosaic_may_begin_before_the_image(offsets, pattern):
    assert facts_of({"BAYERPAT": "RGGB", **offsets}).bayer_pattern == pattern


@pytest.mark.parametrize(
    ("unit", "known"),
    [
        ("photoelectrons", "electron"),
        ("e- s^-1", "electron/s"),
        ("ct/s", "adu/s"),
        ("cps", "adu/s"),
        ("cts", "adu"),
        ("Jy", None),
    ],
)
def test_units_of_pixels_have_many_spellings(unit, known):
    assert facts_of({"BUNIT": unit}).pixel_unit == known


@pytest.mark.parametrize(
    ("binning", "known"), [("2", "2x2"), (2, "2x2"), ("(2, 2)", "2x2"), ("2 X 2", "2x2"), ("[1,2]", "1x2")]
)
def test_a_binning_may_be_one_number_or_stand_in_brackets(binning, known):
    assert facts_of({"BINNING": binning}).binning == known


@pytest.mark.parametrize(
    ("cards", "steps"),
    [
        ({"CALSTAT": "BDFT"}, "bias dark flat"),
        ({"CALSTAT": "DFH"}, "dark flat"),
        ({"CALSTAT": "bias, dark"}, "bias dark"),
        ({"CALSTAT": "calibrated"}, "bias dark flat"),
        ({"CALSTAT": "uncalibrated"}, ""),
        ({"CALSTAT": "raw"}, ""),
        ({"PROCTYPE": "instcal"}, "bias dark flat"),
        ({"PROCTYPE": "raw"}, ""),
        ({"PRODCATG": "SCIENCE.IMAGE"}, "bias dark flat"),
        ({"CALIBRAT": True}, "bias dark flat"),
        ({"IMAGETYP": "Calibrated Light"}, "bias dark flat"),
        ({"REDLEVEL": 91}, "bias dark flat"),
        ({"HISTORY": "ccdproc: flat_correct(ccd, flat)"}, "flat"),
        ({"HISTORY": "subtract_dark"}, "dark"),
        ({"HISTORY": "Calibrated with dark.fit bias.fit flat.fit"}, "bias dark flat"),
        ({"HISTORY": "ImageCalibration.masterFlat.enabled: true"}, "flat"),
        ({"HISTORY": "ImageCalibration.masterFlat.enabled: false"}, ""),
        ({"HISTORY": "calibrate light_ -dark=dark_stacked"}, "dark"),
        ({"HISTORY": "Siril: Calibrated with dark"}, "dark"),
        ({"HISTORY": "Calibrated"}, "bias dark flat"),
        ({"HISTORY": "bias corrected: F"}, ""),
        ({"HISTORY": "to be flat fielded"}, ""),
        ({"HISTORY": "astrometrically calibrated"}, ""),
    ],
)
def test_what_was_taken_off_is_known_in_more_words(cards, steps):
    assert facts_of(cards).calibrated == tuple(steps.split())


@pytest.mark.parametrize("word", ["Light Auto Dark", "Light, dark subtracted", "Light (bias-subtracted)", "Licht"])
def test_what_was_taken_off_a_light_makes_it_nothing_else(word):
    assert facts_of({"IMAGETYP": word}).kind == "light"


@pytest.mark.parametrize(
    "cards",
    [
        {"NFRAMES": (10, "number of stacked frames")},
        {"TOTALEXP": 600.0},
        {"HISTORY": "ImageIntegration.numberOfImages: 20"},
        {"HISTORY": "processed by DeepSkyStacker"},
    ],
)
def test_a_stack_is_known_by_other_signs_than_a_count(cards):
    assert "span_of_stack_unknown" in {doubt.code for doubt in facts_of(cards).doubts if doubt.blocks_publication}


def test_a_number_of_frames_that_is_no_stack_holds_nothing():
    assert not [
        doubt for doubt in facts_of({"NFRAMES": (10, "frames of the sequence")}).doubts if doubt.blocks_publication
    ]


def test_an_exposure_of_hours_is_a_stack_or_no_seconds():
    codes = {(doubt.code, doubt.blocks_publication) for doubt in facts_of({"EXPTIME": 60000.0}).doubts}
    assert ("exposure_is_long", True) in codes


def test_a_wheel_that_lets_everything_pass_leaves_the_filter_to_another():
    assert facts_of({"FILTER": "Clear", "FILTER2": "V"}).filter_band == "V"


def test_a_wcs_of_unbinned_pixels_is_held():
    tan = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 300.0, "CRPIX2": 200.0}
    cards = tan | {"CD1_1": -0.6 / 3600, "CD2_2": 0.6 / 3600, "XBINNING": 2, "RA": 150.0, "DEC": 2.0, "PIXSCALE": 1.2}
    assert "scale_contradicted" in {doubt.code for doubt in facts_of(cards).doubts if doubt.blocks_publication}


@pytest.mark.parametrize(
    ("value", "comment", "level"), [(60.0, "kADU", 60000.0), (120, "full well [ke-]", 60000.0), (16, "bits", None)]
)
def test_a_saturation_in_thousands_is_as_many_counts_and_a_depth_in_bits_is_none(value, comment, level):
    facts = facts_of({"GAIN": (2.0, "e-/ADU"), "SATURATE": (value, comment)})
    assert facts.saturation == (None if level is None else pytest.approx(level))
