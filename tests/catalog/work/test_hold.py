"""The pulse of a job against its work: what it may stop, and when. Each meeting of the two is brought about."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from catalog.failures import FailureCode, StageFailure
from catalog.models import AttemptOutcome, JobStatus, ProcessingJob
from catalog.people import audit
from catalog.work import hold, jobs
from tests.factories import ProcessingJobFactory

pytestmark = pytest.mark.django_db(transaction=True)
# Only a hang reaches it.
LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def quiet(settings) -> None:
    """Let no pulse look at its row but when the test says."""
    settings.JOB_HEARTBEAT_SECONDS = 3600.0


def elsewhere(act: Callable[[], Any]) -> Any:
    """Do something in a thread, and so over a connection, of its own."""

    def closing() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(closing).result()


def beat() -> None:
    """Let the pulse of this thread's job look at its row and act on that."""
    held = jobs.current()
    assert held is not None

    def pulse() -> None:
        held._beat_once()
        held._press()

    elsewhere(pulse)


def cancel() -> None:
    elsewhere(lambda: jobs.cancel(ProcessingJob.objects.get(job_type="example"), audit.MACHINE))


def compute() -> None:
    """Work that only an interruption ends."""
    threading.Event().wait(LIMIT_S)
    pytest.fail("nothing has stopped the work")


@pytest.fixture
def at_commit(monkeypatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen when the next commit is done in the server and its answer is not here yet."""

    def arrange(act: Callable[[], object]) -> None:
        working = connections["default"]
        commit = working._commit

        def committing() -> None:
            monkeypatch.setattr(working, "_commit", commit)
            commit()
            act()

        monkeypatch.setattr(working, "_commit", committing)

    return arrange


def write_last(held: ProcessingJob) -> None:
    with jobs.writing(last=True):
        pass


def finish_alone(held: ProcessingJob) -> None:
    with transaction.atomic():
        jobs.finish(held)


@pytest.mark.parametrize("work", [write_last, finish_alone])
def test_a_pulse_amid_the_commit_that_completes_a_job_does_not_lose_it(at_commit, work):
    def working(held: ProcessingJob) -> None:
        at_commit(beat)
        work(held)

    job = jobs.run_inline(ProcessingJobFactory(), working)
    assert (job.status, job.attempts.get().outcome) == (JobStatus.COMPLETED, AttemptOutcome.COMPLETED)
    assert connection.is_usable()


def test_a_pulse_amid_the_commit_of_the_border_itself_does_not_lose_the_job(at_commit):
    job = jobs.run_inline(ProcessingJobFactory(), lambda held: at_commit(beat))
    assert (job.status, job.attempts.get().outcome) == (JobStatus.COMPLETED, AttemptOutcome.COMPLETED)


def test_a_pulse_amid_the_commit_of_a_failure_leaves_the_reason(at_commit):
    def work(held: ProcessingJob) -> None:
        at_commit(beat)
        raise StageFailure(FailureCode.CLOUDED, "A tenth of the light arrived.")

    job = jobs.run_inline(ProcessingJobFactory(), work)
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.CLOUDED)
    assert job.attempts.get().outcome == AttemptOutcome.FAILED


def test_a_database_that_goes_away_with_the_answer_to_the_last_commit_does_not_lose_the_job(at_commit):
    def cut() -> None:
        pid = connection.connection.info.backend_pid
        elsewhere(lambda: connection.cursor().execute("SELECT pg_terminate_backend(%s)", [pid]))
        raise OperationalError("server closed the connection unexpectedly")

    def work(held: ProcessingJob) -> None:
        at_commit(cut)
        write_last(held)

    held = jobs.claim(ProcessingJobFactory(), "me")
    job = jobs.run_held(held, work)
    assert (job.status, job.attempts.get().outcome) == (JobStatus.COMPLETED, AttemptOutcome.COMPLETED)


def test_a_cancel_amid_a_commit_is_heard_after_it(at_commit):
    heard_after = []

    def cancelled() -> None:
        cancel()
        beat()

    def work(held: ProcessingJob) -> None:
        at_commit(cancelled)
        with jobs.writing():
            ProcessingJobFactory(job_type="written")
        heard_after.append(connection.is_usable())
        compute()

    job = ProcessingJobFactory()
    with pytest.raises(jobs.JobLost):
        jobs.run_inline(job, work)
    assert heard_after == [True]
    assert ProcessingJob.objects.filter(job_type="written").exists()
    job.refresh_from_db()
    assert (job.status, job.attempts.get().outcome) == (JobStatus.CANCELLED, AttemptOutcome.CANCELLED)


def test_work_in_the_main_thread_is_stopped_where_it_waits(settings):
    settings.JOB_HEARTBEAT_SECONDS = 0.01

    def work(held: ProcessingJob) -> None:
        cancel()
        compute()

    with pytest.raises(jobs.JobLost):
        jobs.run_inline(ProcessingJobFactory(), work)


def test_work_that_waits_for_a_lock_is_stopped_and_its_connection_is_whole(monkeypatch):
    monkeypatch.setattr(hold, "_COMMAND_SECONDS", 0.0)
    locked, over = threading.Event(), threading.Event()

    def hold_the_lock() -> None:
        try:
            with transaction.atomic():
                ProcessingJob.objects.select_for_update().get(job_type="locked")
                locked.set()
                over.wait(LIMIT_S)
        finally:
            connection.close()

    def cancel_when_it_waits(held: hold.Hold) -> None:
        try:
            with connection.cursor() as cursor:
                while not over.is_set():
                    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                    if cursor.fetchone()[0]:
                        break
            jobs.cancel(ProcessingJob.objects.get(pk=held.job.pk), audit.MACHINE)
            held._beat_once()
        finally:
            connection.close()

    def work(held: ProcessingJob) -> None:
        pool.submit(cancel_when_it_waits, jobs.current())
        with transaction.atomic():
            ProcessingJob.objects.select_for_update().get(job_type="locked")
        pytest.fail("the lock was given away")

    ProcessingJobFactory(job_type="locked")
    with ThreadPoolExecutor(2) as pool:
        try:
            holder = pool.submit(hold_the_lock)
            assert locked.wait(LIMIT_S)
            with pytest.raises(jobs.JobLost):
                jobs.run_inline(ProcessingJobFactory(), work)
            assert not connection.in_atomic_block
            assert connection.is_usable()
            assert not holder.done(), "it was not the lock that ended the wait"
        finally:
            over.set()


def test_work_in_another_thread_is_stopped_where_it_asks():
    def work(held: ProcessingJob) -> None:
        cancel()
        beat()
        jobs.check()
        pytest.fail("it was not told")

    def do() -> None:
        with pytest.raises(jobs.JobLost):
            jobs.run_inline(ProcessingJob.objects.get(), work)

    ProcessingJobFactory()
    elsewhere(do)


def test_nothing_stops_a_job_whose_work_is_done():
    def work(held: ProcessingJob) -> None:
        write_last(held)
        ProcessingJob.objects.filter(pk=held.pk).update(attempt=9)
        beat()
        jobs.check()

    jobs.run_inline(ProcessingJobFactory(), work)
