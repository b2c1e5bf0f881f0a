"""When an exposure was: the keywords of many observatories and their disagreements."""

from __future__ import annotations

import datetime as dt

import pytest
from astropy.io import fits
from astropy.time import Time

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.clocks import parse_calendar
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.time_claims import Clock
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


FULL_MINUTE = dt.datetime(2024, 5, 6, 3, 4, 5, tzinfo=dt.UTC)
MIDDLE_MJD = 60436.12818287037


@pytest.mark.parametrize(
    "cards",
    [
        {"DATE_OBS": "2024-05-06T03:04:23", "TIMESYS": "GPS"},
        {"DATE_OBS": ("2024-05-06T03:04:23", "GPS time scale")},
        {"DATE_OBS": ("2024-05-06T03:04:23", "GPS time"), "TIMESYS": "GPS"},
        {"DATE_OBS": ("2024-05-06T03:04:05", "GPS time stamp of the shutter")},
        {"DATE_OBS": ("2024-05-06T03:04:05", "UTC by GPS time receiver")},
        {"DATE_OBS": ("2024-05-06T03:04:05", "UTC, from GPS time")},
        {"DATE_OBS": ("2024-05-06T03:04:05", "start by GPS")},
        {"DATE_OBS": "2024-05-06T03:04:42", "TIMESYS": "IAT"},
        {"DATE_OBS": "2024-05-06T03:04:42", "TIMESYS": "TAI(NIST)"},
        {"DATE_OBS": "2024-05-06T03:05:14.184", "TIMESYS": "TDT"},
        {"DATE_OBS": "2024-05-06T03:05:37.3", "TIMESYS": "TCB"},
        {"DATE_OBS": "2024-05-06T03:05:15.2", "TIMESYS": "TCG"},
        {"DATE_OBS": "2024-05-06T03:04:05", "TIMESYS": "UT1"},
        {"DATE_OBS": "2024-05-06T03:04:05", "TIMESYS": "GMT"},
        {"DATE_OBS": ("2024-05-06T03:04:42", "1st row - TAI")},
        {"DATE_OBS": ("2024-05-06T03:04:05.000Z", "as UTC calendar date"), "TIMESYS": "TDB"},
        {"DATE_OBS": ("2024-05-06T03:05:05.2", "System Clock:Frame Received")},
        {"DATE_OBS": ("2024-05-06T03:05:05", "UTC at the end of the exposure")},
        {"DATE_OBS": ("2024-05-06T03:05:05", "shutter closed")},
        {"DATE_OBS": ("2024-05-06T03:04:05", "UTC start; see DATE-END for end"), "DATE_END": "2024-05-06T03:05:05"},
        {"DATE_END": "2024-05-06T03:05:05"},
        {"DATE_OBS": ("2024-05-06T03:04:35", "Mid-point of the exposure")},
        {"DATE_OBS": ("2024-05-06T03:04:05", "Greenwich mean time at start")},
        {"DATE_OBS": "2024-05-06", "UT": ("03:04:35", "UT at mid exposure")},
        {"DATE_OBS": "2024-05-06", "UT_MID": "03:04:35"},
        {"DATE_OBS": ("2024-05-05T23:04:05", "local time"), "DATE_UTC": ("2024-05-06T03:04:05", "UTC")},
        {"DATE_OBS": "2024-05-06T03:04:05", "JD": 2460436.628182870},
        {"DATE_OBS": "2024-05-06T03:04:05", "JD": 2460436.628530093},
        {"MJD_OBS": 2460436.627835648},
    ],
)
def test_a_time_means_what_its_scale_and_its_words_say(cards):
    times, _ = times_of(**cards)
    assert abs((times.mid_mjd_utc - MIDDLE_MJD) * 86400) < 1.0
    assert abs(times.start - FULL_MINUTE) < dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("cards", "code", "keyword", "word"),
    [
        ({"DATE_OBS": ("2024-05-06T03:04:05", "Local time")}, "local_clock", "DATE-OBS", "'Local'"),
        ({"DATE_OBS": "2024-05-06T03:04:05", "TIMESYS": "LOCAL"}, "local_clock", "DATE-OBS", "TIMESYS = LOCAL"),
        ({"DATE_OBS": "2024-05-06"}, "no_time_of_day", "DATE-OBS", "without a time of day"),
        ({"DATE_OBS": "yesterday"}, "unreadable_date", "DATE-OBS", "yesterday"),
        ({"HJD": (2460436.6331, "heliocentric JD")}, "time_elsewhere", "HJD", "at the Sun"),
        ({"BJD_TDB": 2460436.6331}, "time_elsewhere", "BJD-TDB", "8.4 minutes"),
        ({"JD": (2460436.6331, "heliocentric Julian date")}, "time_elsewhere", "JD", "2460436.6331"),
    ],
)
def test_what_gives_no_time_says_which_keyword_and_why(cards, code, keyword, word):
    times, notes = times_of(**cards)
    assert times.start is None
    assert [(doubt.code, doubt.keyword) for doubt in notes.doubts] == [(code, keyword)]
    assert word in notes.doubts[0].message


