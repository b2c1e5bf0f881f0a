"""`manage.py process` from files to one document: what it prints, how it ends, and the reason for each bad file."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from django.core.management import CommandError, call_command

from astrid_site import document as document_module
from astrid_site import foreground
from catalog.failures import FailureCode
from catalog.models import ProcessingJob
from differencing.models import Candidate, DifferenceRun
from observations.models import Observation
from observations.numerics.fits_synthetic import night_files
from observations.numerics.simulate import simulate_nights
from preprocessing.stage import preprocess
from tests import factories, nights

pytestmark = pytest.mark.xdist_group("night")

REPOSITORY = Path(__file__).resolve().parent.parent.parent
MEASURED = [
    "file", "ra", "dec", "pixel_x", "pixel_y", "significance", "snr", "flux", "flux_error", "fwhm", "is_negative",
    "is_dipole", "is_reference_ghost", "is_saturated", "is_blended", "is_edge",
]  # fmt: skip
KEYS = {
    "observations": [
        "file", "observation_id", "status", "calibration_applied", "wcs_quality", "seeing", "failure_code",
        "error_message",
    ],
    "difference_runs": [
        "file", "reference_files", "status", "algorithm", "noise_level", "noise_rescale", "candidates_found",
        "processing_time_seconds", "failure_code", "error_message",
    ],
    "candidates": MEASURED,
    "detections": [*MEASURED, "confidence_score", "detection_type", "model_version", "source"],
    "tracklets": ["members", "rate_arcsec_per_min"],
}  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    output: str
    progress: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.output, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@pytest.fixture
def process(monkeypatch):
    """Return a function that runs the command on the tests' database."""
    monkeypatch.setattr(foreground, "database", lambda report: contextlib.nullcontext())

    def run(*arguments: object) -> Ended:
        output, progress = io.StringIO(), io.StringIO()
        status = 0
        try:
            call_command("process", *map(str, arguments), stdout=output, stderr=progress)
        except CommandError as error:
            status, message = error.returncode, str(error)
            progress.write(message)
        except SystemExit as end:
            status = int(end.code or 0)
        return Ended(status, output.getvalue(), progress.getvalue())

    return run


def write(path: Path, data: Any = None, **cards: object) -> Path:
    """Write a light as an amateur's camera delivers it; a card of None is left out."""
    about: dict[str, object] = {
        "IMAGETYP": "Light Frame",
        "DATE-OBS": "2026-01-19T03:00:00",
        "EXPTIME": 180.0,
        "FILTER": "R",
        "OBJCTRA": "10 00 24",
        "OBJCTDEC": "+22 12 00",
        "PIXSCALE": 1.2,
    }
    if data is None:
        data = np.random.default_rng(1).normal(1000.0, 10.0, (200, 200)).astype(np.float32)
    hdu = fits.PrimaryHDU(data)
    for keyword, value in (about | {k.replace("_", "-"): v for k, v in cards.items()}).items():
        if value is not None:
            hdu.header[keyword] = value
    hdu.writeto(path)
    return path


@pytest.fixture
def inbox(tmp_path_factory):
    return tmp_path_factory.mktemp("inbox")


def later(night):
    """Return the files of the second night's lights."""
    return [night.folder / row.original_name for row in (*night.good, night.clouded)]


def test_the_document_has_the_keys_of_the_contract_and_no_others(process, night):
    ended = process(*later(night), "--json")
    whole = ended.document
    assert list(whole) == list(KEYS)
    for name, keys in KEYS.items():
        assert whole[name], name
        assert {tuple(row) for row in whole[name]} == {tuple(keys)}, name
    for tracklet in whole["tracklets"]:
        assert {tuple(member) for member in tracklet["members"]} == {("file", "pixel_x", "pixel_y")}


def test_a_second_run_prints_the_same_document(process, night):
    first = process(night.folder, "--json")
    second = process(night.folder, "--json")
    assert (first.status, second.status) == (0, 0)
    assert first.output == second.output


