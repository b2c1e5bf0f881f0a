"""Rows of background work: ordered, claimed, kept alive, ended. Every write names the attempt that it belongs to.

A worker that was thought dead holds an old attempt number: none of its writes match, and it gets `JobLost`.
Times are the database's, so that a wrong clock of one machine reorders nothing.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from catalog.failures import PASSING, WAITS_OUT, FailureCode, NotPossible, StageFailure
from catalog.files.storage import NO_SPACE, StorageFull, StorageUnreachable
from catalog.models import AttemptOutcome, JobStatus, ProcessingJob
from catalog.work import memory
from catalog.work.hold import HandBack, Hold, JobLost, check, current, holding, wait_for_database
from catalog.work.orders import cancel, prioritize, retry
from catalog.work.pause import Pauses, pauses
from catalog.work.rows import after, backoff_seconds, close_attempt, hand_back, open_attempt, put_back, write
from catalog.work.stages import Abandon, ingest_types, stages, waits_for

__all__ = [
    "WAITS_OUT", "HandBack", "JobCrashed", "JobLost", "NotPossible", "cancel", "check", "claim", "claim_next",
    "current", "do", "enqueue", "fail", "finish", "heartbeat", "prioritize", "ready", "retry", "run_held", "run_inline",
    "this_owner", "ticket", "writing",
]  # fmt: skip

logger = logging.getLogger(__name__)

_ONE = "SELECT * FROM catalog_processingjob WHERE id = %s"
UNFINISHED = (JobStatus.PENDING, JobStatus.RUNNING)
# What a disk or the folder on it says that is broken, read-only, another's or gone.
_DISK_FAULTS = frozenset({
    errno.EACCES, errno.EIO, errno.ENODEV, errno.ENXIO, errno.EPERM, errno.EROFS, errno.ESTALE,
})  # fmt: skip
# Enough of a traceback to find the place; a recursion error has thousands of lines.
_TRACEBACK_CHARACTERS = 8000


class JobCrashed(Exception):
    """A fault in the program ended the attempt; it is recorded in the row, and the cause hangs on this exception."""

    def __init__(self, job: ProcessingJob, reason: str) -> None:
        super().__init__(f"{job}: {reason}")
        self.job = job


def this_owner() -> str:
    """Return the name under which this process holds jobs."""
    return f"{socket.gethostname()}:{os.getpid()}"[:128]


def enqueue(
    job_type: str,
    entity_type: str,
    entity_id: object,
    *,
    priority: int = 0,
    workflow_id: str = "",
    max_retries: int | None = None,
) -> ProcessingJob:
    """Order work, in the transaction that gives reason for it; an order that already waits is returned instead.

    Such an order joins the workflow that asks for it now, whose later stages then wait for it. max_retries : further
    tries after the first, where whoever orders keeps count of them (0).
    """
    same = {"job_type": job_type, "entity_type": entity_type, "entity_id": str(entity_id)}
    tries = {} if max_retries is None else {"max_retries": max_retries}
    while True:
        job = ProcessingJob(**same, **tries, priority=priority, workflow_id=workflow_id, scheduled_at=Now())
        ProcessingJob.objects.bulk_create([job], ignore_conflicts=True)
        stored = next(iter(ProcessingJob.objects.raw(_ONE, [job.pk])), None)
        if stored is not None:
            return stored
        stored = _join(same, workflow_id)
        # None: another order stood in the way and was claimed in between. So a new one is needed.
        if stored is not None:
            return stored


@transaction.atomic
def _join(same: dict[str, str], workflow_id: str) -> ProcessingJob | None:
    """Return the order that waits, held until the caller's transaction ends: a worker that took it before would not
    see what the caller writes."""
    stored = ProcessingJob.objects.select_for_update().filter(**same, status=JobStatus.PENDING).first()
    if stored is not None and workflow_id and stored.workflow_id != workflow_id:
        ProcessingJob.objects.filter(pk=stored.pk).update(workflow_id=workflow_id)
        stored.refresh_from_db()
    return stored


def ready(job_types: Sequence[str], resting: Pauses | None = None) -> QuerySet[ProcessingJob]:
    """Return the jobs of these types that may be claimed now, the most urgent first.

    A job waits until those that its type waits for (its row in the table of stages) are over in its workflow, and one
    that takes files in while ingest is paused; `resting` tells who has looked already.
    """
    of_ingest = ingest_types()
    if not of_ingest.isdisjoint(job_types) and (resting or pauses()).ingest:
        job_types = [job_type for job_type in job_types if job_type not in of_ingest]
    held_back: Combinable | Q = Q()
    for job_type in job_types:
        if earlier := waits_for(job_type):
            unfinished = ProcessingJob.objects.filter(
                workflow_id=OuterRef("workflow_id"), job_type__in=earlier, status__in=UNFINISHED
            )
            held_back |= Q(job_type=job_type) & ~Q(workflow_id="") & Exists(unfinished)
    due = ProcessingJob.objects.filter(job_type__in=job_types, status=JobStatus.PENDING, scheduled_at__lte=Now())
    return (due.exclude(held_back) if held_back else due).order_by("-priority", "scheduled_at", "id")


@transaction.atomic
def claim(job: ProcessingJob, owner: str) -> ProcessingJob | None:
    """Take one waiting job, or return None when it is not waiting or another process is taking it."""
    waiting = ProcessingJob.objects.filter(pk=job.pk, status=JobStatus.PENDING, scheduled_at__lte=Now())
    return _take(waiting.select_for_update(skip_locked=True).first(), owner)


@transaction.atomic
def claim_next(
    job_types: Sequence[str], owner: str, *, workflow_id: str | None = None, task_id: str = ""
) -> ProcessingJob | None:
    """Take the most urgent job of these types that is ready, of one workflow if named; None when there is none."""
    rows = ready(job_types)
    rows = rows if workflow_id is None else rows.filter(workflow_id=workflow_id)
    return _take(rows.select_for_update(skip_locked=True, of=("self",)).first(), owner, task_id)


def heartbeat(job: ProcessingJob) -> None:
    """Say that the work goes on."""
    write(job, heartbeat_at=Now())


@transaction.atomic
def finish(job: ProcessingJob) -> None:
    """End a job well and order what follows from it, in one transaction."""
    write(job, status=JobStatus.COMPLETED, completed_at=Now(), failure_code="", error_message="", error_details={})
    stage = stages().get(job.job_type)
    for job_type, entity_type, entity_id in stage.follows(job) if stage else ():
        enqueue(job_type, entity_type, entity_id, priority=job.priority, workflow_id=job.workflow_id)


def fail(job: ProcessingJob, code: FailureCode, sentence: str, *, details: Mapping[str, object] | None = None) -> None:
    """End a job badly, with its reason."""
    write(job, status=JobStatus.FAILED, completed_at=Now(), **_reason(code, sentence, details))


@contextmanager
def writing(*, last: bool = False) -> Iterator[None]:
    """Hold a transaction of a stage's writes, which happen only while the job is still this attempt's.

    `last`: they are the stage's final ones, so the job ends with them or not at all. Outside a job it is a plain
    transaction. Raises JobLost, and writes nothing, when the job was cancelled or taken over.
    """
    with transaction.atomic():
        hold = current()
        if hold is not None:
            hold.lock()
        yield
        if hold is not None and last:
            finish(hold.job)
            hold.settle()


@contextmanager
def ticket(job_type: str, workflow_id: str) -> Iterator[ProcessingJob]:
    """Hold a running job, for which a workflow's stages wait, while a command in the foreground works for it."""
    job = claim(enqueue(job_type, "workflow", workflow_id, workflow_id=workflow_id), this_owner())
    if job is None:
        raise JobLost(f"{job_type} of {workflow_id} is held by another process")
    with holding(job) as hold:
        try:
            with hold.at_work():
                yield job
        except BaseException:
            fail(job, FailureCode.WORKER_LOST, "The command ended before everything was delivered: run it again.")
            close_attempt(job, AttemptOutcome.FAILED, hold.log_text())
            raise
        finish(job)
        close_attempt(job, AttemptOutcome.COMPLETED, hold.log_text())


