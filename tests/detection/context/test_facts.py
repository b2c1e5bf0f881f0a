"""What is said of the frame and the place, and that what is not known is said to be that."""

from __future__ import annotations

import pytest

from detection.context.facts import facts_of_each, sites_of
from detection.context.links import links_of
from observations.models import WcsQuality
from preprocessing.bright_stars import bright_stars
from tests.factories import CandidateFactory, DetectionFactory, PreprocessRunFactory, TelescopeFactory

pytestmark = pytest.mark.django_db


def facts(row):
    return facts_of_each([row], sites_of([row]))[row.pk]


def words(row) -> dict[str, str]:
    return dict(facts(row).words)


def detection(**of_frame):
    row = DetectionFactory()
    for name, value in {"image_width": 1000, "image_height": 800, "pixel_scale": 2.0, **of_frame}.items():
        setattr(row.observation, name, value)
    return row


def test_the_edge_is_the_nearest_one_and_in_both_units():
    row = detection()
    row.pixel_x, row.pixel_y = 500.0, 749.5
    assert words(row)["Edge"] == "50 px, 1.7′"
    row.observation.pixel_scale = None
    assert words(row)["Edge"] == "50 px"


def test_the_nearest_ghost_is_that_of_the_same_difference():
    row = detection()
    row.pixel_x, row.pixel_y = 500.0, 400.0
    CandidateFactory(is_reference_ghost=True, pixel_x=501.0, pixel_y=400.0)
    CandidateFactory(difference_run=row.candidate.difference_run, pixel_x=502.0, pixel_y=400.0)
    assert words(row)["Ghost"] == "none in this difference"
    for x in (560.0, 512.0):
        CandidateFactory(difference_run=row.candidate.difference_run, is_reference_ghost=True, pixel_x=x, pixel_y=405.0)
    assert words(row)["Ghost"] == "13 px, 26″ away"
    assert "ghost 13 px" in facts(row).line
    row.candidate = None
    assert words(row)["Ghost"].startswith("not known")


def test_altitude_and_moon_are_the_site_s():
    row = detection(telescope=TelescopeFactory(latitude_deg=28.76, longitude_deg=-17.88, height_m=2400.0))
    found = facts(row)
    assert found.altitude_deg is not None and found.moon.altitude_deg is not None


def test_where_the_site_is_not_known_that_is_said_and_the_header_s_airmass_with_its_origin():
    row = detection(airmass=1.42, telescope=TelescopeFactory(latitude_deg=None, longitude_deg=None))
    assert words(row)["Altitude"] == "airmass 1.42 by the header; not known: the telescope’s site is not"
    assert "horizon" not in words(row)["Moon"]
    assert "site not known" in facts(row).line
    row.observation.airmass = None
    assert words(row)["Altitude"] == "not known: the telescope’s site is not"


def test_what_stands_below_the_horizon_is_doubted():
    row = detection(telescope=TelescopeFactory(latitude_deg=-89.0, longitude_deg=0.0))
    row.dec = 60.0
    assert words(row)["Altitude"].endswith("is the site or the time wrong?")


def test_the_nearest_bright_star_is_told_only_where_the_place_is_known():
    row = detection()
    decs, ras, _ = bright_stars()
    row.ra, row.dec = float(ras[250_000]), float(decs[250_000]) + 5.0 / 3600.0
    found = facts(row).bright
    assert found.separation_arcsec <= 5.0 + 1e-6
    assert f"G = {found.mag:.1f}" in words(row)["Bright star"]
    row.observation.wcs_quality = WcsQuality.NOMINAL
    assert words(row)["Bright star"].startswith("not known")


def test_the_frame_s_quality_is_that_of_its_newest_run():
    row = detection()
    row.observation.seeing = None
    assert words(row)["Quality"] == "not measured"
    PreprocessRunFactory(observation=row.observation, fwhm_px=1.5, limiting_magnitude=19.84, transparency=0.5)
    assert words(row)["Quality"] == "seeing 3.0″, to 19.8 mag, 50 % of the light"


def test_links_hold_the_place_in_the_form_that_each_page_reads():
    row = detection()
    row.ra, row.dec = 83.633083, -0.014472
    links = {link.title: link.url for link in links_of(row, TelescopeFactory(mpc_code="J13"))}
    assert list(links) == ["SIMBAD", "VizieR", "NED", "TNS", "Aladin Lite", "Legacy Surveys", "MPC"]
    assert all(url.startswith("https://") and " " not in url for url in links.values())
    assert "Coord=83.633083%20-0.014472" in links["SIMBAD"]
    assert "ra=83.633083&decl=-0.014472" in links["TNS"]
    assert "ra=05%2034%2031.94&decl=-00%2000%2052.1" in links["MPC"] and "oc=J13" in links["MPC"]
