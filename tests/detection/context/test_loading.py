"""Catalogues into the database, from files and a service: which columns are taken, what of the sky is claimed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.table import Table
from django.core.management import CommandError, call_command

from catalog.failures import StageFailure
from catalog.models import AuditLog
from detection.context.fields import lacks_context, parts_lacking
from detection.models import ContextArea, ContextKind, ContextSource
from detection.stage import context
from preprocessing import star_service
from tests.factories import ContextSourceFactory, FieldFactory, ObservationFactory
from tests.skyserver import gaia_table, serving_sky

pytestmark = pytest.mark.django_db


def load(path, *options) -> str:
    told = io.StringIO()
    call_command("load_context", str(path), *options, stdout=told)
    return told.getvalue()


def written(folder, text: str, name="catalogue.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_columns_are_known_by_their_names_and_told(tmp_path):
    path = written(tmp_path, "source_id,ra,dec,phot_g_mean_mag,parallax,pmra,pmdec\n42,370,-5,16.2,2.1,-30,40\n")
    with pytest.raises(CommandError, match="positions outside the sky"):
        load(path, "--kind", "star")
    path.write_text(path.read_text().replace("370", "-10"))
    told = load(path, "--kind", "star", "--catalog", "Gaia DR3", "--whole-sky")
    assert "ra from ra" in told and "mag from phot_g_mean_mag" in told
    row = ContextSource.objects.get()
    assert (row.name, row.ra, row.dec, row.mag, row.band) == ("42", 350.0, -5.0, 16.2, "G")
    assert (row.parallax_mas, row.pm_ra_mas_per_year, row.pm_dec_mas_per_year) == (2.1, -30.0, 40.0)
    area = row.area
    assert (area.catalogue, area.epoch_year, area.is_complete) == ("Gaia DR3", 2016.0, True)
    assert area.fastest_mas_per_year == pytest.approx(50.0)
    assert ContextSource.objects.cone(350.0, -5.0, 1.0).count() == 1
    assert AuditLog.objects.filter(action="load_context").count() == 1


@pytest.mark.parametrize("ending", ["fits", "vot"])
def test_tables_with_units_are_read_in_those(tmp_path, ending):
    table = Table({"RAJ2000": [10.0], "DEJ2000": [20.0], "r_eff": [0.5], "PA": [30.0], "ba": [0.4], "Name": ["NGC 1"]})
    table["r_eff"].unit = "arcmin"
    path = tmp_path / f"galaxies.{ending}"
    table.write(path, format="fits" if ending == "fits" else "votable")
    load(path, "--kind", "galaxy")
    row = ContextSource.objects.get()
    assert (row.semi_major_arcsec, row.axis_ratio, row.angle_deg, row.name) == (30.0, 0.4, 30.0, "NGC 1")
    assert row.mag is None and row.band == ""


def test_a_file_of_which_nobody_says_what_it_covers_claims_no_sky(tmp_path):
    told = load(written(tmp_path, "name,type,ra,dec\nV1,RRAB,10,20\nV2,,11,20\n"), "--kind", "variable")
    area = ContextArea.objects.get()
    assert not area.is_complete and "--whole-sky" in told
    assert all(area.holds(row.ra, row.dec, 0.0) for row in area.sources.all())
    assert sorted(area.sources.values_list("type_name", flat=True)) == ["", "RRAB"]


def test_what_is_loaded_again_takes_the_place_of_what_was(tmp_path):
    other = ContextSourceFactory()
    around = ("--kind", "variable", "--catalog", "VSX", "--around", "10", "20", "2")
    for names in ("a,b", "c"):
        rows = "".join(f"{name},10,20\n" for name in names.split(","))
        load(written(tmp_path, f"name,ra,dec\n{rows}"), *around)
    assert sorted(ContextSource.objects.values_list("name", flat=True)) == sorted([other.name, "c"])
    area = ContextArea.objects.get(catalogue="VSX")
    assert (area.ra, area.dec, area.radius_deg, area.is_complete) == (10.0, 20.0, 2.0, True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name,mag\nx,1\n", "no columns for right ascension and declination among name, mag"),
        ("ra,dec\nten,20\n", "holds no numbers"),
        ("ra,dec\n,\n", "has a position"),
        ("# name: nothing\n", "is empty"),
        ("ra,dec\n1,2,3,4\n", "cannot be read"),
    ],
)
def test_what_is_no_catalogue_is_refused_and_what_was_loaded_stays(tmp_path, text, reason):
    ContextSourceFactory()
    with pytest.raises(CommandError, match=reason):
        load(written(tmp_path, text), "--kind", "star")
    assert ContextSource.objects.count() == 1


def test_rows_without_a_position_are_left_out(tmp_path):
    load(written(tmp_path, "name,ra,dec\na,,\nb,10,20\n"), "--kind", "star")
    assert ContextSource.objects.get().name == "b"


@pytest.fixture
def sky(settings, monkeypatch):
    monkeypatch.setattr(star_service, "WAITS_S", (0.0, 0.0))
    rng = np.random.default_rng(7)
    ra, dec = 40.0 + rng.uniform(-1, 1, 300), 10.0 + rng.uniform(-1, 1, 300)
    with serving_sky(gaia_table(ra, dec, rng.uniform(9, 19, 300))) as server:
        settings.ASTRID_OUTGOING_HOSTS = [server.address]
        settings.ASTRID_CONTEXT_SERVICES = {"STAR": f"http://{server.address}/cone"}
        yield server


def _field():
    field = FieldFactory(ra=40.0, dec=10.0, radius_deg=0.2)
    ObservationFactory(field=field, ra=40.0, dec=10.0, pixel_scale=1.0, image_width=1000, image_height=1000)
    return field


def test_a_field_is_asked_for_once_and_again_when_it_has_grown_old(sky):
    field = _field()
    assert lacks_context(field)
    context.run(str(field.pk))
    context.run(str(field.pk))
    assert [asked["RA"] for asked in sky.asked] == ["40.000000"]
    area = ContextArea.objects.get()
    assert area.is_complete and area.source_count == area.sources.count() > 10
    assert not lacks_context(field) and not list(parts_lacking(ContextKind.STAR))
    ContextArea.objects.update(loaded_at="2020-01-01T00:00Z")
    assert lacks_context(field)


def test_without_a_service_nothing_is_wanted(settings):
    settings.ASTRID_CONTEXT_SERVICES = {}
    assert not lacks_context(_field())


def test_a_busy_service_is_asked_again_and_one_that_refuses_is_told(sky):
    field = _field()
    sky.refusing = [503]
    call_command("load_context", "--kind", "star", "--around", "40", "10", "0.1", stdout=io.StringIO())
    assert len(sky.asked) == 2 and ContextArea.objects.count() == 1
    sky.refusing = [404]
    with pytest.raises(StageFailure, match="404"):
        context.run(str(field.pk))
    assert ContextArea.objects.count() == 1


def test_a_kind_without_a_service_names_the_setting(sky):
    told = io.StringIO()
    with pytest.raises(CommandError):
        call_command("load_context", "--kind", "galaxy", "--around", "40", "10", "0.1", stderr=told)
    assert "ASTRID_CONTEXT_GALAXY_SERVICE" in told.getvalue()


def test_what_a_service_cuts_short_is_not_taken_for_all(sky, monkeypatch):
    monkeypatch.setattr("detection.context.services.MOST_STARS", 5)
    field = _field()
    context.run(str(field.pk))
    assert not ContextArea.objects.get().is_complete
    assert not lacks_context(field)
