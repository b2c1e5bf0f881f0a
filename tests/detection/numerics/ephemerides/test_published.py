"""Orbits as they are published: every column, what may be empty, and what is refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from detection.numerics.ephemerides.orbits import GM_SUN
from detection.numerics.ephemerides.published import (
    COMET_PARAMETER,
    OrbitRefused,
    packed_date,
    read_asteroid_entry,
    read_asteroid_line,
    read_comet_line,
)
from tests.orbits import EPOCH_MJD, comet_line, mpcorb_entry, mpcorb_line


def mjd(year, month, day):
    return (dt.date(year, month, day) - dt.date(1858, 11, 17)).days


def test_a_line_of_an_asteroid_gives_its_elements_and_what_is_known_of_them():
    orbit = read_asteroid_line(mpcorb_line(2713, anomaly_deg=80.0, name="(2713) Luxembourg", parameter="1"))
    assert orbit.designation == "(2713) Luxembourg" and not orbit.is_comet
    assert orbit.epoch_mjd == EPOCH_MJD
    assert orbit.eccentricity == 0.0788175
    assert orbit.perihelion_au == pytest.approx(2.7670960 * (1.0 - 0.0788175))
    assert (orbit.argument_deg, orbit.node_deg, orbit.inclination_deg) == (73.42179, 80.25496, 10.58682)
    motion = np.degrees(np.sqrt(GM_SUN / 2.7670960**3))
    # The line gives the motion as well: of a body that has not quite these elements.
    assert motion == pytest.approx(0.21411523, rel=1e-4)
    assert orbit.perihelion_mjd == pytest.approx(EPOCH_MJD - 80.0 / motion)
    assert (orbit.absolute_mag, orbit.slope, orbit.uncertainty_parameter, orbit.rms_arcsec) == (3.34, 0.15, 1, 0.65)
    assert orbit.last_observed_mjd == mjd(2023, 6, 20)


def test_the_json_gives_the_same_orbit_as_the_line():
    line = read_asteroid_line(mpcorb_line(2713, name="(2713) Luxembourg"))
    entry = read_asteroid_entry(mpcorb_entry(2713, name="Luxembourg"))
    assert entry == line


def test_an_entry_without_number_or_name_goes_by_its_designation():
    entry = mpcorb_entry(1) | {"Principal_desig": "2024 AB1"}
    del entry["Number"], entry["Name"]
    assert read_asteroid_entry(entry).designation == "2024 AB1"


def test_a_perihelion_soon_to_come_is_as_exact_as_one_just_passed():
    before, after = (read_asteroid_line(mpcorb_line(1, anomaly_deg=angle)) for angle in (359.0, 1.0))
    assert before.perihelion_mjd - EPOCH_MJD == pytest.approx(EPOCH_MJD - after.perihelion_mjd)


@pytest.mark.parametrize("parameter", [" ", "E", "D", "F"])
def test_a_letter_or_nothing_in_place_of_the_uncertainty_parameter_is_not_known(parameter):
    assert read_asteroid_line(mpcorb_line(1, parameter=parameter)).uncertainty_parameter is None


def test_magnitudes_that_are_not_given_are_not_known():
    line = mpcorb_line(1)
    orbit = read_asteroid_line(line[:8] + " " * 11 + line[19:])
    assert orbit.absolute_mag is None and orbit.slope is None


@pytest.mark.parametrize(
    ("text", "day"),
    [("K239D", (2023, 9, 13)), ("I01A1", (1801, 10, 1)), ("J96CV", (1996, 12, 31)), ("K2011", (2020, 1, 1))],
)
def test_packed_dates_are_those_of_the_published_table(text, day):
    assert packed_date(text) == mjd(*day)


def test_a_line_of_a_comet_gives_its_perihelion_and_epoch():
    orbit = read_comet_line(comet_line())
    assert orbit.designation == "C/2023 A1 (Test)" and orbit.is_comet
    assert orbit.perihelion_mjd == pytest.approx(mjd(2023, 4, 10) + 0.8765)
    assert orbit.epoch_mjd == mjd(2023, 2, 25)
    assert (orbit.perihelion_au, orbit.eccentricity) == (1.234567, 1.000123)
    assert (orbit.argument_deg, orbit.node_deg, orbit.inclination_deg) == (11.1111, 222.2222, 133.3333)
    assert (orbit.absolute_mag, orbit.slope, orbit.uncertainty_parameter) == (8.5, 4.0, COMET_PARAMETER)


def test_a_comet_without_epoch_is_taken_at_its_perihelion():
    line = comet_line()
    orbit = read_comet_line(line[:81] + " " * 8 + line[89:])
    assert orbit.epoch_mjd == orbit.perihelion_mjd


@pytest.mark.parametrize(
    "line",
    ["", "Des'n     H     G   Epoch", "-" * 160, mpcorb_line(1)[:90], mpcorb_line(1).replace("K232P", "K23XX"),
     mpcorb_line(1).replace("0.0788175", "1.5000000"), mpcorb_line(1).replace("  2.7670960", "        nan"),
     mpcorb_line(1).replace("  2.7670960", "           ")],
)  # fmt: skip
def test_what_is_no_orbit_is_refused(line):
    with pytest.raises(OrbitRefused):
        read_asteroid_line(line)


def test_an_entry_that_lacks_an_element_is_refused():
    entry = mpcorb_entry(1)
    del entry["e"]
    with pytest.raises(OrbitRefused, match="lacks an element"):
        read_asteroid_entry(entry)
