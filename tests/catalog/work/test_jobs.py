from __future__ import annotations

import datetime as dt
import errno
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog.failures import FailureCode, StageFailure
from catalog.files.storage import StorageFull, StorageUnreachable
from catalog.models import AuditLog, JobStatus, ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from tests.factories import ProcessingJobFactory

pytestmark = pytest.mark.django_db


def claimed() -> ProcessingJob:
    job = jobs.claim(ProcessingJobFactory(), "me")
    assert job is not None
    return job


def test_an_order_that_already_waits_is_the_same_order() -> None:
    first = jobs.enqueue("example", "observation", "1", priority=2)
    assert jobs.enqueue("example", "observation", "1").pk == first.pk
    assert jobs.enqueue("difference", "observation", "1").pk != first.pk
    first.refresh_from_db()
    assert (first.priority, first.status, first.attempt) == (2, JobStatus.PENDING, 0)


def test_an_order_while_the_work_runs_is_a_new_one() -> None:
    running = claimed()
    again = jobs.enqueue(running.job_type, running.entity_type, running.entity_id)
    assert again.pk != running.pk


@pytest.mark.django_db(transaction=True)
def test_sixteen_orders_at_once_are_one_row_and_sixteen_claims_one_holder() -> None:
    def order_and_claim(number: int) -> tuple[UUID, bool]:
        try:
            job = jobs.enqueue("example", "observation", "1")
            return job.pk, False
        finally:
            connection.close()

    def claim(number: int) -> bool:
        try:
            return jobs.claim(ProcessingJob.objects.get(), f"worker {number}") is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        keys = {key for key, _ in pool.map(order_and_claim, range(16))}
        holders = sum(pool.map(claim, range(16)))
    assert len(keys) == ProcessingJob.objects.count() == 1
    assert holders == 1


def test_a_claim_counts_an_attempt_and_starts_the_heart() -> None:
    job = claimed()
    assert (job.status, job.owner, job.attempt) == (JobStatus.RUNNING, "me", 1)
    assert job.started_at is not None
    assert job.heartbeat_at is not None
    assert jobs.claim(job, "other") is None


def test_the_most_urgent_due_job_of_the_asked_types_goes_first() -> None:
    ProcessingJobFactory(job_type="other", priority=9)
    ProcessingJobFactory(priority=9, scheduled_at=timezone.now() + dt.timedelta(days=1))
    ProcessingJobFactory(priority=0)
    urgent = ProcessingJobFactory(priority=5)
    taken = jobs.claim_next(["example"], "me")
    assert taken is not None
    assert taken.pk == urgent.pk


def test_an_attempt_that_was_overtaken_cannot_write() -> None:
    job = claimed()
    ProcessingJob.objects.filter(pk=job.pk).update(attempt=2, owner="other")
    for write in (jobs.heartbeat, jobs.finish, lambda j: jobs.fail(j, FailureCode.CLOUDED, "Cloud.")):
        with pytest.raises(jobs.JobLost):
            write(job)
    job.refresh_from_db()
    assert (job.status, job.owner) == (JobStatus.RUNNING, "other")


def test_work_that_returns_completes_its_job() -> None:
    seen: list[str] = []
    job = jobs.run_inline(ProcessingJobFactory(entity_id="7"), lambda held: seen.append(held.entity_id))
    assert seen == ["7"]
    assert job.status == JobStatus.COMPLETED
    assert job.completed_at is not None


def test_work_may_finish_its_job_with_its_own_products() -> None:
    def work(held: ProcessingJob) -> None:
        with transaction.atomic():
            jobs.finish(held)

    assert jobs.run_inline(ProcessingJobFactory(), work).status == JobStatus.COMPLETED


def test_a_heartbeat_after_the_last_write_does_not_take_the_end_for_a_loss() -> None:
    def work(held: ProcessingJob) -> None:
        with jobs.writing(last=True):
            pass
        hold = jobs.current()
        assert hold is not None
        hold._beat_once()

    job = jobs.run_inline(ProcessingJobFactory(), work)
    assert job.status == JobStatus.COMPLETED
    assert job.attempts.get().outcome == "completed"


def test_what_goes_wrong_after_the_last_write_does_not_lose_a_completed_job(caplog: pytest.LogCaptureFixture) -> None:
    def work(held: ProcessingJob) -> None:
        with jobs.writing(last=True):
            pass
        raise KeyError("gain")

    job = jobs.run_inline(ProcessingJobFactory(), work)
    assert job.status == JobStatus.COMPLETED
    assert job.attempts.get().outcome == "completed"
    assert "KeyError" in caplog.text


