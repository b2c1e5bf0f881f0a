"""Images of surveys given by command: on the first night, and for a field that has references of its own."""

from __future__ import annotations

import contextlib
import io

import pytest
from astropy.io import fits
from django.core.management import CommandError, call_command

from astrid_site.running import database
from differencing.models import Reference
from observations.models import Observation
from tests.nights import PARAMETERS
from tests.surveys import write_panstarrs


@pytest.fixture(scope="module")
def cutout(tmp_path_factory):
    return write_panstarrs(tmp_path_factory.mktemp("survey") / "ps1.fits", PARAMETERS)


@pytest.fixture
def give(monkeypatch):
    """Return a function that runs the command on the tests' database, and gives exit status and what was said."""
    monkeypatch.setattr(database, "usable", lambda report, **_: contextlib.nullcontext())

    def run(*arguments):
        said = io.StringIO()
        try:
            call_command("give_reference", *map(str, arguments), stderr=said)
        except CommandError as error:
            return error.returncode, said.getvalue()
        return 0, said.getvalue()

    return run


@pytest.mark.usefixtures("loops", "db", "empty_data_root")
def test_on_the_first_night_frames_are_compared_with_the_image_and_not_with_each_other(
    process, delivered_nights, cutout
):
    night = [path for path in sorted(delivered_nights.glob("night2_*.fits")) if "light03" not in path.name]
    whole = process(*night, "--reference", cutout, "--band", "R", "--json").document
    runs = whole["difference_runs"]
    assert len(runs) >= 3
    assert {run["status"] for run in runs} == {"completed"}
    assert all(run["reference_files"] == ["ps1.fits"] for run in runs)
    assert all("reference_in_another_band" in [doubt["code"] for doubt in run["doubts"]] for run in runs)
    # What shows in every frame of the night is in no stack of them.
    assert len([row for row in whole["candidates"] if row["snr"] > 10 and not row["is_negative"]]) >= 2 * len(runs)
    assert Reference.objects.get().is_active


def test_it_is_given_to_every_field_that_it_covers(give, night, cutout):
    status, said = give(cutout, "--band", "R")
    assert status == 0 and "not promoted" in said
    row = Reference.objects.get(origin="given")
    assert (row.field, row.filter_band, row.is_active) == (night.field, "R", False)
    status, said = give(cutout, "--band", "R", "--field", night.field.pk, "--promote")
    assert status == 0 and ", promoted" in said
    assert Reference.objects.get(origin="given").is_active


def test_without_a_band_it_serves_the_frames_of_its_own_alone(give, night, cutout):
    status, said = give(cutout)
    assert status == 1 and "no frames in r (there are: R)" in said and "--band" in said
    Observation.objects.filter(pk=night.good[0].pk).update(filter_band="r")
    assert give(cutout)[0] == 0
    assert Reference.objects.get(origin="given").filter_band == "r"


def test_what_cannot_serve_is_said_and_ends_with_1(give, night, cutout, tmp_path):
    fits.writeto(tmp_path / "bare.fits", fits.getdata(cutout))
    for arguments, words in [
        ((tmp_path / "bare.fits",), "no world coordinates"),
        ((tmp_path / "none.fits",), "No such file"),
        ((cutout, "--field", "nowhere"), "no field of that name"),
    ]:
        status, said = give(*arguments)
        assert status == 1 and words in said, said
    assert not Reference.objects.filter(origin="given").exists()


def test_an_image_that_shows_no_field_is_given_to_none(give, night, tmp_path, cutout):
    path = tmp_path / "far.fits"
    with fits.open(cutout) as hdus:
        hdus[0].header["CRVAL2"] = 40.0
        hdus.writeto(path)
    status, said = give(path, "--band", "R")
    assert status == 1 and "no field in it" in said
