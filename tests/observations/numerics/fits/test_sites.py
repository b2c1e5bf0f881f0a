"""Where a telescope stood, by all the ways in which headers say it."""

from __future__ import annotations

import pytest

from observations.numerics.site import greenwich_sidereal_deg
from tests.observations.numerics.fits.test_headers import codes, facts_of

# Middle of the exposure of the plain header: 2024-03-01 21:00:30.
MIDDLE_MJD = 60370.875 + 30 / 86400


def clock_of(longitude_deg: float) -> str:
    """Return the sidereal time of a place at the middle of the exposure."""
    seconds = round(((greenwich_sidereal_deg(MIDDLE_MJD) + longitude_deg) % 360) * 240)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@pytest.mark.parametrize("keyword", ["LST", "ST", "STSTART", "LST-STR"])
@pytest.mark.parametrize(("claim", "east"), [(-6.5, 6.5), (6.5, 6.5), (4.0, -4.0)])
def test_near_greenwich_the_better_of_two_signs_counts(keyword, claim, east):
    facts = facts_of({"SITELAT": 53.2, "SITELONG": claim, keyword: clock_of(east)})
    assert facts.site_longitude_deg == pytest.approx(east)
    assert ("longitude_turned" in codes(facts)) == (claim != east)


@pytest.mark.parametrize("east", [0.4, -0.4])
def test_on_the_meridian_of_greenwich_no_sidereal_time_decides(east):
    assert facts_of({"SITELAT": 51.5, "SITELONG": 0.4, "LST": clock_of(east)}).site_longitude_deg == 0.4


def test_a_sidereal_time_in_seconds_of_the_day_decides_as_well():
    seconds = ((greenwich_sidereal_deg(MIDDLE_MJD) - 70.4) % 360) * 240
    facts = facts_of({"SITELAT": -24.6, "SITELONG": 70.4, "LST": (seconds, "LST at start")})
    assert facts.site_longitude_deg == pytest.approx(-70.4)


@pytest.mark.parametrize(
    ("cards", "height"),
    [
        ({"ALTITUDE": 53.976, "AZIMUTH": 135.5}, None),
        ({"ALTITUDE": (32.08, "[deg] Altitude axis position"), "HEIGHT": 1165.0}, 1165.0),
        ({"ALTITUDE": 46.971}, None),
        ({"ALTITUDE": (46.0, "[m] above sea level")}, 46.0),
        ({"ALTITUDE": 2635.0}, 2635.0),
        ({"ELEV-OBS": 3400.0}, 3400.0),
    ],
)
def test_an_angle_above_the_horizon_is_no_height(cards, height):
    assert facts_of({"SITELAT": 30.0, "SITELONG": 10.0}, cards).site_height_m == height


def test_a_second_place_in_the_header_is_a_doubt_that_holds_nothing_back():
    facts = facts_of({"SITELAT": 46.867, "SITELONG": -96.453, "LAT-OBS": 46.867, "LONG-OBS": -98.453})
    (doubt,) = [doubt for doubt in facts.doubts if doubt.code == "site_contradicted"]
    assert (doubt.fact, doubt.keyword, doubt.blocks_publication) == ("site", "LONG-OBS", False)
    # The same place counted the other way, or rounded, is none.
    same = facts_of({"SITELAT": 46.867, "SITELONG": -96.453, "LAT-OBS": 46.87, "LONG-OBS": 96.45, "OBSGEO-L": 263.55})
    assert "site_contradicted" not in codes(same)


def test_a_place_counted_from_the_centre_of_the_earth_is_read():
    # The Las Cumbres telescopes in Siding Spring: 31.2728 S, 149.0709 E, 1165 m.
    facts = facts_of({"OBSGEO-X": -4681333.3, "OBSGEO-Y": 2804768.0, "OBSGEO-Z": -3292489.0})
    assert facts.site_latitude_deg == pytest.approx(-31.27, abs=0.05)
    assert facts.site_longitude_deg == pytest.approx(149.07, abs=0.05)
    assert 500 < facts.site_height_m < 2000
    assert facts_of({"OBSGEO-X": 1.0, "OBSGEO-Y": 2.0, "OBSGEO-Z": 3.0}).site_latitude_deg is None


def test_the_receiver_of_a_satellite_clock_tells_the_place():
    facts = facts_of({"GPS_LAT": 40.56, "GPS_LONG": 22.99})
    assert (facts.site_latitude_deg, facts.site_longitude_deg) == (40.56, 22.99)
