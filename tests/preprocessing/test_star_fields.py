"""Parts of the sky whose stars are kept in the database, and which of them serves a frame."""

from datetime import UTC, datetime

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from catalog.models import AuditLog
from observations.models import WcsQuality
from preprocessing import star_service
from preprocessing.models import StarCatalogField
from preprocessing.star_catalog import Place, catalog_at
from preprocessing.star_fields import circle_for, circles_lacking, fetch_field
from preprocessing.star_service import Circle
from tests import factories
from tests.skyserver import gaia_table, serving_sky

pytestmark = pytest.mark.django_db
MJD_2026 = 61_041.0


@pytest.fixture
def sky(settings, monkeypatch):
    monkeypatch.setattr(star_service, "WAITS_S", (0.0, 0.0))
    settings.ASTRID_STAR_CATALOG = ""
    rng = np.random.default_rng(5)
    count = 4000
    ra, dec = 200.0 + rng.uniform(-3, 3, count), -30.0 + rng.uniform(-3, 3, count)
    with serving_sky(gaia_table(ra, dec, rng.uniform(9, 19, count), (500.0, -300.0))) as server:
        settings.ASTRID_OUTGOING_HOSTS = [server.address]
        settings.ASTRID_STAR_CATALOG_SERVICE = f"http://{server.address}/tap"
        yield server


def _place(ra=200.0, dec=-30.0, reach=0.3, side=0.4):
    return Place(ra, dec, reach, side, MJD_2026)


def test_what_was_fetched_serves_without_the_service_with_the_stars_moved_to_the_frame_s_time(sky, settings):
    row = fetch_field(Circle(200.0, -30.0, 1.0, 18.0))
    settings.ASTRID_STAR_CATALOG_SERVICE = ""
    catalog = catalog_at(_place())
    assert (catalog.name, catalog.sha256) == ("Gaia DR3", row.sha256)
    assert len(catalog.ra_deg) == row.star_count > 100
    assert np.all(np.diff(catalog.dec_deg) >= 0)
    near = sky._within(200.0, -30.0, 1.0)
    there = np.sort(near["dec"][near["phot_g_mean_mag"] < 18.0])
    # From 2016.0 to 2026.0 ten years of 300 mas to the south; of the order none changes.
    np.testing.assert_allclose(np.sort(catalog.dec_deg), there - 3.0 / 3600, rtol=0, atol=2e-7)
    k, j = int(np.argmin(near["dec"])), int(np.argmin(catalog.dec_deg))
    if near["phot_g_mean_mag"][k] < 18.0:
        east = (catalog.ra_deg[j] - near["ra"][k]) * np.cos(np.radians(near["dec"][k]))
        assert east * 3600 == pytest.approx(5.0, abs=0.01)
    assert [band.name for band in catalog.bands] == ["G", "RP", "BP"]


def test_a_field_serves_only_frames_that_lie_in_it_as_a_whole(sky):
    fetch_field(Circle(200.0, -30.0, 1.0, 18.0))
    assert catalog_at(_place(dec=-30.65)) is not None
    assert catalog_at(_place(dec=-30.75)) is None
    # A degree of right ascension is shorter here.
    assert catalog_at(_place(ra=200.75)) is not None


def test_across_right_ascension_zero_a_field_is_one(sky):
    row = factories.StarCatalogFieldFactory(ra=359.9, dec=10.0, radius_deg=1.0)
    assert row.holds(0.3, 10.0, 0.4)
    assert not row.holds(2.0, 10.0, 0.4)


def test_of_several_fields_the_deepest_serves(sky):
    fetch_field(Circle(200.0, -30.0, 2.0, 14.0))
    deep = fetch_field(Circle(200.0, -30.0, 1.0, 17.0))
    assert catalog_at(_place()).sha256 == deep.sha256


def test_a_second_fetch_replaces_the_first_and_both_are_in_the_audit_log(sky):
    first = fetch_field(Circle(200.0, -30.0, 1.0, 16.0))
    second = fetch_field(Circle(200.0, -30.0, 1.0, 18.0))
    assert first.pk == second.pk and StarCatalogField.objects.count() == 1
    assert second.star_count > first.star_count
    assert AuditLog.objects.filter(action="fetch_star_catalog").count() == 2


