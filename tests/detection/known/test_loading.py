"""Orbits come in whole or go on where they stopped; what cannot be read is told; until then the former ones count."""

from __future__ import annotations

import datetime as dt
import gzip
import json

import numpy as np
import pytest

from detection.known import loading, orbit_rows
from detection.known.loading import LoadRefused, Wanted, load
from detection.models import Orbit, OrbitSet
from detection.numerics.ephemerides.published import read_asteroid_line
from tests.factories import OrbitFactory, OrbitSetFactory
from tests.orbits import comet_line, mpcorb_entry, mpcorb_line

pytestmark = pytest.mark.django_db

HEAD = (
    "MINOR PLANET CENTER ORBIT DATABASE (MPCORB)\n\nThis file contains orbits.\n\nDes'n     H     G\n"
    + "-" * 160
    + "\n"
)
LINES = [mpcorb_line(number, anomaly_deg=float(number)) for number in range(1, 8)]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(loading, "_AT_ONCE", 3)


def file_of(folder, text, name="MPCORB.DAT"):
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return Wanted(path, name)


def as_json(count):
    return json.dumps([mpcorb_entry(number, anomaly_deg=float(number)) for number in range(1, count + 1)], indent=1)


def nothing(_row):
    """Tell nobody."""


@pytest.mark.parametrize("name", ["MPCORB.DAT", "MPCORB.DAT.gz"])
def test_every_line_below_the_head_becomes_an_orbit_with_its_elements(tmp_path, name):
    row = load(file_of(tmp_path, HEAD + "\n".join(LINES[:5]) + "\n\n" + "\n".join(LINES[5:]) + "\n", name), nothing)
    assert (row.name, row.orbit_count, row.refused_count, row.is_complete) == ("asteroids", 7, 0, True)
    stored = Orbit.objects.order_by("id")[6]
    expected = read_asteroid_line(LINES[6])
    assert {field: getattr(stored, field) for field in expected._fields} == expected._asdict()


@pytest.mark.parametrize("name", ["mpcorb_extended.json", "mpcorb_extended.json.gz"])
@pytest.mark.parametrize("block", [7, 300, 1 << 20])
def test_a_list_in_json_gives_the_same_wherever_its_blocks_end(tmp_path, monkeypatch, name, block):
    monkeypatch.setattr(loading, "_BLOCK_CHARACTERS", block)
    row = load(file_of(tmp_path, as_json(7), name), nothing)
    assert (row.orbit_count, row.refused_count) == (7, 0)
    expected = read_asteroid_line(LINES[4])
    assert Orbit.objects.order_by("id")[4].perihelion_mjd == pytest.approx(expected.perihelion_mjd)


def test_comets_are_known_by_their_lines_and_stand_beside_the_asteroids(tmp_path):
    load(file_of(tmp_path, "\n".join(LINES)), nothing)
    row = load(file_of(tmp_path, comet_line() + "\n", "CometEls.txt"), nothing)
    assert row.name == "comets"
    assert Orbit.objects.filter(is_comet=True).get().designation == "C/2023 A1 (Test)"
    assert Orbit.objects.count() == 8


def test_the_newest_observation_says_how_new_the_orbits_are_and_a_date_that_was_told_says_it_before(tmp_path):
    wanted = file_of(tmp_path, "\n".join([*LINES, mpcorb_line(9).replace("20230620", "20230701")]))
    assert load(wanted, nothing).orbits_at == dt.datetime(2023, 7, 1, tzinfo=dt.UTC)
    told = dt.datetime(2023, 8, 1, tzinfo=dt.UTC)
    other = file_of(tmp_path, LINES[0], "other")
    assert load(Wanted(other.path, "other", "mine", told), nothing).orbits_at == told


def test_lines_that_are_no_orbits_are_counted_and_the_first_is_told(tmp_path):
    bad = LINES[4].replace("0.0788175", "x.xxxxxxx")
    row = load(file_of(tmp_path, "\n".join([*LINES[:4], bad, *LINES[5:], LINES[0][:50]])), nothing)
    assert (row.orbit_count, row.refused_count) == (6, 2)
    assert row.first_refusal.startswith("entry 5: a column holds no number")


