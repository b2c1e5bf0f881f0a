"""Simulated nights on disk: what the command writes, and what it says of it."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from observations.delivery import simulated
from observations.management.commands import simulate
from observations.numerics.simulate.nights import NightParameters

SMALL = NightParameters(seed=2, size=160, frames=1, stars_per_mpx=900, transients=1, dither_px=4.0)


def test_the_command_writes_frames_truth_and_star_catalogue_and_says_how_to_use_it(tmp_path, monkeypatch):
    monkeypatch.setattr(simulate, "parameters_of", lambda **_: SMALL)
    folder, output, progress = tmp_path / "nights", io.StringIO(), io.StringIO()
    call_command("simulate", str(folder), stdout=output, stderr=progress)
    names = output.getvalue().split()
    assert sorted(names) == sorted(path.name for path in folder.iterdir())
    assert names[0] == "star_catalog.csv" and names[-1] == "truth.json"
    assert f"ASTRID_STAR_CATALOG={folder}/star_catalog.csv manage.py process {folder}" in progress.getvalue()
    known = json.loads((folder / "truth.json").read_text())["files"]
    assert set(known) == {name for name in names if "light" in name}
    (transient,) = [s for s in known["night2_light01.fits"]["sources"] if s["kind"] == "transient"]
    # A S/N of 8 to 60 is R = 20 to 17.7.
    assert 17.6 < transient["magnitude"] < 20.1


def test_frames_without_room_for_what_is_asked_for_are_bad_usage(tmp_path):
    with pytest.raises(CommandError, match="too small") as refusal:
        call_command("simulate", str(tmp_path), "--size", "100")
    assert refusal.value.returncode == 2


def test_the_parameters_of_a_command_are_those_of_the_nights():
    assert simulated.parameters_of(seed=5, size=300, nights=3, frames=2) == NightParameters(
        seed=5, size=300, nights=3, frames=2
    )
