"""Rows of background work: ordered, claimed, kept alive, ended. Every write names the attempt that it belongs to.

A worker that was thought dead holds an old attempt number: none of its writes match, and it gets `JobLost`.
Times are the database's, so that a wrong clock of one machine reorders nothing.
"""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from catalog.failures import FailureCode, StageFailure
from catalog.models import JobStatus, ProcessingJob
from catalog.storage import NO_SPACE, StorageFull

Abandon = Callable[[str, FailureCode, str], object]

# Enough of a traceback to find the place; a recursion error has thousands of lines.
_TRACEBACK_CHARACTERS = 8000


class JobLost(Exception):
    """The job is no longer this attempt's: somebody else holds it, or it has ended."""


class JobCrashed(Exception):
    """A fault in the program ended the job; it is recorded in the row, and the cause hangs on this exception."""

    def __init__(self, job: ProcessingJob, reason: str) -> None:
        super().__init__(f"{job}: {reason}")
        self.job = job


def this_owner() -> str:
    """Return the name under which this process holds jobs."""
    return f"{socket.gethostname()}:{os.getpid()}"[:128]


def enqueue(
    job_type: str, entity_type: str, entity_id: object, *, priority: int = 0, workflow_id: str = ""
) -> ProcessingJob:
    """Order work, in the transaction that gives reason for it; an order that already waits is returned instead."""
    same = {"job_type": job_type, "entity_type": entity_type, "entity_id": str(entity_id)}
    while True:
        job = ProcessingJob(**same, priority=priority, workflow_id=workflow_id, scheduled_at=Now())
        ProcessingJob.objects.bulk_create([job], ignore_conflicts=True)
        stored = ProcessingJob.objects.filter(pk=job.pk).first()
        stored = stored or ProcessingJob.objects.filter(**same, status=JobStatus.PENDING).first()
        # None: another order stood in the way and was claimed in between. So a new one is needed.
        if stored is not None:
            return stored


@transaction.atomic
def claim(job: ProcessingJob, owner: str) -> ProcessingJob | None:
    """Take one waiting job, or return None when it is not waiting or another process is taking it."""
    waiting = ProcessingJob.objects.filter(pk=job.pk, status=JobStatus.PENDING, scheduled_at__lte=Now())
    return _take(waiting.select_for_update(skip_locked=True).first(), owner)


@transaction.atomic
def claim_next(job_types: list[str], owner: str) -> ProcessingJob | None:
    """Take the most urgent waiting job of these types, or return None when there is none."""
    waiting = ProcessingJob.objects.filter(job_type__in=job_types, status=JobStatus.PENDING, scheduled_at__lte=Now())
    first = waiting.order_by("-priority", "scheduled_at", "id").select_for_update(skip_locked=True).first()
    return _take(first, owner)


def heartbeat(job: ProcessingJob) -> None:
    """Say that the work goes on."""
    _write(job, heartbeat_at=Now())


def finish(job: ProcessingJob) -> None:
    """End a job well; a stage calls it in the transaction that writes its products, or leaves it to the border."""
    _write(job, status=JobStatus.COMPLETED, completed_at=Now(), failure_code="", error_message="", error_details={})


def fail(job: ProcessingJob, code: FailureCode, sentence: str, *, details: Mapping[str, Any] | None = None) -> None:
    """End a job badly, with its reason."""
    _write(
        job,
        status=JobStatus.FAILED,
        completed_at=Now(),
        failure_code=code,
        error_message=sentence.replace("\0", ""),
        error_details=dict(details or {}),
    )


def run_inline(
    job: ProcessingJob, work: Callable[[ProcessingJob], None], *, abandon: Abandon | None = None
) -> ProcessingJob:
    """Claim a job, do its work in this process, and record how it ended: the one border of all work.

    - `work` returns: the job is completed (unless `work` finished it itself, with its products).
    - It raises StageFailure: the frame is at fault. The job is failed with that reason and returned.
    - It raises anything else: the program is at fault. The job is failed as internal_error (disk_full, out_of_memory
      where that is the cause) with the traceback, and JobCrashed is raised from it; a caller may go on with other jobs.
    - It is interrupted (Ctrl-C, exit): the job goes back to waiting and the interruption goes on.
    - The job is not ours, or not any more: JobLost.

    `abandon(entity_id, code, sentence)` closes the stage's own rows in the transaction that fails the job.
    """
    held = claim(job, this_owner())
    if held is None:
        raise JobLost(f"{job} is not waiting")
    try:
        work(held)
        if held.status == JobStatus.RUNNING:
            finish(held)
    except StageFailure as failure:
        _fail_all(held, failure, {}, abandon)
    except JobLost:
        raise
    except (KeyboardInterrupt, SystemExit):
        _hand_back(held)
        raise
    except Exception as error:
        fault = StageFailure(_code_of(error), f"{type(error).__name__}: {error}")
        lines = "".join(traceback.format_exception(error))[-_TRACEBACK_CHARACTERS:].replace("\0", "")
        _fail_all(held, fault, {"traceback": lines}, abandon)
        raise JobCrashed(held, fault.sentence) from error
    return held


def _take(job: ProcessingJob | None, owner: str) -> ProcessingJob | None:
    if job is None:
        return None
    ProcessingJob.objects.filter(pk=job.pk).update(
        status=JobStatus.RUNNING,
        owner=owner,
        attempt=F("attempt") + 1,
        started_at=Now(),
        heartbeat_at=Now(),
        completed_at=None,
    )
    job.refresh_from_db()
    return job


def _write(job: ProcessingJob, **values: Any) -> None:
    """Write to a job that this attempt holds; the instance then shows what the row holds."""
    mine = ProcessingJob.objects.filter(pk=job.pk, status=JobStatus.RUNNING, attempt=job.attempt)
    if not mine.update(**values):
        raise JobLost(f"{job} is no longer held by attempt {job.attempt}")
    job.refresh_from_db()


def _fail_all(job: ProcessingJob, failure: StageFailure, details: Mapping[str, Any], abandon: Abandon | None) -> None:
    with transaction.atomic():
        fail(job, failure.code, failure.sentence, details=details)
        if abandon is not None:
            abandon(job.entity_id, failure.code, failure.sentence)


def _hand_back(job: ProcessingJob) -> None:
    """Let the job wait again, unless the same work has been ordered meanwhile: then that order serves."""
    same = {"job_type": job.job_type, "entity_type": job.entity_type, "entity_id": job.entity_id}
    if ProcessingJob.objects.filter(**same, status=JobStatus.PENDING).exists():
        _write(job, status=JobStatus.CANCELLED, completed_at=Now())
    else:
        _write(job, status=JobStatus.PENDING, owner="", heartbeat_at=None)


def _code_of(error: Exception) -> FailureCode:
    if isinstance(error, MemoryError):
        return FailureCode.OUT_OF_MEMORY
    if isinstance(error, StorageFull) or (isinstance(error, OSError) and error.errno in NO_SPACE):
        return FailureCode.DISK_FULL
    return FailureCode.INTERNAL_ERROR
