"""What is known of an instrument goes before what its headers say."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from observations.numerics.fits.facts import FrameFacts, Overrides
from observations.numerics.fits.headers import Reading, read_facts
from observations.numerics.fits.profile import RULES, Profile, profile_of, suggested
from tests.observations.numerics.fits.test_headers import BASE, SHAPE, header_of

FITS_IT = {"INSTRUME": "ZWO ASI*"}


def facts_of(rules: dict[str, object], *cards: dict[str, object], matches: dict[str, str] = FITS_IT) -> FrameFacts:
    header = header_of(BASE, {"INSTRUME": "ZWO ASI2600MM Pro"}, *cards)
    return read_facts(header, SHAPE, Reading(profiles=[profile_of("the ZWO", matches, rules)]))[0]


def test_every_rule_is_explained_and_every_explained_rule_is_one():
    assert set(RULES) == {one.name for one in dataclasses.fields(Profile)} - {"name", "matches"}


def test_the_documents_explain_every_rule():
    text = Path("docs/frames.md").read_text()
    assert all(f"| `{rule}` | {sentence} |" in text for rule, sentence in RULES.items())


@pytest.mark.parametrize(
    ("rules", "cards", "fact", "value"),
    [
        ({"gain_e_per_adu": 0.77}, {"EGAIN": 5.0}, "gain_e_per_adu", 0.77),
        ({"read_noise_e": 1.5}, {}, "read_noise_e", 1.5),
        ({"saturation": 50000}, {}, "saturation", 50000),
        ({"trimsec": ""}, {"TRIMSEC": "[1:20,1:20]"}, "trimsec", None),
        ({"bands": {"Lum": "L"}}, {"FILTER": "Lum"}, "filter_band", "L"),
        ({"site_latitude_deg": -31.0, "site_longitude_deg": -64.5}, {}, "site_longitude_deg", -64.5),
        ({"bayer_pattern": ""}, {"BAYERPAT": "RGGB"}, "bayer_pattern", None),
        ({"calibrated": ["bias"]}, {}, "calibrated", ("bias",)),
        ({"exposure_unit_s": 60}, {"EXPTIME": 2.0}, "exposure_s", 120.0),
        ({"pixel_unit": "electron"}, {}, "pixel_unit", "electron"),
    ],
)
def test_a_rule_gives_or_corrects_its_fact(rules, cards, fact, value):
    facts = facts_of(rules, cards)
    assert getattr(facts, fact) == value
    assert facts.profile == "the ZWO"


def test_the_end_of_a_readout_by_a_local_clock_becomes_the_middle_in_utc():
    rules = {"time_keyword": "DATE-OBS", "time_moment": "end", "time_shift_s": -2.5, "utc_offset_hours": -3}
    cards = {"DATE-OBS": ("2024-05-06T00:05:07.5", "end of readout"), "EXPTIME": 60.0}
    for extra in ("MJD-OBS", "JD", "DATE-AVG", "UTC-OBS", "TIMESYS"):
        cards[extra] = None
    facts = facts_of(rules, cards)
    assert abs((facts.mjd_utc - 60436.12818287037) * 86400) < 0.01
    assert not [doubt for doubt in facts.doubts if doubt.fact == "time" and doubt.code == "time_after_readout"]
    assert "profile the ZWO" in facts.origins["time"].note


def test_a_person_goes_before_a_profile_and_a_profile_of_another_instrument_does_nothing():
    header = header_of(BASE, {"INSTRUME": "ZWO ASI2600MM Pro", "DATE-OBS": ("2024-05-06T03:04:05", "local")})
    profile = profile_of("the ZWO", FITS_IT, {"utc_offset_hours": -3})
    by_hand = read_facts(header, SHAPE, Reading(Overrides(utc_offset_hours=1.0), profiles=[profile]))[0]
    assert by_hand.observation_time.hour == 2
    assert facts_of({"gain_e_per_adu": 0.77}, matches={"INSTRUME": "QHY*"}).profile == ""


def test_a_keyword_that_is_ignored_is_as_if_it_were_not_there():
    facts = facts_of({"ignored": ["CTYPE*"]}, {"OBJCTRA": "10 00 00", "OBJCTDEC": "+02 00 00", "SECPIX": 1.0})
    assert facts.wcs_quality == "nominal"


def test_what_a_profile_settles_is_no_doubt_any_more():
    cards = {"EXPOSURE": 90.0, "EXPTIME": 60.0}
    assert "exposure_contradicted" in [doubt.code for doubt in facts_of({}, cards).doubts]
    settled = facts_of({"settles": ["exposure_contradicted"]}, cards)
    assert "exposure_contradicted" not in [doubt.code for doubt in settled.doubts]


@pytest.mark.parametrize(
    ("matches", "rules", "word"),
    [
        ({}, {"gain_e_per_adu": 1.0}, "at least one pattern"),
        (FITS_IT, {"gain": 1.0}, "no rule gain"),
        (FITS_IT, {"gain_e_per_adu": -1}, "gain_e_per_adu must be"),
        (FITS_IT, {"gain_e_per_adu": True}, "gain_e_per_adu must be"),
        (FITS_IT, {"time_moment": "start"}, "need the time_keyword"),
        (FITS_IT, {"time_keyword": "DATE-OBS", "time_moment": "noon"}, "start, mid, end"),
        (FITS_IT, {"trimsec": "all"}, "x1:x2"),
        (FITS_IT, {"site_latitude_deg": 3.0}, "both latitude and longitude"),
        (FITS_IT, {"calibrated": ["everything"]}, "not everything"),
        (FITS_IT, {"bands": ["L"]}, "object of texts"),
        (["INSTRUME"], {}, "objects"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_in_words(matches, rules, word):
    with pytest.raises(ValueError, match=word):
        profile_of("x", matches, rules)


def test_the_profile_that_would_answer_a_doubt_is_suggested():
    header = header_of(BASE, {"INSTRUME": "ZWO ASI2600MM Pro", "DATE-OBS": ("2024-05-06T03:04:05", "end of readout")})
    facts, cards = read_facts(header, SHAPE)
    found = suggested(facts.doubts, cards.as_json())
    assert found["matches"]["INSTRUME"] == "ZWO ASI2600MM Pro"
    assert (found["rules"]["time_keyword"], found["rules"]["time_moment"]) == ("DATE-OBS", "end")
    profile_of(found["name"], found["matches"], found["rules"])


def test_what_a_profile_gives_is_no_longer_in_doubt():
    cards = {"GAIN": 100, "PIXSCALE": 0.6, "XBINNING": 2, "DATASECA": "[1:30,1:64]", "INSTRUME": "Cam 7"}
    header = header_of(BASE, cards)
    assert {"gain", "scale", "trimsec"} <= {doubt.fact for doubt in read_facts(header, SHAPE)[0].doubts}
    rules = {"gain_e_per_adu": 1.3, "pixel_scale_arcsec": 0.6, "trimsec": "[1:60,1:50]"}
    reading = Reading(profiles=[profile_of("seven", {"INSTRUME": "Cam 7"}, rules)])
    facts = read_facts(header, SHAPE, reading)[0]
    assert facts.pixel_scale_arcsec == pytest.approx(1.2)
    assert not {"gain", "scale", "trimsec"} & {doubt.fact for doubt in facts.doubts}
