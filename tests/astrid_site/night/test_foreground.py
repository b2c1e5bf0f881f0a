"""`manage.py process` from files to one document: what it prints, what a repeat leaves, and how it ends."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import math
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits
from django.db import transaction
from django.test import override_settings

from astrid_site.night import document as document_module
from catalog.configuration.values import set_value
from catalog.failures import FailureCode
from catalog.models import ProcessingJob
from catalog.people.audit import MACHINE
from detection.models import CandidateScore, Detection, DetectionStatus, ModelRun, Source
from differencing.models import Candidate, DifferenceRun, Reference
from observations.models import Field, Observation
from preprocessing.models import PreprocessRun
from preprocessing.stage import preprocess
from tests import factories
from tests.astrid_site.conftest import Ended
from tests.lights import write
from tests.nights import restore

MEASURED = [
    "file", "ra", "dec", "pixel_x", "pixel_y", "significance", "snr", "flux", "flux_error", "fwhm", "is_negative",
    "is_dipole", "is_reference_ghost", "is_saturated", "is_blended", "is_edge", "vetoes",
]  # fmt: skip
KEYS = {
    "observations": [
        "file", "observation_id", "status", "calibration_applied", "wcs_quality", "seeing", "observation_time",
        "mjd_utc", "exposure_time", "ra", "dec", "zero_point", "doubts", "failure_code", "error_message",
    ],
    "difference_runs": [
        "file", "reference_files", "status", "algorithm", "noise_level", "noise_rescale", "candidates_found",
        "processing_time_seconds", "doubts", "failure_code", "error_message",
    ],
    "candidates": MEASURED,
    "detections": [*MEASURED, "confidence_score", "detection_type", "model_version", "source"],
    "tracklets": [
        "members", "kind", "stack_score", "rate_arcsec_per_min", "position_angle", "rms_arcsec", "trail_ratio",
        "chance_rate", "is_doubtful",
    ],
}  # fmt: skip


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


# --- The whole folder, and the same again ---


@dataclass(frozen=True)
class Repeated:
    """Two nights processed to the end and then once more, after a person had judged one detection."""

    first: Ended
    second: Ended
    rows: tuple[dict[str, set[Any]], dict[str, set[Any]]]
    judged: tuple[dict[str, Any], dict[str, Any]]
    earlier: tuple[str, ...]
    later: tuple[str, ...]

    def references(self, files: tuple[str, ...]) -> dict[str, list[str]]:
        runs = {row["file"]: row for row in self.first.document["difference_runs"]}
        return {name: runs[name]["reference_files"] for name in files}


def keys_of_all_rows() -> dict[str, set[Any]]:
    models = (Observation, Field, PreprocessRun, Reference, DifferenceRun, Candidate, CandidateScore, ModelRun)
    return {model.__name__: set(model.objects.values_list("pk", flat=True)) for model in (*models, Detection, Source)}


@pytest.fixture(scope="module")
def repeated(process, processed_night, delivered_nights, django_db_blocker, tmp_path_factory):
    """Process the folder twice, in a transaction that is taken back, in a data root of its own."""
    root = tmp_path_factory.mktemp("repeated")
    with django_db_blocker.unblock(), override_settings(ASTRID_DATA_ROOT=root), transaction.atomic():
        night = restore(processed_night, delivered_nights, root)
        first = process(night.folder, "--json")
        chosen = Detection.objects.filter(pk=night.good[0].detections.earliest("pk").pk)
        chosen.update(status=DetectionStatus.VALIDATED, human_label="nova", is_validated=True)
        before, judged_before = keys_of_all_rows(), chosen.values().get()
        second = process(night.folder, "--json")
        after, judged_after = keys_of_all_rows(), chosen.values().get()
        names = [tuple(row.original_name for row in rows) for rows in (night.earlier, night.good)]
        transaction.set_rollback(True)
    return Repeated(first, second, (before, after), (judged_before, judged_after), *names)


def test_a_second_run_prints_the_same_document(repeated):
    assert (repeated.first.status, repeated.second.status) == (0, 0)
    assert repeated.first.output == repeated.second.output


def test_a_second_run_makes_no_row_and_takes_none_away(repeated):
    before, after = repeated.rows
    assert all(before.values()), "there are rows of every kind"
    assert after == before


def test_a_second_run_leaves_the_judged_detection_as_the_person_left_it(repeated):
    before, after = repeated.judged
    assert before["human_label"] == "nova"
    assert after == before


def test_the_second_night_is_compared_with_frames_of_the_first_alone(repeated):
    for file, references in repeated.references(repeated.later).items():
        assert references == list(repeated.earlier), file


def test_a_frame_of_the_first_night_is_compared_with_another_of_its_night_and_never_with_itself(repeated):
    for file, references in repeated.references(repeated.earlier).items():
        # With two others there is no stack.
        assert len(references) == 1, file
        assert set(references) < set(repeated.earlier) - {file}


def test_the_first_night_in_which_nothing_changes_has_few_detections(repeated):
    counts = Counter(row["file"] for row in repeated.first.document["detections"])
    # The limit for false ones in each frame of a synthetic night.
    assert max(counts[file] for file in repeated.earlier) <= 5, counts


def test_the_next_night_adds_to_sources_instead_of_making_new_ones(process, night, inbox):
    """A frame of the second night, dated five days later; the nights between do not serve as its reference."""
    set_value("differencing.reference_exclude_days", 5, MACHINE)
    seen = night.good[0]
    path = Path(shutil.copy(night.folder / seen.original_name, inbox / "next.fits"))
    fits.setval(path, "DATE-OBS", value=(seen.observation_time + dt.timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%S"))
    before = dict(Source.objects.values_list("pk", "detection_count"))
    whole = process(path, "--json").document
    assert whole["difference_runs"][0]["reference_files"] == [row.original_name for row in night.earlier]
    assert len(whole["detections"]) == seen.detections.count() > 3
    assert set(Source.objects.values_list("pk", flat=True)) == set(before)
    grown = {pk: count for pk, count in Source.objects.values_list("pk", "detection_count") if count == before[pk] + 1}
    assert len(grown) == len(whole["detections"])


# --- What is printed ---


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


# --- The program as a person starts it ---


def test_the_program_starts_its_database_prints_one_document_and_stops_what_it_started(first_start):
    assert first_start.status == 1, first_start.progress
    (row,) = json.loads(first_start.output)["observations"]
    assert row["failure_code"] == FailureCode.NOT_FITS
    assert "page.fits" in first_start.progress
    assert "Traceback" not in first_start.progress
    assert first_start.status_of_database == 3, "the server still runs"


def test_a_gzipped_frame_is_the_frame(process, night, inbox):
    name = night.good[0].original_name
    (inbox / f"{name}.gz").write_bytes(gzip.compress((night.folder / name).read_bytes(), 1))
    before = Observation.objects.count()
    whole = process(inbox, "--json").document
    assert Observation.objects.count() == before
    assert [row["file"] for row in whole["observations"]] == [name]
