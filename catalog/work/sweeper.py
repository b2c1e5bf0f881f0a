"""What keeps work going when processes, brokers and machines do not: workers are woken, lost work is taken back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from catalog.failures import FailureCode, StageFailure
from catalog.models import AttemptOutcome, JobStatus, Probe, ProcessingJob
from catalog.work import jobs
from catalog.work.rows import after, backoff_seconds, before, close_attempt, put_back
from catalog.work.stages import stages, types_of

logger = logging.getLogger(__name__)

# A worker that is woken goes on until nothing is left: more wake-ups than this, sent and not followed yet, would only
# pile up before what else the queue has to do.
_MOST_WAKEUPS = 16


def relay(wake: Callable[[str], None]) -> int:
    """Wake workers for the jobs that may be claimed and that no worker was woken for lately; return how many wake-ups.

    A wake-up that gets lost with its broker is sent again after `JOB_RESEND_SECONDS`.
    """
    sent = 0
    for queue in settings.QUEUES:
        ready, lately = jobs.ready(types_of(queue)), before(settings.JOB_RESEND_SECONDS)
        on_their_way = ready.filter(sent_at__gte=lately)[:_MOST_WAKEUPS].count()
        unsent = ready.filter(Q(sent_at__isnull=True) | Q(sent_at__lt=lately))
        keys = list(unsent.values_list("pk", flat=True)[: _MOST_WAKEUPS - on_their_way])
        # Put down first: a crash before the sending costs one interval, never a wake-up.
        count = ProcessingJob.objects.filter(pk__in=keys).update(sent_at=Now())
        for _ in range(count):
            wake(queue)
        sent += count
    return sent


def sweep() -> int:
    """Take back the jobs whose process has not given a sign of life, and close what cancelled work left open.

    Returns how many jobs were changed.
    """
    lapsed = ProcessingJob.objects.filter(
        status=JobStatus.RUNNING, heartbeat_at__lt=before(settings.JOB_LAPSE_SECONDS)
    ).values_list("pk", flat=True)
    cancelled = ProcessingJob.objects.filter(needs_abandon=True, status=JobStatus.CANCELLED).values_list(
        "pk", flat=True
    )
    return sum(_take_back(pk) for pk in lapsed) + sum(_close(pk) for pk in cancelled)


def lose(task_id: str) -> None:
    """Take back at once the job of a worker process that was seen to die."""
    for pk in ProcessingJob.objects.filter(task_id=task_id, status=JobStatus.RUNNING).values_list("pk", flat=True):
        _take_back(pk, is_seen=True)


def answer(queue: str) -> None:
    """Put down that the workers of a queue answer."""
    Probe.objects.update_or_create(queue=queue, defaults={"answered_at": Now()})


def abandon(job: ProcessingJob, code: FailureCode, sentence: str) -> None:
    """Close the open rows of a job's stage, in the caller's transaction."""
    stage = stages().get(job.job_type)
    close = stage.abandoner() if stage else None
    if close is not None:
        close(job.entity_id, code, sentence)


@transaction.atomic
def _take_back(pk: UUID, *, is_seen: bool = False) -> bool:
    rows = ProcessingJob.objects.select_for_update(skip_locked=True).filter(pk=pk, status=JobStatus.RUNNING)
    job = (rows if is_seen else rows.filter(heartbeat_at__lt=before(settings.JOB_LAPSE_SECONDS))).first()
    if job is None:
        return False
    loss = StageFailure(FailureCode.WORKER_LOST, f"The process {job.owner} disappeared in the middle of the work.")
    close_attempt(job, AttemptOutcome.LOST, None, loss)
    is_of_workers = job.job_type in stages()
    if is_of_workers and job.retry_count < job.max_retries:
        reason = {"failure_code": loss.code, "error_message": loss.sentence}
        put_back(job, after(backoff_seconds(job.retry_count)), retry_count=job.retry_count + 1, **reason)
        logger.warning("%s: %s It is tried again.", job, loss.sentence)
        return True
    sentence = (
        f"The process doing this disappeared {job.attempt} times in a row: what it works on may be the cause. "
        "Read the logs of the attempts, then retry or archive it."
        if is_of_workers
        else "The command that did this ended before it was done: run it again."
    )
    jobs.fail(job, loss.code, sentence)
    abandon(job, loss.code, sentence)
    logger.error("%s: %s", job, sentence)
    return True


@transaction.atomic
def _close(pk: UUID) -> bool:
    rows = ProcessingJob.objects.select_for_update(skip_locked=True).filter(pk=pk, needs_abandon=True)
    job = rows.filter(status=JobStatus.CANCELLED).first()
    if job is None:
        return False
    abandon(job, FailureCode.CANCELLED, "This work was cancelled: reprocess the frame to resume it.")
    ProcessingJob.objects.filter(pk=pk).update(needs_abandon=False)
    return True
