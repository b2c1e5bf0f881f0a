"""What the comments beside times say."""

from __future__ import annotations

import pytest

from observations.numerics.fits.time_words import is_slow, local_word, moment_said, zero_of_days


@pytest.mark.parametrize(
    ("comment", "moment"),
    [
        ("UTC start of exposure", "start"),
        ("Commencement of the exposure", "start"),
        ("Time of observation, mean UT", None),
        ("MIDAS desc.: O_TIME(1)", None),
        ("date created at start", "start"),
        ("midtime", "mid"),
        ("Mid_exposure", "mid"),
        ("mean time of exposure", "mid"),
        ("central time of exposure", "mid"),
        ("Halfway through the exposure", "mid"),
        ("exposure completed", "end"),
        ("termination", "end"),
        ("after exposure", "end"),
        ("start of readout", "end"),
        ("Start reading out", "end"),
        ("begin readout", "end"),
        ("read out", "end"),
        ("transfer complete", "end"),
        ("Windows clock at frame callback", "end"),
        ("image saved (UTC)", "end"),
        ("at header creation", "end"),
    ],
)
def test_a_comment_names_a_moment_whatever_its_words(comment, moment):
    said = moment_said(comment)
    assert (said.name if said else None) == moment


def test_what_stands_between_the_exposure_and_the_clock_is_told():
    assert moment_said("start of readout").by_readout == ""
    assert moment_said("end of readout").by_readout == "readout"
    assert moment_said("File saved").by_readout == "saved"
    assert is_slow("readout") and is_slow("saved")
    assert not is_slow("received") and not is_slow("transfer")


@pytest.mark.parametrize(
    "comment",
    [
        "UT-3",
        "UTC +2",
        "GMT-5",
        "PST",
        "CEST",
        "civil time",
        "local time (UT-3)",
        "Ortszeit",
        "heure locale",
        "Beijing time",
        "daylight saving time",
        "wall clock",
        "Sommerzeit",
    ],
)
def test_zones_and_offsets_are_local_clocks(comment):
    assert local_word(comment) is not None


@pytest.mark.parametrize(
    "comment", ["UTC", "UTC, not local time", "local sidereal time", "System Clock:Est. Frame Start"]
)
def test_universal_time_is_no_local_clock(comment):
    assert local_word(comment) is None


def test_a_comment_names_the_zero_of_its_days():
    assert zero_of_days("JD-2400000") == 2400000.0
    assert zero_of_days("JD - 2450000.5") == 2450000.5
    assert zero_of_days("Julian Date") is None
