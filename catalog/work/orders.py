"""What people do with jobs: try again, do first or last, cancel."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from catalog.failures import NotPossible
from catalog.models import AttemptOutcome, JobAttempt, JobStatus, ProcessingJob
from catalog.people import audit


@transaction.atomic
def retry(job: ProcessingJob, actor: audit.Actor) -> ProcessingJob:
    """Let a failed or cancelled job wait for its work again, with all its tries; NotPossible in any other state."""
    row = ProcessingJob.objects.select_for_update().get(pk=job.pk)
    if row.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
        raise NotPossible(f"{row} is {row.status}: only a failed or cancelled job can be retried.")
    same = {"job_type": row.job_type, "entity_type": row.entity_type, "entity_id": row.entity_id}
    if ProcessingJob.objects.filter(**same, status=JobStatus.PENDING).exists():
        raise NotPossible(f"{row} is already queued by a later order.")
    before = row.status
    ProcessingJob.objects.filter(pk=row.pk).update(
        status=JobStatus.PENDING,
        retry_count=0,
        owner="",
        heartbeat_at=None,
        completed_at=None,
        sent_at=None,
        needs_abandon=False,
        scheduled_at=Now(),
        failure_code="",
        error_message="",
        error_details={},
    )
    audit.record(row, "retry_job", actor=actor, old={"status": before}, new={"status": JobStatus.PENDING})
    row.refresh_from_db()
    return row


@transaction.atomic
def prioritize(job: ProcessingJob, priority: int, actor: audit.Actor) -> ProcessingJob:
    """Let a waiting job be done before or after others; what follows from it inherits that. Else NotPossible."""
    row = ProcessingJob.objects.select_for_update().get(pk=job.pk)
    if row.status != JobStatus.PENDING:
        raise NotPossible(f"{row} is {row.status}: only a job that is waiting has a place in the queue.")
    if row.priority != priority:
        before = row.priority
        ProcessingJob.objects.filter(pk=row.pk).update(priority=priority)
        audit.record(row, "prioritize_job", actor=actor, old={"priority": before}, new={"priority": priority})
        row.refresh_from_db()
    return row


@transaction.atomic
def cancel(job: ProcessingJob, actor: audit.Actor) -> ProcessingJob:
    """Stop a job that waits or runs; a worker at it notices within seconds. NotPossible when it has ended."""
    row = ProcessingJob.objects.select_for_update().get(pk=job.pk)
    if row.status not in (JobStatus.PENDING, JobStatus.RUNNING):
        raise NotPossible(f"{row} is already {row.status}.")
    before = row.status
    # The stage's rows are closed by the sweeper: a web process knows no stage.
    ProcessingJob.objects.filter(pk=row.pk).update(
        status=JobStatus.CANCELLED, completed_at=Now(), needs_abandon=row.attempt > 0
    )
    JobAttempt.objects.filter(job=row, attempt=row.attempt, outcome="").update(
        outcome=AttemptOutcome.CANCELLED, ended_at=Now()
    )
    audit.record(row, "cancel_job", actor=actor, old={"status": before}, new={"status": JobStatus.CANCELLED})
    row.refresh_from_db()
    return row