def run_inline(
    job: ProcessingJob, work: Callable[[ProcessingJob], None], *, abandon: Abandon | None = None
) -> ProcessingJob:
    """Claim a job and do its work in this process, now or never: whatever goes wrong fails it.

    Raises JobLost when the job is not ours, or not any more, and JobCrashed as `run_held` does.
    """
    held = claim(job, this_owner())
    if held is None:
        raise JobLost(f"{job} is not waiting")
    return run_held(held, work, abandon=abandon, is_tried_again=False)


def run_held(
    held: ProcessingJob,
    work: Callable[[ProcessingJob], None],
    *,
    abandon: Abandon | None = None,
    is_tried_again: bool = True,
) -> ProcessingJob:
    """Do the work of a claimed job and record how it ended: the one border of all work.

    - `work` returns: the job is completed (unless `work` finished it itself, with its products).
    - It raises StageFailure, or what the machine lacks or refuses keeps it from going on. The job is failed with that
      reason and returned; where the reason can pass it is tried again first (no answer from another machine, a disk
      that fails), or without end (no space, no shared storage, no model).
    - It raises anything else: the program is at fault. The job waits for its next try, or is failed when it has had
      all of them, with the traceback, and JobCrashed is raised from it; a caller may go on with other jobs.
    - The database went away: the job goes back to waiting as soon as it is back, and the error goes on.
    - It is interrupted (Ctrl-C, exit): the job goes back to waiting and the interruption goes on.
    - The job is not ours any more: JobLost. One that is completed stays so, whatever comes after.

    `abandon(entity_id, code, sentence)` closes the stage's own rows in the transaction that ends the job.
    """
    with holding(held) as hold:
        try:
            _try(hold, work, abandon, is_tried_again)
        except JobLost:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            if not ProcessingJob.objects.filter(pk=held.pk, attempt=held.attempt, status=JobStatus.COMPLETED).exists():
                # Who cancelled it or took it over has written the outcome.
                close_attempt(held, None, hold.log_text())
                raise
            logger.warning("%s was completed; what came after that went wrong", held, exc_info=True)
            close_attempt(held, AttemptOutcome.COMPLETED, hold.log_text())
            held.refresh_from_db()
    return held


