"""What people may do with frames that are in the database: take them through again, archive them, take them back."""

from __future__ import annotations

from django.db import transaction

from catalog.failures import NotPossible
from catalog.ids import uuid7
from catalog.models import AuditLog, ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from observations.models import Observation, ObservationStatus

ARCHIVE = "archive_observation"


@transaction.atomic
def reprocess(observation: Observation, actor: audit.Actor) -> ProcessingJob:
    """Order a frame's way through all stages; what is already as it should be, a stage leaves as it is."""
    row = _locked(observation)
    if row.status == ObservationStatus.ARCHIVED:
        raise NotPossible(f"{row} is archived: restore it first.")
    _must_have_frame(row)
    job = jobs.enqueue("preprocess", "observation", row.pk, workflow_id=f"reprocess-{uuid7()}")
    audit.record(row, "reprocess_observation", actor=actor, new={"job": str(job.pk)}, summary=str(row))
    return job


@transaction.atomic
def archive(observation: Observation, actor: audit.Actor) -> Observation:
    """Put a frame aside: no stage and no reference uses it any more; what was made of it stays."""
    row = _locked(observation)
    if row.status == ObservationStatus.ARCHIVED:
        raise NotPossible(f"{row} is already archived.")
    _must_have_frame(row)
    work = ProcessingJob.objects.filter(entity_type="observation", entity_id=str(row.pk), status__in=jobs.UNFINISHED)
    if work.exists():
        raise NotPossible(f"{row} is being processed: wait for its jobs or cancel them, then archive it.")
    return _to_status(row, ObservationStatus.ARCHIVED, ARCHIVE, actor)


@transaction.atomic
def take_back(observation: Observation, actor: audit.Actor) -> Observation:
    """Return an archived frame to the status that it had before."""
    row = _locked(observation)
    if row.status != ObservationStatus.ARCHIVED:
        raise NotPossible(f"{row} is not archived.")
    lines = AuditLog.objects.filter(entity_type="observation", entity_id=str(row.pk), action=ARCHIVE)
    before = lines.order_by("-created_at", "-id").values_list("old_values", flat=True).first() or {}
    status = ObservationStatus(before.get("status", ObservationStatus.INGESTED))
    return _to_status(row, status, "take_back_observation", actor)


def _must_have_frame(row: Observation) -> None:
    if row.status == ObservationStatus.IMPORTED:
        raise NotPossible(f"{row} was imported with another survey's alerts: its frame is not here.")


def _locked(observation: Observation) -> Observation:
    return Observation.objects.select_for_update().get(pk=observation.pk)


def _to_status(row: Observation, status: ObservationStatus, action: str, actor: audit.Actor) -> Observation:
    before, row.status = row.status, status
    row.save(update_fields=["status", "updated_at"])
    audit.record(row, action, actor=actor, old={"status": before}, new={"status": status}, summary=str(row))
    return row