def test_what_is_printed_is_what_the_database_holds(process, night):
    whole = process(*later(night), "--json").document
    assert sorted(row["file"] for row in whole["observations"]) == sorted(path.name for path in later(night))
    assert len(whole["candidates"]) == Candidate.objects.count()
    assert all(row["calibration_applied"] for row in whole["observations"])
    references = {row["file"]: row["reference_files"] for row in whole["difference_runs"]}
    for observation in night.good:
        assert references[observation.original_name] == [row.original_name for row in night.earlier]
    places = {(row["file"], row["pixel_x"], row["pixel_y"]) for row in whole["candidates"]}
    for rows in (whole["detections"], [m for t in whole["tracklets"] for m in t["members"]]):
        assert {(row["file"], row["pixel_x"], row["pixel_y"]) for row in rows} <= places


def test_a_failed_frame_is_a_row_with_its_reason_and_the_command_ends_well(process, night):
    ended = process(*later(night), "--json")
    rows = {row["file"]: row for row in ended.document["observations"]}
    clouded = rows[night.clouded.original_name]
    assert ended.status == 0
    assert clouded["status"] == "failed"
    assert clouded["failure_code"] in FailureCode.values
    assert len(clouded["error_message"]) > 20
    assert all(row["failure_code"] == "" for name, row in rows.items() if name != clouded["file"])


def test_one_file_prints_itself_and_not_what_else_the_database_holds(process, night):
    name = night.good[0].original_name
    whole = process(night.folder / name, "--json").document
    assert [row["file"] for row in whole["observations"]] == [name]
    assert {row["file"] for row in whole["candidates"]} == {name}
    assert whole["difference_runs"][0]["reference_files"] == [row.original_name for row in night.earlier], (
        "references may come from what the database holds"
    )


def test_without_json_people_read_frames_and_detections_on_standard_output(process, night):
    ended = process(*later(night))
    observation = night.good[0]
    assert f"{observation.original_name}  differenced  {observation.detections.count()} detections" in ended.output
    assert f"{night.clouded.original_name}  failed" in ended.output
    assert "moving object in 3 frames" in ended.output
    assert "[1/" in ended.progress and "[1/" not in ended.output


def test_nan_and_infinity_are_null(monkeypatch, db):
    candidate = factories.CandidateFactory()
    monkeypatch.setattr(
        document_module, "_candidate", lambda row: {"snr": math.nan, "deep": {"flux": [math.inf, -math.inf, 1.5]}}
    )
    whole = document_module.document([candidate.observation_id], [])
    assert whole["candidates"] == [{"snr": None, "deep": {"flux": [None, None, 1.5]}}]


def test_an_unknown_shape_is_null_in_the_document(db):
    candidate = factories.CandidateFactory(fwhm=None)
    (row,) = document_module.document([candidate.observation_id], [])["candidates"]
    assert row["fwhm"] is None


def test_a_run_that_failed_shows_no_number_of_candidates(db):
    run = factories.DifferenceRunFactory(status="failed", failure_code="no_overlap", error_message="Another sky.")
    (row,) = document_module.document([run.observation_id], [])["difference_runs"]
    assert (row["status"], row["candidates_found"], row["failure_code"]) == ("failed", None, "no_overlap")


def test_archived_detections_are_not_shown(db):
    detection = factories.DetectionFactory(status="archived")
    assert document_module.document([detection.observation_id], [])["detections"] == []


@pytest.mark.usefixtures("empty_data_root")
def test_a_fault_in_one_frame_is_recorded_and_the_others_go_on(process, db, inbox, monkeypatch):
    known = preprocess.run

    def run(entity_id):
        if Observation.objects.get(pk=entity_id).original_name == "a.fits":
            raise ZeroDivisionError("a fault of the program")
        known(entity_id)

    monkeypatch.setattr(preprocess, "run", run)
    write(inbox / "a.fits")
    write(inbox / "b.fits", DATE_OBS="2026-01-19T04:00:00")
    rows = {row["file"]: row for row in process(inbox, "--json").document["observations"]}
    assert rows["a.fits"]["failure_code"] == FailureCode.INTERNAL_ERROR
    assert rows["b.fits"]["failure_code"] == FailureCode.EMPTY_FRAME, "it is noise alone"
    assert "ZeroDivisionError" in ProcessingJob.objects.get(failure_code="internal_error").error_details["traceback"]