def _try(hold: Hold, work: Callable[[ProcessingJob], None], abandon: Abandon | None, is_tried_again: bool) -> None:
    """Do the work of one attempt and write down how it ended; JobLost where that is not for this attempt to say."""
    held = hold.job
    try:
        with hold.at_work():
            work(held)
        if held.status == JobStatus.RUNNING:
            finish(held)
        close_attempt(held, AttemptOutcome.COMPLETED, hold.log_text())
    except StageFailure as failure:
        _conclude(hold, failure, {}, abandon, is_tried_again=is_tried_again)
    except JobLost:
        raise
    except (KeyboardInterrupt, SystemExit):
        if not connection.in_atomic_block:
            # The interruption may have come amid a command to the database.
            connection.close()
        # Completed, cancelled or taken over in the moment of the interruption: there is nothing to hand back.
        with suppress(JobLost):
            hand_back(held, hold.log_text())
        raise
    except Exception as error:
        if is_tried_again and _is_cut_off(error):
            hand_back(held, hold.log_text())
            raise
        refusal = _refusal_of_machine(error)
        if refusal is not None:
            logger.warning("%s: %s: %s", held, type(error).__name__, error)
            _conclude(hold, refusal, {}, abandon, is_tried_again=is_tried_again)
            return
        code = FailureCode.OUT_OF_MEMORY if isinstance(error, MemoryError) else FailureCode.INTERNAL_ERROR
        fault = StageFailure(code, f"{type(error).__name__}: {error}")
        lines = "".join(traceback.format_exception(error))[-_TRACEBACK_CHARACTERS:].replace("\0", "")
        _conclude(hold, fault, {"traceback": lines}, abandon, is_tried_again=is_tried_again)
        raise JobCrashed(held, fault.sentence) from error


