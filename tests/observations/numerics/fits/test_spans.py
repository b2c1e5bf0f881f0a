"""What was not exposed in one piece, or is not in its observer's time, is doubted."""

from __future__ import annotations

import pytest

from observations.numerics.fits.headers import read_facts
from tests.observations.numerics.fits.test_headers import BASE, SHAPE, facts_of, header_of


@pytest.mark.parametrize(
    ("cards", "code"),
    [
        ({"STACKCNT": 187}, "span_of_stack_unknown"),
        ({"NCOMBINE": 12}, "span_of_stack_unknown"),
        ({"STACKCNT": 1}, None),
        ({"STACKCNT": 187, "DATE-END": "2024-03-01T21:40:00.000"}, None),
        ({"SUBEXP": 8, "DATE-AVG": "2024-03-01T21:05:00.000"}, None),
        ({"HIERARCH ESO DET NDIT": 6}, "several_integrations"),
        ({"COADDS": 10}, "several_integrations"),
        ({"COADDS": 1}, None),
        ({"COADDS": 10, "DATE-AVG": "2024-03-01T21:05:00.000"}, None),
        ({"BJDREFI": 2457000}, "barycentric_time"),
        ({"TREFPOS": "BARYCENTER"}, "barycentric_time"),
        ({"TREFPOS": "TOPOCENTER"}, None),
        ({"TIMEREF": "SOLARSYSTEM"}, "barycentric_time"),
        ({"CCDMODE": "DRIFT"}, "drift_scan"),
        ({"CCDMODE": "STARING"}, None),
    ],
)
def test_a_middle_that_nobody_knows_holds_back_what_is_published(cards, code):
    held = [doubt.code for doubt in facts_of(cards).doubts if doubt.fact == "time" and doubt.blocks_publication]
    assert held == ([] if code is None else [code])


def test_the_integrations_of_a_tenth_of_a_second_are_doubted_and_hold_nothing_back():
    facts = facts_of({"COADDS": 10, "EXPTIME": 0.1})
    (doubt,) = [doubt for doubt in facts.doubts if doubt.code == "several_integrations"]
    assert not doubt.blocks_publication


def test_the_time_of_a_master_is_nobodys_concern():
    header = header_of(BASE, {"IMAGETYP": "Master Dark", "NCOMBINE": 30})
    assert not [doubt for doubt in read_facts(header, SHAPE)[0].doubts if doubt.blocks_publication]
