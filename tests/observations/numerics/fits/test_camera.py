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
    ],
)
def test_an_amplifiers_setting_is_no_conversion_factor(cards, gain, setting):
    facts = facts_of({"GAIN": None, "EGAIN": None}, cards)
    assert (facts.gain_e_per_adu, facts.gain_setting) == (gain, setting)


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
    ],
)
def test_a_section_counts_where_it_lies_in_the_image_binned_or_not(cards, section):
    facts = facts_of({"TRIMSEC": None, "DATASEC": None, "XBINNING": None, "YBINNING": None}, cards)
    assert facts.trimsec == section
    assert ("section_of_another_grid" in [doubt.code for doubt in facts.doubts]) == ("9000" in cards["DATASEC"])


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
    [({"BAYERPAT": "RGGB"}, "RGGB"), ({"COLORTYP": "gbrg"}, "GBRG"), ({"BAYERPAT": "NONE"}, None), ({}, None)],
)
def test_a_mosaic_of_colours_is_known_for_one(cards, pattern):
    assert facts_of(cards).bayer_pattern == pattern