@pytest.mark.usefixtures("db", "empty_data_root")
def test_where_nothing_can_be_ingested_it_ends_with_1_and_still_prints_the_document(process, inbox):
    (inbox / "page.fits").write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    ended = process(inbox, "--json")
    assert ended.status == 1
    assert [row["failure_code"] for row in ended.document["observations"]] == [FailureCode.NOT_FITS]
    assert "Nothing could be ingested" in ended.progress


@pytest.mark.usefixtures("db", "empty_data_root")
@pytest.mark.parametrize("name", ["missing.fits", "folder"])
def test_a_path_without_frames_ends_with_1_and_says_so(process, inbox, name):
    (inbox / "folder").mkdir()
    ended = process(inbox / name, "--json")
    assert ended.status == 1
    (row,) = ended.document["observations"]
    assert (row["file"], row["failure_code"]) == (name, FailureCode.FILE_MISSING)


@pytest.mark.parametrize(
    "arguments",
    [
        ["x.fits", "--ra", "400", "--dec", "0"],
        ["x.fits", "--ra", "10", "--dec", "91"],
        ["x.fits", "--ra", "10"],
        ["x.fits", "--pixel-scale", "-1"],
        ["x.fits", "--exposure", "nan"],
        ["x.fits", "--time", "yesterday"],
        ["x.fits", "--ra", "ten", "--dec", "0"],
        ["x.fits", "--unheard-of"],
        [],
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_2_before_anything_is_touched(arguments):
    """No database is needed, so none may be asked: this test has none."""
    with pytest.raises(SystemExit) as ended:
        run_as_from_a_shell(arguments)
    assert ended.value.code == 2


def run_as_from_a_shell(arguments):
    from astrid_site.management.commands.process import Command

    Command().run_from_argv(["manage.py", "process", *arguments])


# --- The bad inputs: each its own reason, in 5 s of processor time and 300 MB ---


def _html(folder: Path) -> Path:
    path = folder / "page.fits"
    path.write_text("<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>" * 50)
    return path


def _truncated(folder: Path) -> Path:
    path = write(folder / "short.fits")
    path.write_bytes(path.read_bytes()[:40_000])
    return path


def _bitpix(folder: Path) -> Path:
    path = write(folder / "bitpix.fits")
    content = path.read_bytes().replace(b"BITPIX  =                  -32", b"BITPIX  =                   24")
    path.write_bytes(content)
    return path


def _bomb(folder: Path) -> Path:
    """Write 2 MB that unpack to 2 GB: a header that claims so many pixels, and zeros."""
    header = fits.Header()
    header["SIMPLE"], header["BITPIX"], header["NAXIS"] = True, 16, 2
    header["NAXIS1"], header["NAXIS2"] = 32_000, 32_000
    return _packed(folder / "bomb.fits.gz", header.tostring().encode())


def _hidden_bomb(folder: Path) -> Path:
    """Write a header of a small image that is followed by 2 GB of zeros in place of a card END."""
    header = fits.Header()
    header["SIMPLE"], header["BITPIX"], header["NAXIS"] = True, 16, 2
    cards = "".join(str(card) for card in header.cards)
    return _packed(folder / "hidden.fits.gz", cards.encode())


def _packed(path: Path, start: bytes) -> Path:
    """Write a gzip file of `start` and 2 GB of zeros; the checksum at its end is wrong, and nobody should get there."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the packer remembers nothing, so that the same zeros are packed to the same bytes again.
    zeros = packer.compress(b"\0" * 2**24) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(first + zeros * 128 + packer.flush())
    return path


def _nan(folder: Path) -> Path:
    return write(folder / "nan.fits", np.full((200, 200), np.nan, np.float32))


def _nowhere(folder: Path) -> Path:
    return write(folder / "nowhere.fits", OBJCTRA=None, OBJCTDEC=None)


BAD = {
    "html": (_html, FailureCode.NOT_FITS, "HTML|web page|FITS"),
    "truncated": (_truncated, FailureCode.TRUNCATED, "ends|again"),
    "wrong BITPIX": (_bitpix, FailureCode.BAD_BITPIX, "24"),
    "bomb": (_bomb, FailureCode.TOO_LARGE, "limit"),
    "hidden bomb": (_hidden_bomb, FailureCode.TOO_LARGE, "limit|unpack|END"),
    "all NaN": (_nan, FailureCode.ALL_NAN, "NaN"),
    "no WCS and no pointing": (_nowhere, FailureCode.NO_POINTING, "--ra"),
}


@contextlib.contextmanager
def within_limits():
    """Hold what runs inside to 5 s of processor time and 300 MB on top of what was held before.

    Processor time and counted allocations, unlike a clock and the size of the process, do not depend on what else the
    machine does.
    """
    tracemalloc.start()
    before, start = tracemalloc.get_traced_memory()[0], time.process_time()
    try:
        yield
        seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert seconds < 5.0
    assert peak < 300e6


@pytest.mark.usefixtures("db", "empty_data_root")
@pytest.mark.parametrize(("make", "code", "words"), BAD.values(), ids=BAD)
def test_a_bad_file_has_its_own_reason_quickly_and_in_little_memory(process, inbox, make, code, words):
    path = make(inbox)
    with within_limits():
        ended = process(path, "--json")
    (row,) = ended.document["observations"]
    assert (row["file"], row["status"], row["failure_code"]) == (path.name, "failed", code)
    assert any(word in row["error_message"] for word in words.split("|")), row["error_message"]
    assert len(row["error_message"]) > 20
    assert ended.document["candidates"] == ended.document["detections"] == []
    assert ProcessingJob.objects.filter(failure_code=code).exists()


def test_each_of_the_bad_inputs_has_a_code_of_its_own():
    codes = [code for name, (_, code, _) in BAD.items() if name != "hidden bomb"]
    assert len({*codes, FailureCode.NO_OVERLAP}) == len(codes) + 1


@pytest.mark.usefixtures("db", "empty_data_root")
def test_the_frame_that_had_no_pointing_is_taken_when_it_is_given(process, inbox):
    path = _nowhere(inbox)
    assert process(path, "--json").status == 1
    ended = process(path, "--ra", 150.1, "--dec", 22.2, "--json")
    assert ended.status == 0
    (row,) = ended.document["observations"]
    assert row["wcs_quality"] == "nominal"
    assert row["failure_code"] != FailureCode.NO_POINTING


def test_a_frame_that_shows_another_sky_than_its_reference_has_no_overlap(process, night, inbox):
    (other,) = simulate_nights(replace(nights.PARAMETERS, seed=9, nights=1, frames=1))
    when = replace(nights.PARAMETERS, seed=9)
    *_, (_, content) = night_files(other, when)
    (inbox / "elsewhere.fits").write_bytes(content)
    with within_limits():
        ended = process(inbox / "elsewhere.fits", "--json")
    (row,), (run,) = ended.document["observations"], ended.document["difference_runs"]
    assert ended.status == 0
    assert (row["status"], row["failure_code"]) == ("failed", FailureCode.NO_OVERLAP)
    assert (run["status"], run["failure_code"], run["candidates_found"]) == ("failed", FailureCode.NO_OVERLAP, None)
    assert run["error_message"] == row["error_message"] and "reference" in row["error_message"]
    assert ended.document["candidates"] == ended.document["detections"] == []
    assert not DifferenceRun.objects.filter(status="running").exists()


# --- The program as a person starts it ---


@pytest.fixture
def own_root():
    """Give a data root that an unprivileged server may enter."""
    folder = Path(tempfile.mkdtemp(prefix="astrid-process-"))
    folder.chmod(0o755)
    yield folder / "data"
    shutil.rmtree(folder)


def test_the_program_starts_its_database_prints_one_document_and_stops_what_it_started(own_root, inbox):
    path = _html(inbox)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "DJANGO"))}
    environment["ASTRID_DATA_ROOT"] = str(own_root)

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120)

    ended = manage("process", str(path), "--json")
    assert ended.returncode == 1, ended.stderr
    (row,) = json.loads(ended.stdout)["observations"]
    assert row["failure_code"] == FailureCode.NOT_FITS
    assert "page.fits" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert manage("db", "status").returncode == 3, "the server still runs"


def test_a_gzipped_frame_is_the_frame(process, night, inbox):
    name = night.good[0].original_name
    (inbox / f"{name}.gz").write_bytes(gzip.compress((night.folder / name).read_bytes(), 1))
    before = Observation.objects.count()
    whole = process(inbox, "--json").document
    assert Observation.objects.count() == before
    assert [row["file"] for row in whole["observations"]] == [name]
