"""Stars of the sky from a service that speaks TAP or answers cone searches, proved against one on this machine."""

import numpy as np
import pytest
from astropy.table import Table

from preprocessing import star_service
from preprocessing.star_service import Circle, ServiceFailed, ask
from tests.skyserver import gaia_table, serving_sky

CIRCLE = Circle(150.0, 20.0, 0.5, 17.0)


def _table(count=3000):
    rng = np.random.default_rng(4)
    ra = 150.0 + rng.uniform(-1, 1, count)
    return gaia_table(ra, 20.0 + rng.uniform(-1, 1, count), rng.uniform(8, 20, count), (12.0, -7.0))


@pytest.fixture
def sky(settings, monkeypatch):
    monkeypatch.setattr(star_service, "WAITS_S", (0.0, 0.0))
    with serving_sky(_table()) as server:
        settings.ASTRID_OUTGOING_HOSTS = [server.address]
        settings.ASTRID_STAR_CATALOG_SERVICE = f"http://{server.address}/tap"
        settings.ASTRID_STAR_CATALOG_TABLE = "gaiadr3.gaia_source"
        yield server


def test_tap_gives_the_stars_of_the_circle_down_to_the_magnitude_with_their_motions(sky):
    answer = ask(CIRCLE)
    inside = sky._within(150.0, 20.0, 0.5)
    wanted = inside[inside["phot_g_mean_mag"] < 17.0]
    assert len(answer.stars.ra_deg) == len(wanted) > 50
    np.testing.assert_allclose(np.sort(answer.stars.ra_deg), np.sort(wanted["ra"]), rtol=0, atol=1e-9)
    assert answer.stars.bands == [("G", "Vega"), ("RP", "Vega"), ("BP", "Vega")]
    assert answer.stars.name == "Gaia DR3"
    assert (set(answer.stars.motion[0]), set(answer.stars.motion[1])) == ({12.0}, {-7.0})
    assert (answer.epoch_year, answer.faintest_mag) == (2016.0, 17.0)


def test_the_request_is_a_polite_one(sky):
    ask(CIRCLE)
    (asked,) = sky.asked
    assert asked["REQUEST"] == "doQuery" and asked["LANG"] == "ADQL"
    assert asked["MAXREC"] == str(star_service.MOST_STARS)
    assert f"SELECT TOP {star_service.MOST_STARS} " in asked["QUERY"]
    assert sky.agents == ["AstrID/0.1.0"]


def test_more_stars_than_a_request_may_have_are_the_brightest_and_the_depth_is_what_was_given(sky, monkeypatch):
    monkeypatch.setattr(star_service, "MOST_STARS", 40)
    answer = ask(CIRCLE)
    assert len(answer.stars.ra_deg) == 40
    inside = np.sort(sky._within(150.0, 20.0, 0.5)["phot_g_mean_mag"])
    assert answer.faintest_mag == pytest.approx(inside[39], abs=1e-6)


def test_a_cone_search_is_asked_where_no_table_is_set(sky, settings):
    settings.ASTRID_STAR_CATALOG_SERVICE = f"http://{sky.address}/scs?cat=x"
    settings.ASTRID_STAR_CATALOG_TABLE = ""
    sky.table = Table({"RA_ICRS": [150.1], "DE_ICRS": [20.1], "Gmag": [14.5], "pmRA": [3.0], "pmDE": [np.nan]})
    sky.table["ra"], sky.table["dec"] = sky.table["RA_ICRS"], sky.table["DE_ICRS"]
    answer = ask(CIRCLE)
    (asked,) = sky.asked
    assert (asked["RA"], asked["DEC"], asked["SR"], asked["cat"]) == ("150.000000", "20.000000", "0.50000", "x")
    assert answer.stars.bands == [("G", "Vega")]
    # A star of one unknown motion stands still.
    assert answer.stars.motion[0].tolist() == answer.stars.motion[1].tolist() == [0.0]
    assert answer.epoch_year == 2016.0


def test_what_fails_for_a_moment_is_asked_again_one_request_at_a_time(sky):
    sky.refusing = [503, 429]
    assert len(ask(CIRCLE).stars.ra_deg) > 50
    assert len(sky.asked) == 3
    assert sky.most_at_once == 1


def test_after_three_tries_the_reason_is_the_server_s(sky):
    sky.refusing = [503] * 5
    with pytest.raises(ServiceFailed, match="503"):
        ask(CIRCLE)
    assert len(sky.asked) == 3


def test_what_will_not_succeed_another_time_is_not_asked_again(sky):
    sky.refusing = [404]
    with pytest.raises(ServiceFailed, match="404"):
        ask(CIRCLE)
    assert len(sky.asked) == 1


def test_what_tap_says_against_a_query_is_the_reason(sky):
    sky.complaint = "Column phot_g_mean_mag\n is not known"
    with pytest.raises(ServiceFailed, match="refused: Column phot_g_mean_mag is not known"):
        ask(CIRCLE)


@pytest.mark.parametrize("body", [b"<html>Maintenance until noon</html>", b""])
def test_an_answer_that_is_no_votable_is_told_in_its_own_words(sky, monkeypatch, body):
    monkeypatch.setattr(type(sky), "answer", lambda *_: body)
    with pytest.raises(ServiceFailed, match="no VOTable"):
        ask(CIRCLE)


def test_a_place_without_stars_is_a_reason(sky):
    with pytest.raises(ServiceFailed, match="no star within"):
        ask(Circle(10.0, -50.0, 0.5, 17.0))


def test_a_service_on_no_public_address_is_not_asked_unless_the_settings_name_it(sky, settings):
    settings.ASTRID_OUTGOING_HOSTS = []
    with pytest.raises(ServiceFailed, match="ASTRID_OUTGOING_HOSTS"):
        ask(CIRCLE)
    assert sky.asked == []


def test_without_a_service_the_sentence_names_the_setting(settings):
    settings.ASTRID_STAR_CATALOG_SERVICE = ""
    with pytest.raises(ServiceFailed, match="ASTRID_STAR_CATALOG_SERVICE"):
        ask(CIRCLE)
