"""Keywords that stand twice in one header."""

from __future__ import annotations

import pytest
from astropy.io import fits

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.repeated import doubt_repeated


@pytest.mark.parametrize(
    ("keyword", "first", "second", "fact", "blocks"),
    [
        ("DATE-OBS", "2024-05-06T03:04:05", "2024-05-06T04:04:05", "time", True),
        ("EXPTIME", 60.0, 5.0, "exposure", True),
        ("CRVAL1", 150.1, 151.1, "position", True),
        ("FILTER", "V", "R", "band", False),
    ],
)
def test_two_values_of_one_keyword_are_a_doubt(keyword, first, second, fact, blocks):
    header, notes = fits.Header(), Notes()
    header.append((keyword, first))
    header.append((keyword, second), end=True)
    doubt_repeated(Cards(header), notes)
    assert [(d.code, d.fact, d.blocks_publication) for d in notes.doubts] == [("keyword_repeated", fact, blocks)]


def test_a_value_that_is_no_number_stands_there_once():
    header, notes = fits.Header([("EXPTIME", "NaN"), ("EXPOSURE", 60.0)]), Notes()
    doubt_repeated(Cards(header), notes)
    assert notes.doubts == []


@pytest.mark.parametrize(
    ("keyword", "first", "second"), [("EXPTIME", 60.0, 60), ("EXPTIME", "NaN", "NaN"), ("DEC", -30.18297, -30.18300006)]
)
def test_the_same_value_twice_is_none(keyword, first, second):
    header, notes = fits.Header(), Notes()
    header.append((keyword, first))
    header.append((keyword, second), end=True)
    doubt_repeated(Cards(header), notes)
    assert notes.doubts == []
