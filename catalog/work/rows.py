"""Writes to the rows of jobs and their attempts; each names the attempt that it belongs to."""

from __future__ import annotations

import datetime as dt
import random

from django.conf import settings
from django.db import transaction
from django.db.models import Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from catalog.failures import StageFailure
from catalog.models import AttemptOutcome, JobAttempt, JobStatus, ProcessingJob
from catalog.work.hold import JobLost


def write(job: ProcessingJob, **values: object) -> None:
    """Write to a job that this attempt holds; the instance then shows what the row holds."""
    mine = ProcessingJob.objects.filter(pk=job.pk, status=JobStatus.RUNNING, attempt=job.attempt)
    if not mine.update(**values):
        raise JobLost(f"{job} is no longer held by attempt {job.attempt}")
    job.refresh_from_db()


def after(seconds: float) -> CombinedExpression:
    """Return the database's time in so many seconds."""
    return Now() + Value(dt.timedelta(seconds=seconds))


def before(seconds: float) -> CombinedExpression:
    """Return the database's time so many seconds ago."""
    return Now() - Value(dt.timedelta(seconds=seconds))


def backoff_seconds(retries: int) -> float:
    """Return how long a job waits that has been tried again so often: four times longer each time, with jitter."""
    first, longest = settings.JOB_BACKOFF_SECONDS
    return min(first * 4.0**retries, longest) * random.uniform(0.5, 1.5)  # noqa: S311


def put_back(job: ProcessingJob, due: object, **values: object) -> None:
    """Let a job wait again, unless the same work has been ordered meanwhile: then that order serves."""
    same = {"job_type": job.job_type, "entity_type": job.entity_type, "entity_id": job.entity_id}
    if ProcessingJob.objects.filter(**same, status=JobStatus.PENDING).exists():
        write(job, status=JobStatus.CANCELLED, completed_at=Now())
        return
    write(job, status=JobStatus.PENDING, owner="", heartbeat_at=None, sent_at=None, scheduled_at=due, **values)


@transaction.atomic
def hand_back(job: ProcessingJob, log: str) -> None:
    """Give up an attempt that was interrupted from outside: it counts as no try."""
    put_back(job, Now())
    close_attempt(job, AttemptOutcome.HANDED_BACK, log)


def open_attempt(job: ProcessingJob) -> None:
    """Begin the record of one try, in the transaction that claims the job."""
    JobAttempt.objects.create(job=job, attempt=job.attempt, owner=job.owner, started_at=job.started_at or Now())


def close_attempt(
    job: ProcessingJob, outcome: AttemptOutcome | None, log: str | None, failure: StageFailure | None = None
) -> None:
    """End the record of one try; an outcome or a log of None leaves what is there."""
    values: dict[str, object] = {"ended_at": Now()}
    if outcome is not None:
        values["outcome"] = outcome
    if log is not None:
        values["log"] = log
    if failure is not None:
        values |= {"failure_code": failure.code, "error_message": failure.sentence.replace("\0", "")}
    JobAttempt.objects.filter(job=job, attempt=job.attempt).update(**values)
