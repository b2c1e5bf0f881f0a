"""Temperatures in Celsius, kelvin and Fahrenheit."""

from __future__ import annotations

import pytest

from tests.observations.numerics.fits.test_headers import codes, facts_of


@pytest.mark.parametrize(
    ("value", "comment"),
    [
        (-20.0, ""),
        (-20.0, "deg C (F1 cooler)"),
        (-4.0, "deg F"),
        (-4.0, "[F]"),
        (-4.0, "(degrees Fahrenheit)"),
        (-4.0, "unit: F"),
        (-4.0, "CCD temperature, F"),
        ("-4 F", ""),
        (253.15, ""),
        (253.15, "degrees K"),
        (253.15, "K"),
        ("253.15 K", ""),
    ],
)
def test_a_temperature_is_celsius_from_every_unit(value, comment):
    facts = facts_of({"CCD-TEMP": (value, comment)})
    assert facts.ccd_temperature_c == pytest.approx(-20.0)
    assert codes(facts) == []


@pytest.mark.parametrize(
    "cards",
    [
        {"CCD-TEMP": 77.0},
        {"CCD-TEMP": (-200.0, "0.1 deg C")},
        {"CCD-TEMP": (-20.0, "tenths of a degree")},
        {"CCD-TEMP": -4.0, "SET-TEMP": -20.0},
    ],
)
def test_a_temperature_in_an_unknown_unit_is_not_used(cards):
    facts = facts_of(cards)
    assert facts.ccd_temperature_c in (None, cards.get("SET-TEMP"))
    assert codes(facts) == ["temperature_unit_unsaid"]


@pytest.mark.parametrize(("value", "comment", "celsius"), [(77.0, "[K]", -196.15), (35.0, "", 35.0), (77.0, "F", 25.0)])
def test_nitrogen_and_a_summers_day_are_told_apart_by_their_unit(value, comment, celsius):
    assert facts_of({"CCD-TEMP": (value, comment)}).ccd_temperature_c == pytest.approx(celsius)


def test_a_cooler_that_has_not_got_there_is_no_other_unit():
    assert codes(facts_of({"CCD-TEMP": -15.0, "SET-TEMP": -20.0})) == []
    assert facts_of({"CCD-TEMP": -273.15}).ccd_temperature_c is None
