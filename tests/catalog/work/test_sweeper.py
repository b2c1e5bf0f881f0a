"""Workers are woken for what is ready, and lost work is taken back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from catalog.failures import FailureCode
from catalog.models import AttemptOutcome, AuditLog, JobStatus, Probe, ProcessingJob
from catalog.people import audit
from catalog.work import jobs, sweeper
from tests.clocks import database_time
from tests.factories import ProcessingJobFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("example")]


def silent(job: ProcessingJob, seconds: float) -> ProcessingJob:
    """Claim a job for a worker whose last sign of life was so long ago."""
    held = jobs.claim(job, "gone")
    assert held is not None
    ProcessingJob.objects.filter(pk=held.pk).update(heartbeat_at=timezone.now() - dt.timedelta(seconds=seconds))
    return held


def woken() -> list[str]:
    queues: list[str] = []
    sweeper.relay(queues.append)
    return queues


def test_one_wake_up_is_sent_for_each_ready_job_and_not_again_at_once():
    ProcessingJobFactory()
    ProcessingJobFactory()
    ProcessingJobFactory(job_type="later")
    ProcessingJobFactory(scheduled_at=timezone.now() + dt.timedelta(minutes=1))
    assert sorted(woken()) == ["light", "pipeline", "pipeline"]
    assert woken() == []


def test_wake_ups_that_no_worker_has_followed_yet_never_pile_up(settings):
    waiting = [ProcessingJobFactory() for _ in range(40)]
    first = woken()
    assert 0 < len(first) < 40
    assert woken() == [], "a publisher that is called now stands behind these and no more"
    for job in waiting[:5]:
        jobs.claim(job, "me")
    assert len(woken()) == 5, "a worker that has followed one leaves room for another"
    ProcessingJob.objects.update(sent_at=timezone.now() - dt.timedelta(seconds=settings.JOB_RESEND_SECONDS + 1))
    assert len(woken()) == len(first)


def test_a_wake_up_that_no_worker_followed_is_sent_again(settings):
    job = ProcessingJobFactory()
    woken()
    ProcessingJob.objects.update(sent_at=timezone.now() - dt.timedelta(seconds=settings.JOB_RESEND_SECONDS + 1))
    assert woken() == ["pipeline"]
    jobs.claim(job, "me")
    ProcessingJob.objects.update(sent_at=timezone.now() - dt.timedelta(hours=1))
    assert woken() == [], "a running job needs nobody"


def test_a_job_waits_for_the_earlier_ones_of_its_workflow_and_for_no_others():
    first = ProcessingJobFactory(workflow_id="a")
    ProcessingJobFactory(job_type="later", workflow_id="a")
    free = ProcessingJobFactory(job_type="later", workflow_id="b")
    alone = ProcessingJobFactory(job_type="later")
    ProcessingJobFactory()
    assert {jobs.claim_next(["later"], "me").pk, jobs.claim_next(["later"], "me").pk} == {free.pk, alone.pk}
    assert jobs.claim_next(["later"], "me") is None
    held = jobs.claim(first, "me")
    assert jobs.claim_next(["later"], "me") is None, "what runs is not over"
    jobs.fail(held, FailureCode.CLOUDED, "Cloud.")
    assert jobs.claim_next(["later"], "me").workflow_id == "a"


def test_a_silent_job_is_taken_back_and_keeps_count(settings, example):
    job = ProcessingJobFactory(entity_id="7")
    for number in (1, 2):
        silent(job, settings.JOB_LAPSE_SECONDS + 1)
        assert sweeper.sweep() == 1
        job.refresh_from_db()
        assert (job.status, job.retry_count, job.owner) == (JobStatus.PENDING, number, "")
        assert job.scheduled_at > timezone.now()
        ProcessingJob.objects.update(scheduled_at=timezone.now())
    silent(job, settings.JOB_LAPSE_SECONDS + 1)
    sweeper.sweep()
    job.refresh_from_db()
    assert (job.status, job.failure_code, job.attempt) == (JobStatus.FAILED, FailureCode.WORKER_LOST, 3)
    assert "3 times" in job.error_message
    assert [row[:2] for row in example.closed] == [("7", "worker_lost")]
    assert set(job.attempts.values_list("outcome", flat=True)) == {AttemptOutcome.LOST}


def test_a_living_job_is_left_alone(settings):
    job = ProcessingJobFactory()
    silent(job, settings.JOB_LAPSE_SECONDS / 2)
    assert sweeper.sweep() == 0
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING


def test_who_was_taken_for_dead_cannot_write_over_the_successor(settings):
    dead = silent(ProcessingJobFactory(), settings.JOB_LAPSE_SECONDS + 1)
    sweeper.sweep()
    ProcessingJob.objects.update(scheduled_at=timezone.now())
    successor = jobs.claim_next(["example"], "new")
    assert successor is not None and successor.attempt == 2
    with pytest.raises(jobs.JobLost):
        jobs.finish(dead)
    jobs.finish(successor)


def test_a_child_that_was_seen_to_die_is_not_waited_for():
    held = jobs.claim(ProcessingJobFactory(), "child")
    ProcessingJob.objects.update(task_id="t1")
    sweeper.lose("t1")
    held.refresh_from_db()
    assert (held.status, held.retry_count) == (JobStatus.PENDING, 1)


def test_a_command_that_died_is_not_tried_by_workers(settings):
    job = ProcessingJobFactory(job_type="deliver", entity_type="workflow")
    silent(job, settings.JOB_LAPSE_SECONDS + 1)
    sweeper.sweep()
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert "run it again" in job.error_message


def test_a_cancelled_job_stops_its_successors_from_waiting_and_its_rows_are_closed(example):
    actor = audit.Actor(UserFactory())
    running = jobs.claim(ProcessingJobFactory(entity_id="7", workflow_id="a"), "me")
    ProcessingJobFactory(job_type="later", workflow_id="a")
    jobs.cancel(running, actor)
    assert jobs.claim_next(["later"], "me") is not None
    assert example.closed == [], "the process that cancels knows no stage"
    assert sweeper.sweep() == 1
    assert [row[:2] for row in example.closed] == [("7", "cancelled")]
    assert sweeper.sweep() == 0
    assert AuditLog.objects.get(action="cancel_job").user == actor.user.username
    with pytest.raises(jobs.JobLost):
        jobs.finish(running)


def test_a_failed_job_that_is_tried_again_has_all_its_tries(settings, example):
    job = ProcessingJobFactory(status="failed", failure_code="worker_lost", error_message="gone", retry_count=2)
    again = jobs.retry(job, audit.Actor(UserFactory()))
    assert (again.status, again.retry_count, again.failure_code) == (JobStatus.PENDING, 0, "")
    entry = AuditLog.objects.get(action="retry_job")
    assert (entry.old_values, entry.new_values) == ({"status": "failed"}, {"status": "pending"})
    with pytest.raises(jobs.NotPossible, match="only a failed"):
        jobs.retry(again, audit.MACHINE)


def test_what_waits_already_by_a_later_order_is_not_ordered_twice():
    job = ProcessingJobFactory(status="failed", failure_code="worker_lost", error_message="gone")
    jobs.enqueue(job.job_type, job.entity_type, job.entity_id)
    with pytest.raises(jobs.NotPossible, match="already queued"):
        jobs.retry(job, audit.MACHINE)


def test_a_job_that_has_ended_cannot_be_cancelled():
    with pytest.raises(jobs.NotPossible, match="already completed"):
        jobs.cancel(ProcessingJobFactory(status="completed"), audit.MACHINE)


def test_an_answer_of_a_queue_is_one_row():
    sweeper.answer("light")
    before = database_time()
    sweeper.answer("light")
    (row,) = Probe.objects.all()
    assert before <= row.answered_at <= database_time()