@pytest.mark.parametrize(
    ("cards", "code"),
    [
        ({"DATE_OBS": ("2024-05-06T03:05:05", "UTC at end of readout")}, "time_after_readout"),
        ({"DATE_OBS": "2024-05-06T03:04:05", "TIMESYS": "STARDATE"}, "unknown_time_scale"),
        ({"DATE_OBS": ("2024-05-06T03:04:05", "UTC"), "TIMESYS": "TAI"}, "time_scale_contradicted"),
        ({"DATE_OBS": ("2024-05-06T03:04:23", "GPS time")}, "gps_time_assumed"),
        ({"DATE_OBS": ("2024-05-06T03:04:23", "start, GPST")}, "gps_time_assumed"),
        ({"DATE_OBS": "06/05/24", "UT": "03:04:05"}, "two_digit_year"),
        ({"DATE_OBS": "2024-05-06T03:04:05", "MJD_OBS": 60436.13002}, "time_contradicted"),
        ({"DATE_OBS": "2024-05-06T03:04:05", "DATE_END": "2024-05-06T03:05:35"}, "exposure_took_longer"),
    ],
)
def test_a_time_that_may_be_off_by_more_than_a_second_holds_back_what_is_published(cards, code):
    _, notes = times_of(**cards)
    assert [(doubt.code, doubt.blocks_publication) for doubt in notes.doubts] == [(code, True)]


def test_a_year_of_two_digits_is_never_of_the_twenties_of_the_last_century():
    assert times_of(DATE_OBS="06/05/24", UT="03:04:05")[0].start == FULL_MINUTE
    # What the number of days confirms is no guess.
    assert times_of(DATE_OBS="06/05/24", UT="03:04:05", MJD_OBS=60436.12784)[1].doubts == []


@pytest.mark.parametrize(
    "cards",
    [
        {"DATE_OBS": ("2024-05-06T00:04:05", "Local time")},
        {"DATE_OBS": "2024-05-06T00:04:05", "TIMESYS": "LOCAL"},
        {"DATE_OBS": "2024-05-06T00:04:05"},
        {"UTC_OBS": "2024-05-06T03:04:05"},
        {"DATE_OBS": ("2024-05-06T03:04:05", "UTC")},
    ],
)
def test_a_given_offset_makes_local_clocks_universal_and_no_others(cards):
    header, notes = fits.Header(), Notes()
    for keyword, value in cards.items():
        header[keyword.replace("_", "-")] = value
    assert find_times(Cards(header), 60.0, notes, Clock(offset_hours=-3.0)).start == FULL_MINUTE


def test_the_middle_lies_between_start_and_end_where_the_exposure_was_that_long():
    # A frame of many reads: on the sky for 1800 s, of which 1425 s were integrated.
    times, notes = times_of(
        1425.0,
        DATE_OBS="2024-05-06T03:00:00",
        DATE_END="2024-05-06T03:30:00",
        TELAPSE=(0.0208333, "[d] TSTOP - TSTART"),
    )
    assert (times.mid_mjd_utc - 60436.125) * 86400 == pytest.approx(900.0, abs=0.1)
    assert notes.doubts == []


