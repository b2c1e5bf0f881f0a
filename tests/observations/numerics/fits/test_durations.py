"""How long an exposure was, whatever unit its card is in."""

from __future__ import annotations

import pytest
from astropy.io import fits

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.durations import find_exposure
from observations.numerics.fits.facts import Notes
from tests.observations.numerics.fits.test_headers import facts_of


def exposure_of(**cards: object) -> tuple[float | None, Notes]:
    header, notes = fits.Header(), Notes()
    for keyword, value in cards.items():
        header[keyword] = value
    return find_exposure(Cards(header), notes), notes


@pytest.mark.parametrize(
    ("cards", "seconds"),
    [
        ({"EXPTIME": 300.0}, 300.0),
        ({"EXPTIME": (5.0, "exposure time in minutes")}, 300.0),
        ({"EXPTIME": (300000, "[ms] exposure")}, 300.0),
        ({"EXPTIME": (300e6, "exposure in microseconds")}, 300.0),
        ({"EXPOSURE": (0.016492, "[d] time on source")}, 1424.9),
        ({"EXPTIME": (0.5, "hours")}, 1800.0),
        ({"EXPTIME": (300.0, "seconds, of at most 20 minutes")}, 300.0),
        ({"EXPOINUS": 2_000_000}, 2.0),
        ({"EXPTIME": "00:05:00"}, 300.0),
        ({"EXPTIME": 0.0, "EXPOSURE": (60.0, "s")}, 60.0),
        ({"EXPTIME": 0.0}, 0.0),
        ({"EXP": (15.0, "[s] Sub Exposure Time")}, 15.0),
        ({"EXPOSURE": ("1234567", "Exposure request number"), "EFFEXPTM": 1374.3}, 1374.3),
        ({"EXPREQ": 615.0, "EXPTIME": 615.037}, 615.037),
        ({"REQTIME": 30.0}, 30.0),
        ({"EXPTIME": (60.0, "Total number of seconds exposed")}, 60.0),
        ({"TEXPTIME": 898.5}, 898.5),
        ({"EXPTIME": "9,78E+01"}, 97.8),
        ({"EXPTIME": 10.0, "EXPOSURE": 10000}, 10.0),
        ({"EXPTIME": 10000000, "EXPOSURE": 10.0}, 10.0),
        ({"EXPTIME": (5.0, "Exposure (min)")}, 300.0),
        ({"EXPTIME": (5.0, "unit=min")}, 300.0),
        ({"EXPTIME": (5.0, "minute")}, 300.0),
        ({"EXPTIME": (0.5, "(h)")}, 1800.0),
        ({"EXPTIME": (0.02, "(d)")}, 1728.0),
        ({"EXPTIME": (3000000, "exposure time in us")}, 3.0),
        ({"EXPTIME": (6000.0, "in 1/100 s")}, 60.0),
        ({"EXPTIME": (6000.0, "hundredths of a second")}, 60.0),
        ({"EXPTIME": (6000.0, "in units of 10 milliseconds")}, 60.0),
        ({"EXPTIME": (60.0, "Exp. in s (1000 ms)")}, 60.0),
        ({"EXPTIME": (60.0, "Exposure minimum")}, 60.0),
        ({"EXPTIME": (60.0, "[s] Exposure; days since 2000")}, 60.0),
        ({"EXPTIME": "60 s"}, 60.0),
        ({"EXPTIME": "5 min"}, 300.0),
        ({"EXPTIME": "1/30"}, 1 / 30),
        ({"EXPTIME": "100 ms"}, 0.1),
        ({"EXPTIME": 0.0, "TEXPTIME": 60.0}, 60.0),
        ({"EXPTIME": 60000.0, "REQTIME": 60.0}, 60.0),
        ({"EXPTIME": 60000.0, "DARKTIME": 60.0}, 60.0),
        ({"XPOSURE": 0.02, "TIMEUNIT": "d"}, 1728.0),
        ({"EXPTIME": "01:00"}, None),
        ({"EXPTIME": (1800.0, "lines")}, None),
        ({"EXPTIME": -1.0}, None),
        ({}, None),
    ],
)
def test_an_exposure_is_in_seconds_whatever_its_unit(cards, seconds):
    exposure, _ = exposure_of(**cards)
    assert exposure == (None if seconds is None else pytest.approx(seconds, rel=1e-3))


def test_two_exposures_that_differ_are_a_doubt_that_the_middle_hangs_on():
    exposure, notes = exposure_of(EXPTIME=60.0, EXPOSURE=90.0)
    assert exposure == 60.0
    (doubt,) = notes.doubts
    assert (doubt.code, doubt.keyword, doubt.blocks_publication) == ("exposure_contradicted", "EXPOSURE", True)


def test_the_time_from_start_to_end_may_be_longer_than_the_exposure():
    assert exposure_of(EXPTIME=60.0, TELAPSE=75.0)[1].doubts == []
    assert exposure_of(EXPTIME=60.0, TELAPSE=45.0)[1].doubts != []


@pytest.mark.parametrize(
    "cards",
    [
        {"EXPTIME": 615.037, "EXPREQ": 600.0},
        {"EXPTIME": 10.0, "EXPOSURE": 10000},
        {"EXPTIME": 60.0, "EXPOSURE": (7, "exposure number")},
    ],
)
def test_what_was_asked_for_or_counted_or_is_in_another_unit_contradicts_nothing(cards):
    assert exposure_of(**cards)[1].doubts == []


@pytest.mark.parametrize(
    ("card", "word"), [((1800.0, "in ticks"), "counted in ticks"), ("01:00", "no length of time that can be read")]
)
def test_what_is_no_length_of_time_is_not_used_and_says_why(card, word):
    exposure, notes = exposure_of(EXPTIME=card)
    assert exposure is None
    assert [doubt.code for doubt in notes.doubts] == ["unreadable_exposure"]
    assert word in notes.doubts[0].message


@pytest.mark.parametrize("comment", ["in 0.1 s", "units of 0.1 sec", "x0.1s", "[0.1 s]"])
def test_parts_of_a_second_are_a_unit(comment):
    assert facts_of({"EXPTIME": (600, comment)}).exposure_s == pytest.approx(60.0)
