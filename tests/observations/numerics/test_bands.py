"""Names of filters."""

from __future__ import annotations

import pytest

from observations.numerics.bands import combine_bands, normalise_band


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("Open", "Clear"), ("CLEAR", "Clear"), (" none ", "Clear"), ("Luminance", "L"), ("V", "V"), ("Johnson V", "V"),
        ("Bessell_R", "R"), ("Rc", "R"), ("SDSS-r", "r"), ("r'", "r"), ("rp", "r"), ("ztf_g", "g"), ("sdssi", "i"),
        ("H-Alpha", "Ha"), ("Red", "Red"), ("og515+kg5", "og515+kg5"), ("F200W", "F200W"),
        ("z DECam SDSS c0004 9260.0 1520.0", "z"), ("HSC-i", "i"), ("g_01", "g"), ("r.00000", "r"), ("i.MP9702", "i"),
        ("CLEAR1L", "Clear"), ("VR DECam c0007 6300.0 2600.0", "VR DECam c0007 6300.0 2600.0"), ("W-S-R+", "W-S-R+"),
        ("Ha 7nm", "Ha"), ("OIII 3 nm", "OIII"), ("Halpha 6.5nm Astrodon", "Ha"), ("R (Cousins)", "R"),
        ("r_prime", "r"), ("V-band", "V"), ('"V"', "V"), ("#1 Open", "Clear"), ("V (Bessell)", "V"),
    ],
)  # fmt: skip
def test_spellings_of_one_filter_have_one_name(name, band):
    assert normalise_band(name) == band


@pytest.mark.parametrize("name", ["", "?", "unknown", "N/A", "Undefined"])
def test_a_name_that_says_nothing_is_no_band(name):
    assert normalise_band(name) is None


def test_the_cousins_and_the_sloan_filter_are_two():
    assert normalise_band("R") != normalise_band("r")
    assert normalise_band("Johnson R") == normalise_band("R")


def test_an_open_wheel_adds_nothing_to_another():
    assert combine_bands(["V", "Clear"]) == "V"
    assert combine_bands(["Open", "Dummy"]) == "Clear"
    assert combine_bands(["F150W2", "F162M"]) == "F150W2+F162M"
    assert combine_bands(["?"]) is None
    assert combine_bands([]) is None
