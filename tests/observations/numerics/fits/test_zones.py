"""Times beside a zone: read as UTC, and doubted unless something says that they are."""

from __future__ import annotations

import pytest

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.headers import Reading, read_facts
from observations.numerics.fits.profile import profile_of
from observations.numerics.fits.zones import zone_of
from tests.observations.numerics.fits.test_headers import BASE, SHAPE, codes, facts_of, header_of


@pytest.mark.parametrize(
    ("keyword", "written", "hours"),
    [
        ("TIMEZONE", -7, -7.0),
        ("TIMEZON", "-7", -7.0),
        ("TZ", "UTC-7", -7.0),
        ("TZ", "GMT+05:30", 5.5),
        ("UTCOFFS", -420, -7.0),
        ("UTOFFSET", -25200, -7.0),
        ("GMTOFF", "-0730", -7.5),
        ("LTOFFSET", 7.0, 7.0),
        ("UTC_DIFF", 2, 2.0),
        ("SITE-TZ", 2, 2.0),
        ("HIERARCH TIMEZONE_OFFSET", -7, -7.0),
        ("TIME-ZON", "MST", None),
        ("TZ", "America/Phoenix", None),
        ("TZONE", "PST8PDT", None),
        ("TIMEZONE", "W. Europe Standard Time", None),
        ("TZ", "(UTC-07:00) Arizona", None),
    ],
)
def test_a_zone_is_known_by_whatever_name_and_unit(keyword, written, hours):
    zone = zone_of(Cards(header_of({keyword: written})))
    assert zone is not None
    assert zone.hours == (None if hours is None else pytest.approx(hours))
    facts = facts_of({keyword: written})
    (doubt,) = [doubt for doubt in facts.doubts if doubt.code == "zone_beside_time"]
    assert doubt.blocks_publication
    assert "DATE-OBS" in doubt.message


@pytest.mark.parametrize("written", [0, 0.0, "UTC", "GMT", "Z", "Etc/UTC", "UTC+0", "+00:00", "UTC+00:00", "unknown"])
def test_the_zone_of_greenwich_is_none(written):
    assert codes(facts_of({"TIMEZONE": written})) == []


@pytest.mark.parametrize("keyword", ["TIMEUNIT", "UTSTART", "ZONEPLAT", "TZERO", "OFFSET", "UTCORR", "LOCATION"])
def test_what_only_looks_like_a_zone_is_none(keyword):
    assert zone_of(Cards(header_of({keyword: 3}))) is None


@pytest.mark.parametrize(
    "cards",
    [
        {"TIMESYS": "UTC"},
        {"DATE-OBS": "2024-03-01T21:00:00.000Z"},
        {"DATE-OBS": "2024-03-01T21:00:00.000+00:00"},
        {"DATE-OBS": ("2024-03-01T21:00:00.000", "start of exposure, UT")},
        {"UT": "21:00:00"},
        {"DATE-UTC": "2024-03-01T21:00:00.000"},
        {"MJD-OBS": (60370.875, "MJD of the start (UTC)")},
        {"DATE-LOC": "2024-03-01T14:00:00.000"},
        {"LT": "14:00:00"},
        {"LOCALTIM": "3/1/2024 02:00:00.000 PM"},
    ],
)
def test_a_zone_beside_a_time_that_something_calls_universal_is_no_doubt(cards):
    assert "zone_beside_time" not in codes(facts_of({"TIMEZONE": -7}, cards))


@pytest.mark.parametrize(
    "cards",
    [
        {"TIMEZONE": -7, "DATE-LOC": "2024-03-01T21:00:00.000"},
        {"LT": "21:00:00"},
        {"DATE-LOC": "2024-03-01T21:00:00.000", "SITELAT": 33.4, "SITELONG": "112 00 00 E"},
        {"TIMEZONE": -7, "MJD-OBS": 60370.875},
    ],
)
def test_a_time_that_is_the_local_one_is_doubted(cards):
    assert "zone_beside_time" in codes(facts_of(cards))


def test_a_local_time_that_may_be_that_of_greenwich_is_no_doubt():
    facts = facts_of({"LT": "21:00:00", "SITELAT": 51.5, "SITELONG": ("0 30 00 E", "")})
    assert "zone_beside_time" not in codes(facts)


def test_the_sun_tells_that_a_time_is_universal_where_it_is_up_for_any_local_one():
    # Two hours before midnight on the equator: half a day off it is day, two hours off it is night as well.
    night = {"SITELAT": 0.0, "SITELONG": "30 00 00 E", "TIMEZONE": 12}
    assert "zone_beside_time" not in codes(facts_of(night))
    assert "zone_beside_time" in codes(facts_of(night, {"TIMEZONE": 2}))


def test_a_sidereal_time_tells_that_a_time_is_universal():
    site = {"SITELAT": 0.0, "SITELONG": "30 00 00 E", "TIMEZONE": 2}
    # Greenwich's sidereal time is 7 h 41 m then.
    assert "zone_beside_time" not in codes(facts_of(site, {"LST": "09:41:00"}))
    assert "zone_beside_time" in codes(facts_of(site, {"LST": "11:41:00"}))


@pytest.mark.parametrize(("written", "is_doubted"), [
    ("2024-03-02T04:01:03", True), ("2024-03-01T16:31:02", True), ("2024-03-01T21:01:04", False),
    ("2024-03-02T04:13:40", False), ("2024-03-09T21:01:03", False),
])  # fmt: skip
def test_a_time_of_writing_whole_hours_away_is_that_of_another_zone(written, is_doubted):
    facts = facts_of({"DATE": written})
    assert ("zone_beside_time" in codes(facts)) == is_doubted
    assert codes(facts_of({"DATE": written, "TIMESYS": "UTC"})) == []


def test_a_profile_that_gives_the_offset_answers_a_zone():
    header = header_of(BASE, {"TIMEZONE": -7, "INSTRUME": "CAM"})
    for offset, start in ((0, "21:00:00"), (-7, "04:00:00")):
        profile = profile_of("CAM", {"INSTRUME": "CAM"}, {"utc_offset_hours": offset})
        facts, _ = read_facts(header, SHAPE, Reading(profiles=[profile]))
        assert codes(facts) == []
        assert f"{facts.observation_time:%H:%M:%S}" == start


def test_a_longitude_that_only_the_sun_turned_is_a_doubt_about_a_clock_that_nothing_calls_universal():
    # At 21:00 local time in Arizona, read as UTC, it would be afternoon: the Sun asks for the other side of the Earth.
    cards = {"SITELAT": 33.4, "SITELONG": -112.0, "DATE-OBS": "2024-03-01T21:00:00.000"}
    (doubt,) = [doubt for doubt in facts_of(cards).doubts if doubt.code == "longitude_turned"]
    assert doubt.blocks_publication
    assert "not UTC" in doubt.message
    (sure,) = [doubt for doubt in facts_of(cards, {"TIMESYS": "UTC"}).doubts if doubt.code == "longitude_turned"]
    assert not sure.blocks_publication


def test_two_clocks_that_are_hours_apart_contradict_each_other():
    facts = facts_of({"DATE-OBS": "2024-03-01", "TIME-OBS": "14:00:00", "UT": "21:00:00"})
    assert any(doubt.code == "time_contradicted" and doubt.blocks_publication for doubt in facts.doubts)