def do(job: ProcessingJob, *, is_tried_again: bool = True) -> None:
    """Do a claimed job by the stage that its type names; see `run_held`."""
    stage = stages()[job.job_type]
    run = stage.runner()
    memory.hold_little()
    try:
        run_held(job, lambda held: run(held.entity_id), abandon=stage.abandoner(), is_tried_again=is_tried_again)
    finally:
        memory.give_back()


def _take(job: ProcessingJob | None, owner: str, task_id: str = "") -> ProcessingJob | None:
    if job is None:
        return None
    ProcessingJob.objects.filter(pk=job.pk).update(
        status=JobStatus.RUNNING,
        owner=owner,
        task_id=task_id,
        attempt=F("attempt") + 1,
        started_at=Now(),
        heartbeat_at=Now(),
        completed_at=None,
    )
    job.refresh_from_db()
    open_attempt(job)
    return job


def _reason(code: FailureCode, sentence: str, details: Mapping[str, object] | None) -> dict[str, object]:
    return {
        "failure_code": code,
        "error_message": sentence.replace("\0", ""),
        "error_details": dict(details or {}),
    }


def _conclude(
    hold: Hold, failure: StageFailure, details: Mapping[str, object], abandon: Abandon | None, *, is_tried_again: bool
) -> None:
    """End the attempt with a reason, after which its job waits for another try or is failed."""
    logger.info("%s: %s", hold.job, failure.sentence)
    is_worth_it = failure.code in PASSING or bool(details)
    if is_tried_again and is_worth_it and hold.job.retry_count < hold.job.max_retries:
        _try_again(hold, failure, details)
    else:
        _end(hold, failure, details, abandon, waits_out=is_tried_again and failure.code in WAITS_OUT)


def _end(
    hold: Hold, failure: StageFailure, details: Mapping[str, object], abandon: Abandon | None, *, waits_out: bool
) -> None:
    """End the attempt with a reason: the job is failed, or waits until the reason may have passed."""
    job = hold.job
    with transaction.atomic():
        if waits_out:
            reason = _reason(failure.code, failure.sentence, details)
            put_back(job, after(settings.JOB_WAIT_SECONDS), **reason)
        else:
            fail(job, failure.code, failure.sentence, details=details)
        if abandon is not None:
            abandon(job.entity_id, failure.code, failure.sentence)
        outcome = AttemptOutcome.WAITING if waits_out else AttemptOutcome.FAILED
        close_attempt(job, outcome, hold.log_text(), failure)


@transaction.atomic
def _try_again(hold: Hold, fault: StageFailure, details: Mapping[str, object]) -> None:
    """Let the job wait for its next try, longer each time."""
    job = hold.job
    due = after(max(backoff_seconds(job.retry_count), fault.retry_after_s or 0.0))
    reason = _reason(fault.code, fault.sentence, details)
    put_back(job, due, retry_count=job.retry_count + 1, **reason)
    close_attempt(job, AttemptOutcome.RETRIED, hold.log_text(), fault)


def _is_cut_off(error: Exception) -> bool:
    """Tell whether the database went away under the work; wait for it to come back, within bounds."""
    if not isinstance(error, DatabaseError | InterfaceError) or connection.is_usable():
        return False
    return wait_for_database(settings.JOB_DATABASE_PATIENCE_SECONDS)


def _refusal_of_machine(error: Exception) -> StageFailure | None:
    """Return in words what the machine lacks or refuses; None where the program itself is at fault."""
    if isinstance(error, StorageUnreachable):
        return StageFailure(FailureCode.STORAGE_UNREACHABLE, str(error))
    if isinstance(error, StorageFull):
        return StageFailure(FailureCode.DISK_FULL, str(error))
    if not isinstance(error, OSError):
        return None
    # The folders of a machine are nobody's business, the file's name is.
    name = Path(os.fsdecode(error.filename)).name if isinstance(error.filename, str | bytes) else "A file of the data"
    if error.errno in NO_SPACE:
        return StageFailure(FailureCode.DISK_FULL, f"{name} could not be written: {error.strerror}.")
    if error.errno in _DISK_FAULTS:
        return StageFailure(FailureCode.DISK_FAULT, f"{name} could not be read or written: {error.strerror}.")
    return None
