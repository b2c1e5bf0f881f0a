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


@pytest.mark.parametrize(
    ("cards", "is_doubted"),
    [
        ({"NCOMBINE": 5}, True),
        ({"NCOMBINE": 5, "EXPTIME": (300.0, "total exposure time")}, False),
        ({"NCOMBINE": 5, "EXPTIME": (60.0, "exposure of a single frame")}, False),
        ({"NCOMBINE": 5, "TOTALEXP": 300.0}, False),
        # Five exposures of 60 s in 310 s, or one of 300 s in all.
        ({"NCOMBINE": 5, "DATE-END": "2024-03-01T21:05:10"}, False),
        ({"NCOMBINE": 5, "EXPTIME": 300.0, "DATE-END": "2024-03-01T21:05:10"}, False),
        ({"NCOMBINE": 5, "DATE-END": "2024-03-01T21:40:00"}, True),
        ({"NCOMBINE": 1}, False),
    ],
)
def test_the_exposure_of_a_stack_is_that_of_one_or_of_all(cards, is_doubted):
    found = [doubt for doubt in facts_of(cards).doubts if doubt.code == "exposure_of_stack"]
    assert bool(found) == is_doubted
    assert all(doubt.fact == "exposure" for doubt in found)
    # What only the middle hangs on holds nothing back where the middle is known.
    assert [doubt.blocks_publication for doubt in found] == ["DATE-END" not in cards] * is_doubted


@pytest.mark.parametrize("keyword", ["NFRAMES", "NIMAGES", "NEXP", "FRAMECNT", "SUBS"])
@pytest.mark.parametrize(
    ("comment", "code"),
    [
        ("", "count_unexplained"),
        ("number of frames", "count_unexplained"),
        ("frames in sequence", None),
        ("exposures requested", None),
        ("number of frames combined", "span_of_stack_unknown"),
    ],
)
def test_a_count_is_that_of_a_series_a_stack_or_nobody_knows(keyword, comment, code):
    held = [doubt.code for doubt in facts_of({keyword: (5, comment)}).doubts if doubt.fact == "time"]
    assert held == ([] if code is None else [code])


def test_a_count_beside_a_known_end_is_no_doubt():
    assert facts_of({"NFRAMES": 5, "DATE-END": "2024-03-01T21:01:00.000"}).doubts == ()


@pytest.mark.parametrize(
    "cards",
    [
        {"LSTACK": (5, "number of frames that were stacked")},
        {"NADD": (5, "combined images")},
        {"IMCMB001": "a.fits", "IMCMB002": "b.fits"},
        {"HISTORY": "imcombine: median"},
        {"HISTORY": "12 images averaged"},
        {"HISTORY": "Stacked 12 frames"},
    ],
)
def test_a_stack_is_known_by_any_word_for_what_was_done(cards):
    assert "span_of_stack_unknown" in [doubt.code for doubt in facts_of(cards).doubts]


@pytest.mark.parametrize(
    "cards", [{"IMCMB001": "a.fits"}, {"STKMODE": (2, "mode of stacking")}, {"HISTORY": "1 image"}]
)
def test_one_frame_is_no_stack(cards):
    assert facts_of(cards).doubts == ()
