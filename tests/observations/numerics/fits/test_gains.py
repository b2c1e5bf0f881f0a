"""Gain and read noise by whatever name, direction and unit."""

from __future__ import annotations

import pytest

from tests.observations.numerics.fits.test_headers import codes, facts_of


@pytest.mark.parametrize(
    ("keyword", "value", "comment"),
    [
        ("E_GAIN", 2.0, ""),
        ("HIERARCH ESO DET OUT1 CONAD", 2.0, "Conversion from electrons to ADU"),
        ("HIERARCH ESO DET OUT1 GAIN", 0.5, "Conversion from electrons to ADU"),
        ("HIERARCH ESO DET CHIP GAIN", 2.0, ""),
        ("HIERARCH CELL.GAIN", 2.0, ""),
        ("SYSGAIN", 2.0, "electrons per DN"),
        ("DETGAIN", 0.5, "[ADU/e-]"),
        ("GAIN1", 2.0, "e-/ADU"),
        ("GAIN01", 0.5, "ADU/e-"),
        ("GAIN", 0.5, "ADUs/photon"),
        ("GAIN", 0.5, "inverse gain"),
        ("GAIN", 0.5, "1/gain"),
        ("GAIN", 2.0, "e-/ADU, the inverse of ADU/e-"),
    ],
)
def test_a_gain_is_electrons_per_adu_in_whatever_direction_it_is_written(keyword, value, comment):
    facts = facts_of({keyword: (value, comment)})
    assert facts.gain_e_per_adu == pytest.approx(2.0)
    assert codes(facts) == []


@pytest.mark.parametrize(
    ("keyword", "value", "comment"),
    [
        ("GAIN", 0.5, "conversion from electrons to ADU"),
        ("GAIN", 2000.0, "millielectrons/ADU"),
        ("GAIN", 200.0, "e-/ADU x100"),
        ("SYSGAIN", 2.0, ""),
        ("AGAIN", 2.0, "analogue gain"),
    ],
)
def test_a_gain_of_unknown_direction_or_scale_is_not_used(keyword, value, comment):
    facts = facts_of({keyword: (value, comment)})
    assert facts.gain_e_per_adu is None
    assert codes(facts) == ["gain_unit_unsaid"]


@pytest.mark.parametrize(
    "comment",
    ["gain index", "preamplifier gain", "PGA gain", "gain mode", "video gain", "EM gain", "gain in decibel", "percent"],
)
def test_a_step_of_an_amplifier_is_no_conversion_factor(comment):
    facts = facts_of({"GAIN": (3, comment)})
    assert (facts.gain_e_per_adu, facts.gain_setting) == (None, "3")


def test_the_outputs_of_one_detector_are_averaged_and_said():
    facts = facts_of({"HIERARCH ESO DET OUT1 CONAD": 1.0, "HIERARCH ESO DET OUT2 CONAD": 3.0})
    assert facts.gain_e_per_adu == pytest.approx(2.0)
    assert codes(facts) == ["gain_of_amplifiers"]


def test_settings_of_several_amplifiers_are_no_gains():
    assert facts_of({"GAIN1": 120, "GAIN2": 120}).gain_e_per_adu is None


@pytest.mark.parametrize(("cards", "is_doubted"), [
    ({"CCDGAIN": 2.0}, True), ({"GAIN1": 3.0, "GAIN2": 3.0}, True), ({"CCDGAIN": 1.02}, False), ({"GAIN1": 90}, False),
])  # fmt: skip
def test_a_second_gain_that_is_another_is_a_doubt(cards, is_doubted):
    facts = facts_of({"GAIN": 1.0}, cards)
    assert facts.gain_e_per_adu == 1.0
    assert ("gain_contradicted" in codes(facts)) == is_doubted


def test_electrons_that_were_multiplied_are_not_counted_by_the_gain():
    facts = facts_of({"GAIN": 2.0, "EMGAIN": 300})
    assert facts.gain_e_per_adu is None
    assert codes(facts) == ["electrons_multiplied"]
    assert facts_of({"GAIN": 2.0, "EMGAIN": 1}).gain_e_per_adu == 2.0


@pytest.mark.parametrize(
    ("cards", "electrons"),
    [
        ({"RO_NOISE": 8.0}, 8.0),
        ({"CCDNOISE": (8.0, "e- rms")}, 8.0),
        ({"RDNOISE1": 8.0}, 8.0),
        ({"RDNOISEA": 6.0, "RDNOISEB": 8.0}, 50**0.5),
        ({"READNSEA": (4.0, "[ADU]")}, 8.0),
        ({"HIERARCH ESO DET OUT1 RON": 8.0, "HIERARCH ESO DET OUT2 RON": 8.0}, 8.0),
        ({"HIERARCH ESO DET CHIP RON": 8.0}, 8.0),
        ({"RDNOISE": (64.0, "electrons^2")}, 8.0),
        ({"RDNOISE": (16.0, "variance in ADU")}, 8.0),
        ({"RON": (4.0, "digital units")}, 8.0),
    ],
)
def test_a_read_noise_is_in_electrons_by_whatever_name(cards, electrons):
    assert facts_of({"GAIN": (2.0, "e-/ADU")}, cards).read_noise_e == pytest.approx(electrons)