def test_an_interruption_after_the_last_write_leaves_a_job_completed() -> None:
    def work(held: ProcessingJob) -> None:
        with jobs.writing(last=True):
            pass
        raise KeyboardInterrupt

    job = ProcessingJobFactory()
    with pytest.raises(KeyboardInterrupt):
        jobs.run_inline(job, work)
    job.refresh_from_db()
    assert job.status == JobStatus.COMPLETED


def test_an_expected_failure_is_recorded_and_closes_the_stages_rows() -> None:
    def work(held: ProcessingJob) -> None:
        raise StageFailure(FailureCode.CLOUDED, "A tenth of the light arrived.")

    closed: list[tuple[str, str, str]] = []
    job = jobs.run_inline(ProcessingJobFactory(entity_id="7"), work, abandon=lambda *reason: closed.append(reason))
    assert (job.status, job.failure_code) == (JobStatus.FAILED, "clouded")
    assert job.error_message == "A tenth of the light arrived."
    assert closed == [("7", "clouded", "A tenth of the light arrived.")]


@pytest.mark.parametrize(("error", "code"), [(KeyError("gain"), "internal_error"), (MemoryError(), "out_of_memory")])
def test_a_fault_is_recorded_with_its_place_and_raised(error: Exception, code: str) -> None:
    def work(held: ProcessingJob) -> None:
        raise error

    job = ProcessingJobFactory()
    with pytest.raises(jobs.JobCrashed) as caught:
        jobs.run_inline(job, work)
    assert caught.value.__cause__ is error
    job.refresh_from_db()
    assert (job.status, job.failure_code) == (JobStatus.FAILED, code)
    assert "in work" in job.error_details["traceback"]


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/srv/data/a.fits"),
            "disk_full",
            "a.fits could not be written: No space left on device.",
        ),
        (StorageFull("No room."), "disk_full", "No room."),
        (StorageUnreachable("The storage does not take it."), "storage_unreachable", "The storage does not take it."),
        (
            OSError(errno.EIO, "Input/output error"),
            "disk_fault",
            "A file of the data could not be read or written: Input/output error.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", b"/srv/data/a.fits"),
            "disk_fault",
            "a.fits could not be read or written: Permission denied.",
        ),
    ],
)
def test_what_the_machine_refuses_is_told_in_a_sentence_and_is_no_fault_of_the_program(
    error: Exception, code: str, sentence: str
) -> None:
    def work(held: ProcessingJob) -> None:
        raise error

    job = jobs.run_inline(ProcessingJobFactory(), work)
    assert (job.status, job.failure_code, job.error_message) == (JobStatus.FAILED, code, sentence)
    assert job.error_details == {}


def test_an_interruption_hands_the_job_back() -> None:
    def work(held: ProcessingJob) -> None:
        raise KeyboardInterrupt

    job = ProcessingJobFactory()
    with pytest.raises(KeyboardInterrupt):
        jobs.run_inline(job, work)
    job.refresh_from_db()
    assert (job.status, job.owner, job.attempt) == (JobStatus.PENDING, "", 1)


def test_an_interruption_gives_way_to_an_order_made_meanwhile() -> None:
    def work(held: ProcessingJob) -> None:
        jobs.enqueue(held.job_type, held.entity_type, held.entity_id)
        raise SystemExit

    job = ProcessingJobFactory()
    with pytest.raises(SystemExit):
        jobs.run_inline(job, work)
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_a_job_that_does_not_wait_is_not_run() -> None:
    job = claimed()
    with pytest.raises(jobs.JobLost, match="not waiting"):
        jobs.run_inline(job, lambda held: pytest.fail("must not run"))


@pytest.mark.django_db(transaction=True)
def test_what_the_closing_of_a_failure_wrote_does_not_stay_without_it() -> None:
    def work(held: ProcessingJob) -> None:
        ProcessingJob.objects.filter(pk=held.pk).update(attempt=9)
        raise StageFailure(FailureCode.CLOUDED, "Cloud.")

    with pytest.raises(jobs.JobLost):
        jobs.run_inline(
            ProcessingJobFactory(), work, abandon=lambda key, code, sentence: audit.record(("x", key), "abandon")
        )
    assert not AuditLog.objects.exists()