def test_a_heliocentric_date_is_not_the_observers():
    times, _ = times_of(DATE_OBS="2024-05-06T03:04:05", JD=(2460436.6331, "heliocentric Julian date"))
    assert times.start == FULL_MINUTE


@pytest.mark.parametrize(
    "cards",
    [
        {"DATE_OBS": ("2024-05-06T03:05:05", "System Clock-Frame Grabbed")},
        {"DATE_OBS": "2024-05-06", "TU_START": "03:04:05"},
        {"DATE_OBS": "2024-05-06", "UT_STR": "03:04:05", "UT": "03:04:05.4"},
        {"DATE_OBS": "2024-05-06", "UTSTOP": "03:05:05"},
        {"DATE_OBS": "2024-05-06", "TIME_OBS": "03:04:05", "DATE_END": "2024-05-06", "TIME_END": "03:05:05"},
        {"DATE_OBS": "2024-05-06", "UTC": (11045.0, "03:04:05.000 UT at start")},
        {"DATE_OBS": "2024-05-06", "UTC_OBS": "03:04:05"},
        {"DATE_OBS": "2024-05-06", "UT": (3.0680556, "[hours] start")},
        {"DATE_OBS": "2024-05-06", "TIME_OBS": 11045.0},
        {"DATE_OBS": "2024-05-06", "TIME_OBS": ("00:04:05", "local time"), "UT": "03:04:05"},
        {"DATE_OBS": "06.05.2024 03:04:05"},
        {"DATE_OBS": "2024-05-06T03:04:05,000"},
        {"DATE_OBS": "2024-05-06", "TIME_OBS": "2024-05-06T03:04:05"},
        {"EXPEPOCH": ("2024-05-06T03:05:05", "Actual end of exposure time")},
        {"TAI": 5221681482.0, "DATE_OBS": "2024-05-06", "TAIHMS": "03:04:42", "TIMESYS": "TAI"},
        {"MJD_STR": 60436.127835648, "MJD_END": 60436.128530093},
        {"DATE_AVG": "2024-05-06T03:04:35"},
    ],
)
def test_observatories_have_names_of_their_own_for_the_same_moments(cards):
    times, notes = times_of(**cards)
    assert abs((times.mid_mjd_utc - MIDDLE_MJD) * 86400) < 1.0
    assert abs(times.start - FULL_MINUTE) < dt.timedelta(seconds=1)
    assert [doubt.code for doubt in notes.doubts if doubt.blocks_publication] == []


def test_a_truncated_julian_date_counts_from_its_zero():
    header = fits.Header({"MIDTJD": 10436.628182870, "TJD_ZERO": 2450000.0})
    times = find_times(Cards(header), 60.0, Notes())
    assert abs((times.mid_mjd_utc - MIDDLE_MJD) * 86400) < 1.0


def test_an_end_after_midnight_is_the_next_days():
    times, notes = times_of(DATE_OBS="2024-05-06", UT_STR="23:59:40", UT_END="00:00:40")
    assert (times.mid_mjd_utc - 60437.0) * 86400 == pytest.approx(10.0, abs=0.01)
    assert notes.doubts == []


def test_the_clock_of_an_end_goes_with_the_date_of_the_end():
    cards = {"DATE_OBS": "2024-05-06", "TIME_OBS": "03:04:05", "DATE_END": "2024-05-08", "TIME_END": "03:04:05"}
    times, notes = times_of(2 * 86400.0, **cards)
    assert (times.mid_mjd_utc - 60437.127835648) * 86400 == pytest.approx(0.0, abs=0.01)
    assert notes.doubts == []


@pytest.mark.parametrize("word", ["typical UTC at the exposure (middle", "end of exposure", ""])
def test_what_the_numbers_say_goes_before_the_words_of_a_comment(word):
    times, notes = times_of(
        200.0, DATE_OBS="2024-05-06", UT=("08:02:27.204", word), UT_STR="08:02:27.204", UT_END="08:05:47.204"
    )
    assert (times.mid_mjd_utc % 1) * 86400 == pytest.approx(8 * 3600 + 4 * 60 + 7.204, abs=0.01)
    assert notes.doubts == []


