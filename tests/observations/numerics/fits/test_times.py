"""When an exposure was: the keywords of many observatories and their disagreements."""

from __future__ import annotations

import datetime as dt

import pytest
from astropy.io import fits
from astropy.time import Time

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.clocks import parse_calendar
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.times import ExposureTimes, find_times

START = dt.datetime(2024, 3, 1, 21, 0, 0, 250000, tzinfo=dt.UTC)
START_MJD = 60370.875 + 0.25 / 86400
# A double holds an MJD to a microsecond.
TOLERANCE_S = 2e-6


def times_of(exposure_s: float = 60.0, **cards: object) -> tuple[ExposureTimes, Notes]:
    header, notes = fits.Header(), Notes()
    for keyword, value in cards.items():
        header[keyword.replace("_", "-")] = value
    return find_times(Cards(header), exposure_s, notes), notes


@pytest.mark.parametrize(
    "cards",
    [
        {"DATE_OBS": "2024-03-01T21:00:00.250"},
        {"DATE_OBS": "2024-03-01T21:00:00.250Z"},
        {"DATE_OBS": "2024-03-01T14:00:00.250-0700"},
        {"DATE_OBS": "2024-03-02T02:30:00.250+05:30"},
        {"DATE_OBS": "2024/03/01 21:00:00.250"},
        {"DATE_OBS": "2024-03-01", "UTSTART": "21:00:00.250"},
        {"DATE_OBS": "2024-03-01", "UT": "21:00:00.250"},
        {"UTC_OBS": "2024-03-01T21:00:00.250"},
        {"DATE_BEG": "2024-03-01T21:00:00.250"},
        {"DATE_OBS": ("2024-03-01T13:00:00.250", "Start, local"), "UT_OBS": "2024-03-01T21:00:00.250"},
    ],
)
def test_every_way_to_write_the_start_is_read(cards):
    times, notes = times_of(**cards)
    assert times.start == START
    assert (times.mid_mjd_utc - START_MJD) * 86400 == pytest.approx(30.0, abs=TOLERANCE_S)
    assert notes.doubts == []


@pytest.mark.parametrize("cards", [{"MJD_OBS": START_MJD}, {"JD": START_MJD + 2400000.5}])
def test_numbers_of_days_are_read(cards):
    times, _ = times_of(**cards)
    # A double holds a Julian Date to 40 microseconds; it is read to the millisecond.
    assert abs(times.start - START) < dt.timedelta(milliseconds=1)


def test_the_old_dates_of_the_last_century_are_read():
    times, _ = times_of(DATE_OBS="26/10/92", TM_START=11048.0)
    assert times.start == dt.datetime(1992, 10, 26, 3, 4, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize("scale", ["TAI", "TT", "TDB"])
def test_other_time_scales_become_utc(scale):
    written = getattr(Time(START_MJD, format="mjd", scale="utc"), scale.lower()).isot
    times, _ = times_of(DATE_OBS=written, TIMESYS=scale)
    assert abs(times.start - START) < dt.timedelta(milliseconds=1)


def test_the_more_precise_time_wins_and_agreement_within_precision_is_no_conflict():
    times, notes = times_of(MJD_OBS=60370.875, DATE_OBS="2024-03-01T21:00:00.250")
    assert times.start == START
    assert notes.doubts == []


def test_times_that_disagree_are_kept_as_a_conflict():
    times, notes = times_of(DATE_OBS="2024-03-01T21:00:00.250", MJD_OBS=60370.90123)
    assert times.start == START
    assert [(doubt.code, doubt.keyword) for doubt in notes.doubts] == [("time_contradicted", "MJD-OBS")]
    assert notes.doubts[0].blocks_publication


def test_a_stated_mid_exposure_is_used_where_it_can_be():
    # A paused exposure: the middle is later than half of its 60 s.
    times, _ = times_of(DATE_OBS="2024-03-01T21:00:00.250", DATE_AVG="2024-03-01T21:00:50.250")
    assert (times.mid_mjd_utc - START_MJD) * 86400 == pytest.approx(50.0, abs=TOLERANCE_S)


@pytest.mark.parametrize("mid", ["2024-03-01T21:00:00.250", "2024-03-01T20:59:00.000", "2024-03-09T21:00:00.000"])
def test_a_mid_exposure_at_or_before_the_start_or_days_later_is_a_conflict(mid):
    times, notes = times_of(DATE_OBS="2024-03-01T21:00:00.250", DATE_AVG=mid)
    assert (times.mid_mjd_utc - START_MJD) * 86400 == pytest.approx(30.0, abs=TOLERANCE_S)
    assert [(doubt.code, doubt.keyword) for doubt in notes.doubts] == [("time_contradicted", "DATE-AVG")]


def test_a_comment_that_says_mid_makes_it_the_middle():
    times, _ = times_of(MJD_OBS=(60370.87534722, "MJD of mid-exposure"))
    assert times.mid_mjd_utc == 60370.87534722
    assert abs(times.start - START) < dt.timedelta(seconds=0.5)


def test_half_a_day_is_the_fault_of_a_julian_date_and_not_a_more_precise_time():
    times, notes = times_of(DATE_OBS="26/10/92", TM_START=11048.0, MJD_OBS=4.892162787e4)
    assert times.start == dt.datetime(1992, 10, 26, 3, 4, 8, tzinfo=dt.UTC)
    assert "half a day" in notes.doubts[0].message


@pytest.mark.parametrize(
    "cards", [{"DATE_OBS": "2024-03-01"}, {"DATE_OBS": "yesterday"}, {"DATE_OBS": "1500-01-01T00:00:00"}, {}]
)
def test_what_gives_no_time_of_day_gives_no_time(cards):
    times, _ = times_of(**cards)
    assert times.start is None
    assert times.mid_mjd_utc is None


def test_a_local_time_without_offset_is_not_taken_for_utc():
    times, _ = times_of(DATE_OBS=("2024-03-01T13:00:00", "Start date & time of observation, LT"))
    assert times.start is None


@pytest.mark.parametrize(
    ("cards", "hours"),
    [
        ({"DATE_OBS": "2017-12-19T18:45:12.242-0700"}, -7.0),
        ({"DATE_OBS": "2018-10-18T01:09:02.697", "LOCALTIM": "10/17/2018 09:09:02.700 PM DST"}, -4.0),
        ({"DATE_OBS": "2018-10-18T01:09:02.697"}, None),
    ],
)
def test_the_offset_of_civil_time_is_found(cards, hours):
    assert times_of(**cards)[0].utc_offset_hours == hours


@pytest.mark.parametrize(
    "text", ["2024-13-01T00:00:00", "2024-02-30T00:00:00", "2024-01-01T25:00:00", "2024-01-01T10:61:00", "30/02/92", ""]
)
def test_impossible_dates_are_none(text):
    assert parse_calendar(text) is None
