"""What is older than it is to be kept goes, what people or alerts need stays, and what was cut off is ended."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from catalog.chain import sealing
from catalog.chain.verifying import verify
from catalog.configuration.values import set_value
from catalog.files import removals, storage
from catalog.models import AuditLog, JobAttempt, ProcessingJob, RemovedFile, RetentionPass
from catalog.people.audit import MACHINE
from catalog.retention import sweeping
from catalog.retention.rules import RowRule, rules
from catalog.retention.words import removed_words
from detection.models import CandidateScore, Detection
from differencing.models import Candidate
from observations.models import Observation
from tests.factories import (
    AlertFactory,
    CandidateFactory,
    CandidateScoreFactory,
    DetectionFactory,
    DifferenceRunFactory,
    FieldFactory,
    ModelRunFactory,
    NoteFactory,
    PreprocessRunFactory,
    ProcessingJobFactory,
    ReferenceFactory,
    ReportRowFactory,
    SourceFactory,
    TrackletFactory,
    ValidationEventFactory,
)
from tests.observations.stored import stored_frame

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]

LONG_AGO = timezone.now() - dt.timedelta(days=100)
DAYS = 90


def aged(row, **times):
    """Make a row old."""
    type(row)._base_manager.filter(pk=row.pk).update(created_at=LONG_AGO, **times)
    row.refresh_from_db()
    return row


def old_frame(**values) -> Observation:
    return aged(stored_frame(**{"status": "differenced", **values}))


def detection(status: str = "rejected", **values) -> Detection:
    """Make an old detection with cutouts, in a frame that is old too."""
    run = aged(ModelRunFactory(status="completed"), completed_at=LONG_AGO)
    row = DetectionFactory(model_run=run, observation=old_frame(), status=status, **values)
    path = storage.write_atomically(f"cutouts/{row.pk}.npy", b"cutouts")
    return aged(row, cutouts_path=path)


def sweep(key: str, days: int = DAYS) -> None:
    set_value(f"retention.{key}", days, MACHINE)
    call_command("tidy")


def is_there(row, column: str = "fits_file_path") -> bool:
    return storage.exists(getattr(row, column))


def test_by_default_nothing_is_removed():
    frame = old_frame()
    call_command("tidy")
    assert is_there(frame)
    assert not RemovedFile.objects.exists()


def test_an_old_raw_frame_goes_and_its_row_says_when_and_why():
    old, new = old_frame(), stored_frame(status="differenced")
    sweep("raw_days")
    assert (is_there(old), is_there(new)) == (False, True)
    gone = RemovedFile.objects.get()
    assert (gone.entity_id, gone.kept_days) == (old.pk, DAYS)
    assert gone.size_bytes is None or gone.size_bytes > 0
    assert removed_words(old) == (
        f"The raw file was removed on {timezone.now():%Y-%m-%d} by the retention of 90 days (retention.raw_days)."
    )
    assert removed_words(new) == ""
    line = AuditLog.objects.get(action="remove_files")
    assert (line.entity_id, line.new_values["count"], line.new_values["bytes"] > 5000) == (
        "retention.raw_days",
        1,
        True,
    )
    sealing.seal(everything=True)
    assert verify().fault_count == 0


def test_a_frame_that_somebody_or_something_needs_stays(capsys):
    judged, noted, told, member, anchor, at_work, of_night, fresh = (old_frame() for _ in range(8))
    free = old_frame(night=dt.date(2020, 1, 1))
    ValidationEventFactory(detection=DetectionFactory(observation=judged))
    NoteFactory(detection=DetectionFactory(observation=noted))
    AlertFactory(detection=DetectionFactory(observation=told))
    ReferenceFactory(best_member=member).members.add(member)
    FieldFactory(anchor=anchor)
    ProcessingJobFactory(entity_type="observation", entity_id=str(at_work.pk))
    Observation.objects.filter(pk=of_night.pk).update(night=dt.date(2021, 5, 5))
    ProcessingJobFactory(entity_type="night", entity_id="2021-05-05")
    Observation.objects.filter(pk=fresh.pk).update(status="ingested")
    set_value("retention.raw_days", DAYS, MACHINE)
    call_command("tidy", "--dry-run")
    told_first = capsys.readouterr().out
    assert "Raw frames, older than 90 days: 1 would be removed" in told_first
    reasons = ("a person judged something", "a note on something", "an alert tells", "in a reference", "placed by it")
    for words in (*reasons, "a job is at work", "not processed yet"):
        assert words in told_first
    assert is_there(free)
    call_command("tidy")
    kept = (judged, noted, told, member, anchor, at_work, of_night, fresh)
    assert [is_there(row) for row in kept] == [True] * 8
    assert not is_there(free)


def test_cutouts_go_unless_they_were_judged_noted_told_reported_or_await_review():
    states = ("rejected", "pending", *["rejected"] * 5)
    rejected, waiting, judged, noted, told, reported, moving = (detection(state) for state in states)
    type(reported).objects.filter(pk=reported.pk).update(source=SourceFactory())
    reported.refresh_from_db()
    ReportRowFactory(source=reported.source)
    track = TrackletFactory()
    track.members.add(moving.candidate)
    ReportRowFactory(source=None, tracklet=track, ra=150.0, dec=2.0, body={})
    ValidationEventFactory(detection=judged)
    NoteFactory(detection=noted)
    AlertFactory(detection=told)
    sweep("cutouts_days")
    there = [is_there(row, "cutouts_path") for row in (rejected, waiting, judged, noted, told, reported, moving)]
    assert there == [False, *[True] * 6]
    assert "by the retention of 90 days" in removed_words(rejected)
    storage.write_atomically(rejected.cutouts_path, b"made again")
    assert removed_words(rejected) == ""


def test_images_of_subtractions_and_calibrated_frames_go():
    frame = old_frame()
    run = aged(DifferenceRunFactory(observation=frame, status="completed"), completed_at=LONG_AGO)
    paths = [storage.write_atomically(f"differences/{run.pk}/{name}", b"x") for name in ("d", "s", "r")]
    made = storage.write_atomically(f"previews/differences/{run.pk}/tile", b"x")
    run.difference_image_path, run.significance_map_path, run.reference_aligned_path = paths
    run.save()
    calibrated = aged(PreprocessRunFactory(observation=frame, status="completed"), completed_at=LONG_AGO)
    calibrated.processed_fits_path = storage.write_atomically("processed/a.fits", b"x")
    calibrated.save()
    sweep("difference_days")
    assert not any(storage.exists(path) for path in [*paths, made])
    assert is_there(calibrated, "processed_fits_path")
    sweep("processed_days")
    assert not is_there(calibrated, "processed_fits_path")


def test_a_file_with_two_images_stays_until_both_may_go():
    first = old_frame()
    second = stored_frame(status="ingested", hdu_index=1, fits_file_path="")
    aged(second, fits_file_path=first.fits_file_path)
    sweep("raw_days")
    assert is_there(first)
    Observation.objects.filter(pk=second.pk).update(status="differenced")
    call_command("tidy")
    assert not is_there(first)


def test_what_was_cut_off_after_its_mark_is_ended_by_the_next_turn():
    frame, judged = old_frame(), old_frame()
    for row in (frame, judged):
        RemovedFile.objects.create(entity_type="observation", entity_id=row.pk, kept_days=DAYS)
    ValidationEventFactory(detection=DetectionFactory(observation=judged))
    assert "marked to be removed" in removed_words(frame)
    sweep("raw_days")
    assert (is_there(frame), is_there(judged)) == (False, True)
    assert RemovedFile.objects.get().removed_at is not None
    assert removed_words(judged) == ""


def test_a_pause_stops_at_once_and_removes_nothing():
    frame = old_frame()
    set_value("retention.raw_days", DAYS, MACHINE)
    set_value("retention.paused", True, MACHINE)
    assert sweeping.take_turn() == 0
    assert is_there(frame)
    set_value("retention.paused", False, MACHINE)
    assert sweeping.take_turn() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_removed_while_a_backup_is_made():
    frame = old_frame()
    set_value("retention.raw_days", DAYS, MACHINE)
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [removals._LOCK])
        assert sweeping.take_turn() == 0
        assert is_there(frame)
        other.execute("SELECT pg_advisory_unlock(%s)", [removals._LOCK])
    assert sweeping.take_turn() == 1


def test_candidates_that_became_nothing_go_with_their_scores_and_the_others_stay():
    gone, linked, found, new, ghost = (CandidateFactory(status="rejected") for _ in range(5))
    scores = [CandidateScoreFactory(candidate=one) for one in (gone, linked)]
    TrackletFactory().members.add(linked)
    DetectionFactory(candidate=found, observation=found.observation)
    Candidate.objects.filter(pk=ghost.pk).update(is_reference_ghost=True)
    for row in (gone, linked, found, ghost):
        aged(row)
    sweep("candidate_days")
    assert set(Candidate.objects.values_list("pk", flat=True)) == {linked.pk, found.pk, new.pk, ghost.pk}
    assert list(CandidateScore.objects.values_list("pk", flat=True)) == [scores[1].pk]
    assert AuditLog.objects.get(action="delete_rows").new_values["count"] == 1
    done = RetentionPass.objects.get(rule="candidates")
    assert (done.removed_count, done.ended_at is not None) == (1, True)


def test_ended_jobs_go_with_their_logs_and_open_ones_stay():
    ended = ProcessingJobFactory(status="completed", completed_at=LONG_AGO)
    of_file = ProcessingJobFactory(status="completed", completed_at=LONG_AGO, entity_type="incoming_file")
    waiting = aged(ProcessingJobFactory())
    JobAttempt.objects.create(job=ended, attempt=1, owner="me", started_at=LONG_AGO)
    sweep("job_days")
    assert set(ProcessingJob.objects.values_list("pk", flat=True)) == {of_file.pk, waiting.pk}
    assert not JobAttempt.objects.exists()


def test_a_calibration_keeps_the_candidates_that_it_looks_at():
    row = CandidateFactory(status="rejected")
    Candidate.objects.filter(pk=row.pk).update(created_at=timezone.now() - dt.timedelta(days=2))
    set_value("detection.calibration_days", 30, MACHINE)
    sweep("candidate_days", 1)
    assert Candidate.objects.exists()


_CITING = """
SELECT source.relname, key.attname FROM pg_constraint fk
JOIN pg_class source ON source.oid = fk.conrelid JOIN pg_class target ON target.oid = fk.confrelid
JOIN pg_attribute key ON key.attrelid = fk.conrelid AND key.attnum = fk.conkey[1]
WHERE fk.contype = 'f' AND target.relname = %s
"""


@pytest.mark.parametrize("rule", [rule for rule in rules() if isinstance(rule, RowRule)], ids=lambda rule: rule.name)
def test_whatever_cites_a_row_that_is_deleted_goes_with_it_or_keeps_it(rule):
    with connection.cursor() as cursor:
        cursor.execute(_CITING, [rule.table])
        citing = set(cursor.fetchall())
    assert citing
    kept = {(table, column) for table, column in citing if table in rule.stays and column in rule.stays}
    assert citing == kept | set(rule.children)