def test_without_an_end_that_confirms_it_a_comment_is_believed():
    times, _ = times_of(200.0, DATE_OBS="2024-05-06", UT=("08:02:27.204", "middle of the exposure"))
    assert (times.mid_mjd_utc % 1) * 86400 == pytest.approx(8 * 3600 + 2 * 60 + 27.204, abs=0.01)


def test_a_bare_julian_date_after_the_exposure_is_that_of_writing():
    # 65 s after the start: 5 s after the end of an exposure of 60 s.
    written = 2460436.5 + (3 * 3600 + 5 * 60 + 10) / 86400
    start = ("2024-05-06T03:04:05", "The UTC date and time at the start of the expo")
    times, notes = times_of(DATE_OBS=start, JD=(written, "Julian Date"))
    assert times.start == FULL_MINUTE
    assert [(doubt.code, doubt.blocks_publication) for doubt in notes.doubts] == [("time_of_writing", False)]
    # Where the calendar's date does not say that it is the start, either may be wrong; the date is used.
    times, notes = times_of(DATE_OBS=start[0], JD=written)
    assert times.start == FULL_MINUTE
    assert [(doubt.code, doubt.blocks_publication) for doubt in notes.doubts] == [("time_contradicted", True)]


def test_a_number_of_days_at_which_the_file_was_written_is_no_time():
    assert times_of(MJD=(60436.13, "Modified Julian Date that the file was written"))[0].start is None


def test_a_time_of_day_with_another_date_is_a_quarrel():
    _, notes = times_of(DATE_OBS="2024-05-05", TIME_OBS="2024-05-06T03:04:05")
    assert [(doubt.code, doubt.blocks_publication) for doubt in notes.doubts] == [("time_contradicted", True)]


@pytest.mark.parametrize(
    ("late_s", "middle_s", "is_held"), [(0.5, 30.25, False), (1.8, 30.0, False), (3.2, 30.8, False), (6.0, 30.0, True)]
)
def test_what_an_exposure_took_longer_moves_its_middle_by_a_second_at_most_or_is_held(late_s, middle_s, is_held):
    end = (FULL_MINUTE + dt.timedelta(seconds=60 + late_s)).isoformat()[:23].removesuffix("+00:")
    times, notes = times_of(DATE_OBS="2024-05-06T03:04:05.000", DATE_END=end.split("+")[0])
    assert (times.mid_mjd_utc - 60436.127835648) * 86400 == pytest.approx(middle_s, abs=0.01)
    # With pauses spread over the exposure the middle is later by half of that, with a readout at its end by none.
    if not is_held:
        assert max(abs(middle_s - 30), abs(middle_s - 30 - late_s / 2)) <= 1.0
    assert any(doubt.blocks_publication for doubt in notes.doubts) == is_held


def test_an_end_after_an_exposure_without_pauses_is_that_of_the_readout():
    times, notes = times_of(DATE_OBS="2024-05-06T03:04:05", DATE_END="2024-05-06T03:05:55", DARKTIME=60.0)
    assert abs((times.mid_mjd_utc - MIDDLE_MJD) * 86400) < 0.01
    assert [(doubt.code, doubt.blocks_publication) for doubt in notes.doubts] == [("exposure_took_longer", False)]


def test_the_middle_of_a_stack_is_that_of_its_span():
    # 19:00 to 22:00; the reference exposure began at 19:10.
    times, notes = times_of(
        DATE_OBS=("2026-01-31T19:10:00.000", "observation start"),
        EXPSTART=2461072.29166667,
        EXPEND=2461072.41666667,
        STACKCNT=150,
    )
    assert (times.mid_mjd_utc - 61071.8541667) * 86400 == pytest.approx(0.0, abs=0.1)
    assert times.is_middle_known
    assert notes.doubts == []


def test_a_stack_that_lasted_less_than_its_exposure_is_held():
    times, notes = times_of(900.0, EXPSTART=60436.1251234, EXPEND=60436.1301234, NDRIZIM=18)
    assert times.start is not None
    assert [(d.code, d.blocks_publication) for d in notes.doubts] == [("exposure_longer_than_span", True)]


def test_an_exposure_that_is_longer_than_its_span_is_held():
    _, notes = times_of(60.0, DATE_OBS="2024-05-06T03:04:05", DATE_END="2024-05-06T03:04:35")
    assert [doubt.blocks_publication for doubt in notes.doubts] == [True]