def test_a_list_that_breaks_off_is_told(tmp_path):
    row = load(file_of(tmp_path, as_json(5)[:-40], "list.json"), nothing)
    assert (row.orbit_count, row.refused_count) == (4, 1)
    assert "breaks off" in row.first_refusal


@pytest.mark.parametrize("text", ["", "no orbits\n" * 300, '{"a": 1}', "[]", "[1, 2]"])
def test_a_file_without_orbits_is_refused_and_the_former_ones_stay(tmp_path, text):
    before = OrbitFactory()
    with pytest.raises(LoadRefused):
        load(file_of(tmp_path, text), nothing)
    assert OrbitSet.objects.get() == before.orbit_set
    assert len(orbit_rows.read_all().keys) == 1


def test_a_newer_file_takes_the_place_of_the_former_one_of_its_name(tmp_path):
    OrbitFactory()
    other = OrbitFactory(orbit_set=OrbitSetFactory(name="comets"))
    row = load(file_of(tmp_path, "\n".join(LINES)), nothing)
    assert set(OrbitSet.objects.all()) == {row, other.orbit_set}
    assert Orbit.objects.count() == 8


def test_a_load_that_was_killed_goes_on_where_it_stopped_and_no_orbit_is_there_twice(tmp_path):
    former = OrbitFactory()
    wanted = file_of(tmp_path, HEAD + "\n".join(LINES))

    def die(row):
        if row.entries_read == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(wanted, die)
    # What was stored does not count yet.
    assert orbit_rows.read_all().keys.tolist() == [former.pk]
    told: list[int] = []
    row = load(wanted, lambda row: told.append(row.entries_read))
    assert told == [7]
    assert sorted(Orbit.objects.values_list("designation", flat=True)) == sorted(
        read_asteroid_line(line).designation for line in LINES
    )
    assert row.is_complete and row.orbit_count == 7


def test_a_file_that_is_loaded_is_left_as_it_is(tmp_path):
    wanted = file_of(tmp_path, "\n".join(LINES))
    first = load(wanted, nothing)
    keys = list(Orbit.objects.values_list("pk", flat=True))
    told: list[OrbitSet] = []
    assert load(wanted, told.append) == first
    assert (told, list(Orbit.objects.values_list("pk", flat=True))) == ([], keys)


def test_two_that_load_one_file_do_not_store_it_twice(tmp_path):
    wanted = file_of(tmp_path, "\n".join(LINES))

    def other_goes_on(row):
        OrbitSet.objects.filter(pk=row.pk).update(entries_read=6)

    with pytest.raises(LoadRefused, match="another process"):
        load(wanted, other_goes_on)


@pytest.mark.parametrize("piece", [1, 200, 4 << 20])
def test_what_is_read_back_as_arrays_is_what_the_rows_hold(monkeypatch, piece):
    monkeypatch.setattr(orbit_rows, "_PIECE_BYTES", piece)
    rows = [OrbitFactory(), OrbitFactory(uncertainty_parameter=None, last_observed_mjd=None, eccentricity=0.25)]
    OrbitFactory(orbit_set=OrbitSetFactory(is_complete=False, name="half"))
    kept = orbit_rows.read_all()
    assert kept.keys.tolist() == [row.pk for row in rows]
    for name, values in vars(kept.orbits).items():
        assert values.tolist() == [getattr(row, name) for row in rows], name
    assert kept.uncertainty_parameter[0] == 0 and np.isnan(kept.uncertainty_parameter[1])
    assert kept.last_observed_mjd[0] == rows[0].last_observed_mjd and np.isnan(kept.last_observed_mjd[1])


def test_without_any_orbits_the_arrays_are_empty():
    assert len(orbit_rows.read_all().orbits) == 0
