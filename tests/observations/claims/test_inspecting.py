"""What is understood of files before they are taken in."""

from __future__ import annotations

import contextlib
import json
from io import StringIO

import pytest
from django.core.management import call_command

from astrid_site.running import database
from observations.claims.inspecting import inspect_file
from observations.models import Observation
from observations.numerics.fits.facts import Overrides
from tests.factories import ProfileFactory
from tests.observations.delivery.test_ingest import write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def test_each_fact_is_told_with_its_keyword_and_what_is_missing_as_missing(tmp_path):
    (one,) = inspect_file(write(tmp_path / "a.fits", FILTER=None), Overrides())
    told = {line.fact: (line.value, line.source) for line in one.facts}
    assert told["exposure"] == ("60 s", "EXPTIME")
    assert told["time"][1] == "DATE-OBS"
    assert told["band"] == ("not given", "")
    assert "give --band" in one.refusal
    assert not Observation.objects.exists()


def test_the_profiles_in_use_take_part_and_the_one_that_would_help_is_suggested(tmp_path):
    path = write(tmp_path / "a.fits", INSTRUME="ZWO ASI1600", DATE_OBS=("2024-03-01T21:01:00", "end of readout"))
    (before,) = inspect_file(path, Overrides())
    assert before.profile["rules"]["time_moment"] == "end"
    ProfileFactory(rules={"time_keyword": "DATE-OBS", "time_moment": "end", "time_shift_s": -1.0})
    (after,) = inspect_file(path, Overrides())
    assert [doubt.code for doubt in before.doubts] == ["time_after_readout"]
    assert after.doubts == ()


def test_the_command_says_it_all_to_people_and_to_programs(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "usable", lambda report: contextlib.nullcontext())
    write(tmp_path / "good.fits")
    write(tmp_path / "clock.fits", DATE_OBS=("2024-03-01T21:00:00", "local time"))
    people, programs = StringIO(), StringIO()
    for out, more in ((people, []), (programs, ["--json"])):
        with pytest.raises(SystemExit) as ended:
            call_command("inspect", str(tmp_path), *more, stdout=out)
        assert ended.value.code == 1
    assert "says 'local'" in people.getvalue() and "utc_offset_hours" in people.getvalue()
    document = {one["name"]: one for one in json.loads(programs.getvalue())}
    assert document["good.fits"]["refusal"] == ""
    assert "no time of observation" in document["clock.fits"]["refusal"]
    call_command("inspect", str(tmp_path), "--utc-offset", "-3", stdout=StringIO())


def test_a_file_that_is_none_is_told_in_words(tmp_path):
    (tmp_path / "x.fits").write_bytes(b"hello")
    (one,) = inspect_file(tmp_path / "x.fits", Overrides())
    assert "does not begin like a FITS file" in one.refusal