def test_a_file_of_the_settings_comes_before_what_was_fetched(sky, settings, tmp_path, empty_data_root):
    fetch_field(Circle(200.0, -30.0, 1.0, 18.0))
    path = tmp_path / "mine.csv"
    path.write_text("# name: mine\nra,dec,mag\n200.0,-30.0,12.0\n")
    settings.ASTRID_STAR_CATALOG = str(path)
    assert catalog_at(_place()).name == "mine"


def test_the_bright_stars_serve_wide_fields_only_and_where_nothing_else_does(sky):
    assert catalog_at(_place(side=1.4)) is None
    assert catalog_at(_place(side=None)) is None
    assert catalog_at(_place(side=1.5)).name == "Gaia DR3 to G 10"
    fetch_field(Circle(200.0, -30.0, 1.0, 18.0))
    assert catalog_at(_place(side=1.5)).name == "Gaia DR3"


def _frame(**given):
    values = {"ra": 200.0, "dec": -30.0, "pixel_scale": 1.0, "image_width": 1200, "image_height": 900}
    return factories.ObservationFactory(field=factories.FieldFactory(ra=200.0, dec=-30.0), **(values | given))


def test_more_of_the_sky_is_asked_for_where_a_frame_knows_its_place_less_well():
    nominal = circle_for(_frame(delivered_wcs_quality=WcsQuality.NOMINAL))
    header = circle_for(_frame(delivered_wcs_quality=WcsQuality.HEADER))
    # Half the diagonal is 0.208 degrees.
    assert nominal.radius_deg == pytest.approx(1.75, abs=0.01)
    assert header.radius_deg == pytest.approx(0.45, abs=0.01)
    assert circle_for(_frame(pixel_scale=None)) is None


def test_the_command_fetches_the_fields_of_the_database_that_lack_their_stars(sky, capsys):
    _frame(delivered_wcs_quality=WcsQuality.HEADER)
    assert len(list(circles_lacking())) == 1
    call_command("star_catalog", "fetch")
    (row,) = StarCatalogField.objects.all()
    assert f"{row.star_count} stars to magnitude 18.0" in capsys.readouterr().out
    assert list(circles_lacking()) == []
    call_command("star_catalog", "fetch")
    assert "every field" in capsys.readouterr().out
    assert len(sky.asked) == 1


def test_the_command_fetches_a_place_and_lists_what_is_kept(sky, capsys):
    call_command("star_catalog", "fetch", "200", "-30", "0.5", "--faintest", "15")
    call_command("star_catalog", "list")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0] == lines[1]
    assert lines[0].startswith("Gaia DR3 within 0.5 deg of 200.000 -30.000")


def test_the_command_says_why_a_field_was_not_fetched(sky, capsys):
    sky.complaint = "out of order"
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("star_catalog", "fetch", "200", "-30", "0.5")
    assert "out of order" in capsys.readouterr().err
    assert not StarCatalogField.objects.exists()


@pytest.mark.parametrize("place", [("200", "-30"), ("200", "-95", "1"), ("200", "-30", "0"), ("200", "-30", "50")])
def test_the_command_refuses_what_is_no_circle_on_the_sky(place):
    with pytest.raises(CommandError):
        call_command("star_catalog", "fetch", *place)


@pytest.mark.parametrize("wrong", [{"ra": 361.0}, {"dec": -91.0}, {"radius_deg": 11.0}])
def test_the_database_refuses_a_field_that_is_not_on_the_sky(wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.StarCatalogFieldFactory(**wrong)


def test_the_row_says_when_and_of_whom_it_was_fetched(sky):
    before = datetime.now(UTC)
    row = fetch_field(Circle(200.0, -30.0, 1.0, 18.0))
    assert before <= row.fetched_at <= datetime.now(UTC)
    assert sky.address in row.service
