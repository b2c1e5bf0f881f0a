"""What becomes of work that goes wrong: tried again, waited for, given up; and the record of each try."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import logging

import pytest
from django.utils import timezone

from catalog.failures import FailureCode, StageFailure
from catalog.files.storage import StorageFull, StorageUnreachable
from catalog.models import AttemptOutcome, JobStatus, ProcessingJob
from catalog.work import jobs
from catalog.work.rows import backoff_seconds
from tests.factories import ProcessingJobFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("example")]


def attempt(example, error: BaseException | None) -> ProcessingJob:
    """Do the one job once, as a worker does, with work that ends like this."""

    def work(entity_id: str) -> None:
        logging.getLogger("stage").info("at work on %s", entity_id)
        if error is not None:
            raise error

    example.work = work
    job = ProcessingJob.objects.get()
    ProcessingJob.objects.update(scheduled_at=timezone.now() - dt.timedelta(seconds=1))
    held = jobs.claim_next(["example"], "me")
    assert held is not None
    with contextlib.suppress(jobs.JobCrashed):
        # A worker goes on with other jobs.
        jobs.do(held)
    job.refresh_from_db()
    return job


def test_a_fault_of_the_program_is_tried_again_twice_and_then_fails_with_its_traceback(example):
    ProcessingJobFactory(entity_id="7")
    for number in (1, 2):
        job = attempt(example, KeyError("gain"))
        assert (job.status, job.retry_count, job.attempt) == (JobStatus.PENDING, number, number)
        assert job.failure_code == FailureCode.INTERNAL_ERROR, "a waiting job says why it waits"
        assert job.scheduled_at > timezone.now()
        assert example.closed == []
    job = attempt(example, KeyError("gain"))
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.INTERNAL_ERROR)
    assert "KeyError" in job.error_details["traceback"]
    assert [row[:2] for row in example.closed] == [("7", "internal_error")]
    outcomes = list(job.attempts.values_list("attempt", "outcome"))
    assert outcomes == [(1, "retried"), (2, "retried"), (3, "failed")]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StageFailure(FailureCode.NETWORK_FAULT, "The server went away."), FailureCode.NETWORK_FAULT),
        (OSError(errno.EIO, "Input/output error"), FailureCode.DISK_FAULT),
    ],
)
def test_what_may_pass_is_tried_again_twice_and_then_fails_with_a_code_of_its_own_and_no_traceback(
    example, error, code
):
    ProcessingJobFactory(entity_id="7")
    for number in (1, 2):
        job = attempt(example, error)
        assert (job.status, job.retry_count, job.failure_code) == (JobStatus.PENDING, number, code)
        assert job.scheduled_at > timezone.now()
    job = attempt(example, error)
    assert (job.status, job.failure_code, job.error_details) == (JobStatus.FAILED, code, {})
    assert [row[:2] for row in example.closed] == [("7", code)]
    assert list(job.attempts.values_list("outcome", flat=True)) == ["retried", "retried", "failed"]
    assert "Traceback" not in "".join(row.log for row in job.attempts.all())


def test_a_frame_at_fault_is_not_tried_again(example):
    ProcessingJobFactory()
    job = attempt(example, StageFailure(FailureCode.CLOUDED, "A tenth of the light arrived."))
    assert (job.status, job.failure_code, job.retry_count) == (JobStatus.FAILED, FailureCode.CLOUDED, 0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageFull("No room for a.fits."), FailureCode.DISK_FULL),
        (StorageUnreachable("The shared storage does not take it."), FailureCode.STORAGE_UNREACHABLE),
        (StageFailure(FailureCode.MODEL_MISSING, "The weights are gone."), FailureCode.MODEL_MISSING),
    ],
)
def test_what_space_an_answer_or_a_file_would_cure_waits_without_end_says_so_and_goes_on_by_itself(
    example, error, code
):
    ProcessingJobFactory(entity_id="7")
    for _ in range(5):
        job = attempt(example, error)
        assert (job.status, job.failure_code, job.retry_count) == (JobStatus.PENDING, code, 0)
        assert job.scheduled_at > timezone.now()
    assert {row[1] for row in example.closed} == {code}, "the rows of the stage say it too"
    job = attempt(example, None)
    assert (job.status, job.failure_code) == (JobStatus.COMPLETED, "")
    assert list(job.attempts.values_list("outcome", flat=True)) == ["waiting"] * 5 + ["completed"]


def test_each_try_keeps_its_own_log(example):
    ProcessingJobFactory(entity_id="7")
    attempt(example, KeyError("gain"))
    job = attempt(example, None)
    first, second = job.attempts.all()
    assert "at work on 7" in first.log
    assert "attempt 2" in second.log and "attempt 1" not in second.log
    assert first.error_message == "KeyError: 'gain'"
    assert second.outcome == AttemptOutcome.COMPLETED
    assert first.ended_at is not None and first.ended_at >= first.started_at


def test_a_header_cannot_forge_a_line_of_the_log(example):
    ProcessingJobFactory(entity_id="a\n2026-01-01 00:00:00 INFO forged")
    (row,) = attempt(example, None).attempts.all()
    assert not [line for line in row.log.splitlines() if line.startswith("2026-01-01")]


def test_the_wait_grows_and_has_an_end(settings):
    settings.JOB_BACKOFF_SECONDS = (2.0, 300.0)
    waits = [[backoff_seconds(retries) for _ in range(50)] for retries in (0, 1, 2, 20)]
    assert all(1.0 <= wait <= 3.0 for wait in waits[0])
    assert max(waits[0]) < min(waits[1]) * 2 < min(waits[2]) * 2
    assert max(waits[3]) <= 450.0
    assert len(set(waits[0])) > 40, "with jitter, lost jobs do not come back all at once"


def test_a_command_in_the_foreground_tries_once(example):
    job = ProcessingJobFactory()
    example.work = lambda entity_id: 1 / 0
    held = jobs.claim(job, "me")
    with pytest.raises(jobs.JobCrashed):
        jobs.do(held, is_tried_again=False)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED


def test_a_stage_that_was_cancelled_writes_nothing_more(example):
    job = ProcessingJobFactory()

    def work(entity_id: str) -> None:
        ProcessingJob.objects.filter(pk=job.pk).update(status=JobStatus.CANCELLED)
        with jobs.writing():
            ProcessingJobFactory(job_type="written")

    example.work = work
    held = jobs.claim(job, "me")
    with pytest.raises(jobs.JobLost):
        jobs.do(held)
    assert not ProcessingJob.objects.filter(job_type="written").exists()
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_the_last_writes_of_a_stage_and_the_end_of_its_job_are_one(example):
    job = ProcessingJobFactory()
    seen = []

    def work(entity_id: str) -> None:
        with jobs.writing(last=True):
            pass
        seen.append(ProcessingJob.objects.get(pk=job.pk).status)

    example.work = work
    jobs.do(jobs.claim(job, "me"))
    assert seen == [JobStatus.COMPLETED]


def test_outside_a_job_writing_is_a_plain_transaction():
    with jobs.writing(last=True):
        ProcessingJobFactory(job_type="written")
    assert ProcessingJob.objects.filter(job_type="written").exists()


def test_the_ticket_of_a_command_that_breaks_off_is_failed_with_what_to_do():
    def deliver() -> None:
        with jobs.ticket("deliver", "w1"):
            assert ProcessingJob.objects.get().status == JobStatus.RUNNING
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver()
    row = ProcessingJob.objects.get()
    assert (row.status, row.failure_code) == (JobStatus.FAILED, FailureCode.WORKER_LOST)
    assert "run it again" in row.error_message
