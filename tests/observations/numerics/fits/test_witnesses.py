"""What denies or confirms a time: other dates, the Sun's time, the horizon, today."""

from __future__ import annotations

import datetime as dt

import pytest

from observations.numerics.fits.headers import Reading, read_facts
from tests.observations.numerics.fits.test_headers import BASE, SHAPE, codes, facts_of, header_of

START_MJD = 60370.875
REDUCED = START_MJD + 0.5
# Where the field of the plain header stands high at its time, and has set, by day, half a day before.
SITE = {"SITELAT": 20.0, "SITELONG": "60 00 00 E"}
ALONE = {"DATE-OBS": None}


def shown_at(now: str):
    reading = Reading(read_at=dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC))
    return read_facts(header_of(BASE), SHAPE, reading)[0]


@pytest.mark.parametrize("keyword", ["MJD-OBS", "MJD", "MJD-BEG"])
def test_days_that_nothing_confirms_may_be_half_a_day_off(keyword):
    (doubt,) = facts_of(ALONE, {keyword: REDUCED + 1e-5}).doubts
    assert (doubt.code, doubt.keyword, doubt.blocks_publication) == ("days_unconfirmed", keyword, False)


@pytest.mark.parametrize(
    "cards",
    [
        {"MJD-OBS": START_MJD + 1e-5, **SITE},
        {"MJD-OBS": (START_MJD + 1e-5, "JD-2400000.5")},
        {"MJD-OBS": START_MJD + 1e-5, "HJD": 2460371.378},
        {"JD": START_MJD + 2400000.50001},
        {"MJD-OBS": START_MJD + 1e-5, "DATE-OBS": "2024-03-01T21:00:00.864"},
    ],
)
def test_a_date_a_zero_or_the_sun_confirms_days(cards):
    assert codes(facts_of(ALONE, cards)) == []


@pytest.mark.parametrize(
    ("comment", "value"),
    [
        ("JD-2400000", REDUCED),
        ("JD - 2,400,000", REDUCED),
        ("JD-2.4E6", REDUCED),
        ("Julian date minus 2400000", REDUCED),
        ("days since JD 2400000", REDUCED),
        ("RJD", REDUCED),
        ("Reduced Julian Date", REDUCED),
        ("TJD", START_MJD - 40000),
        ("truncated JD", START_MJD - 40000),
        ("Julian date - 2450000", REDUCED - 50000),
    ],
)
def test_days_count_from_where_their_comment_says(comment, value):
    facts = facts_of(ALONE, {"MJD-OBS": (value + 1e-5, comment)})
    assert facts.observation_time == dt.datetime(2024, 3, 1, 21, 0, 0, 864000, tzinfo=dt.UTC)
    assert codes(facts) == []


def test_days_that_were_made_of_a_julian_date_are_denied_by_one_at_the_sun():
    facts = facts_of(ALONE, {"MJD-OBS": REDUCED + 1e-5, "HJD": 2460371.378})
    (doubt,) = facts.doubts
    assert (doubt.code, doubt.keyword, doubt.blocks_publication) == ("time_contradicted", "HJD", True)
    assert "JD - 2400000" in doubt.message


@pytest.mark.parametrize(("hjd", "is_denied"), [
    (2460371.375, False), (2460371.3808, False), (2460371.3695, False), (2460371.39, True), (2460371.085, True),
])  # fmt: skip
def test_light_needs_eight_minutes_to_the_sun_and_no_more(hjd, is_denied):
    assert ("time_contradicted" in codes(facts_of({"HJD": hjd}))) == is_denied


@pytest.mark.parametrize(
    ("day", "is_denied"),
    [("2024-03-01", False), ("2024-02-29", False), ("2024-03-02", False), ("2024-03-03", True), ("2024-02-20", True)],
)
def test_a_date_alone_may_be_that_of_the_night_and_no_other(day, is_denied):
    facts = facts_of({"DATE-OBS": day, "JD": START_MJD + 2400000.50001})
    assert ("time_contradicted" in codes(facts)) == is_denied


def test_a_field_below_the_horizon_is_a_doubt_about_the_clock():
    assert codes(facts_of(SITE)) == []
    facts = facts_of(SITE, {"DATE-OBS": "2024-03-01T14:30:00.000", "RA": "02:00:00.0", "DEC": "+60:00:00"})
    assert codes(facts) == []
    (doubt,) = facts_of(SITE, {"RA": "23:30:00.0", "DEC": "-20:00:00"}).doubts
    assert (doubt.code, doubt.fact, doubt.blocks_publication) == ("below_horizon", "time", False)


@pytest.mark.parametrize(("cards", "is_denied"), [
    ({"AIRMASS": 1.1}, False), ({"AIRMASS": 1.0}, False), ({"AIRMASS": 2.5}, True), ({"CENTALT": 65.0}, False),
    ({"OBJCTALT": "20 00 00"}, True), ({"OBJCTALT": 0.0}, False),
])  # fmt: skip
def test_an_altitude_that_the_time_does_not_give_is_a_doubt_about_the_clock(cards, is_denied):
    assert ("altitude_differs" in codes(facts_of(SITE, cards))) == is_denied


@pytest.mark.parametrize("now", ["2024-03-01T22:00:00", "2024-02-29T21:30:00", "2031-01-01T00:00:00"])
def test_a_frame_of_today_or_before_is_no_frame_of_the_future(now):
    assert codes(shown_at(now)) == []


def test_a_time_that_has_not_come_yet_is_doubted_and_says_by_how_much():
    (doubt,) = shown_at("2024-02-20T21:00:00").doubts
    assert (doubt.code, doubt.fact, doubt.blocks_publication) == ("time_in_future", "time", True)
    assert "10 days after" in doubt.message


def test_a_reading_that_knows_no_today_asks_nothing_of_it():
    assert codes(facts_of({"DATE-OBS": "2064-03-01T21:00:00.000"})) == []