@pytest.mark.parametrize(
    "cards",
    [
        {"DATE_OBS": "2024-05-06T03:04:23", "TIMESYS": "GPS Time"},
        {"DATE_OBS": "2024-05-06T03:04:05", "TIMESYS": "Coordinated Universal Time"},
        {"DATE_OBS": ("2024-05-06T03:05:05", "Exposure completed")},
        {"DATE_OBS": ("2024-05-06T03:05:05", "start of readout")},
        {"DATE_OBS": "2024-05-06T00:00:00", "UT": "03:04:05"},
        {"DATE_OBS": "2024-05-06", "UT": "030405"},
        {"DATE_OBS": "2024-05-06", "UT": "03 04 05"},
        {"DATE_OBS": "2024-05-06T05:04:05+02"},
        {"DATE_OBS": "2024-05-06T03:04:05 GMT"},
        {"JD": (60436.627835648, "JD-2400000")},
        {"DATE_OBS": "2024-05-06T03:04:05", "JD": 60436.627835648},
        {"DATE_OBS": "2024-05-06T03:04:05", "UT": ("03:04:35", "mid exposure")},
    ],
)
def test_a_time_is_read_in_the_words_and_numbers_of_its_program(cards):
    times, notes = times_of(**cards)
    assert abs((times.mid_mjd_utc - MIDDLE_MJD) * 86400) < 1.0
    assert [doubt.code for doubt in notes.doubts if doubt.blocks_publication] == []


@pytest.mark.parametrize(
    ("cards", "code"),
    [
        ({"JD": 60436.627835648}, "unknown_zero_of_days"),
        ({"MJD_OBS": 60436.128}, "coarse_time"),
        ({"MJD_OBS": 60436.0}, "coarse_time"),
        ({"DATE_OBS": "2024-05-06T03:04"}, "coarse_time"),
        ({"DATE_OBS": "2024-05-06T00:00:00"}, "midnight"),
        ({"DATE_OBS": "2024-05-06", "UT": 30405}, "clock_unit_assumed"),
        ({"DATE_OBS": ("2024-05-05", "night of"), "UT": "03:04:05"}, "date_of_night"),
        ({"DATE_OBS": "2024-05-06T00:04:05", "UT": "03:04:05"}, "time_contradicted"),
        ({"DATE_OBS": ("2024-05-06T03:05:05", "File saved")}, "time_after_readout"),
        ({"DATE_OBS": "2024-05-06T03:04:05", "MJD_END": 60436.148668981}, "exposure_took_longer"),
    ],
)
def test_a_time_that_is_coarse_unset_or_denied_is_held(cards, code):
    times, notes = times_of(**cards)
    assert times.start is not None
    assert (code, True) in [(doubt.code, doubt.blocks_publication) for doubt in notes.doubts]


@pytest.mark.parametrize(
    ("cards", "code", "word"),
    [
        ({"DATE_OBS": "1970-01-01T00:00:00"}, "unset_value", "nobody has set"),
        ({"DATE_OBS": "2024-05-05T22:04:05 EST"}, "local_clock", "'EST'"),
        ({"DATE_OBS": ("2024-05-06T00:04:05", "UT-3")}, "local_clock", "'UT-3'"),
        ({"DATE_OBS": "2024-05-06T00:04:05", "TIMESYS": "PST"}, "local_clock", "TIMESYS = PST"),
        ({"DATE_OBS": "2024-05-06", "UT": ("00:04:05", "local time")}, "local_clock", "'local'"),
        ({"DATE_OBS": "2024-05-06T03h"}, "unreadable_date", "no date that can be read"),
        ({"JD": 10436.627835648}, "unknown_zero_of_days", "not used"),
        ({"MJD_OBS": (60436.131, "BMJD_TDB of the middle")}, "time_elsewhere", "MJD-OBS = 60436.131"),
    ],
)
def test_what_is_no_time_of_the_observer_is_not_used_and_says_why(cards, code, word):
    times, notes = times_of(**cards)
    assert times.start is None
    assert [doubt.code for doubt in notes.doubts] == [code]
    assert word in notes.doubts[0].message
