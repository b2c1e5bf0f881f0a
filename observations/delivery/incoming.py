"""What people and clients may hand in from afar: uploads and addresses to fetch. Each becomes a row and a job."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.db import IntegrityError, transaction

from catalog.configuration.values import snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.files.addresses import check_url
from catalog.ids import uuid7
from catalog.models import ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from catalog.work.pause import IngestPaused, pauses
from observations.claims.reading import packed
from observations.delivery.rows import printable
from observations.models import IncomingFile, IncomingRoute, Survey
from observations.numerics.fits.facts import Overrides

# What lies here is not to wait behind what other machines send, slowly or never.
RECEIVE, DOWNLOAD = "receive", "download"
# A person waits for these; what a folder holds can wait a moment.
_PRIORITY = 5


def submit_url(
    url: str,
    overrides: Overrides,
    *,
    actor: audit.Actor = audit.MACHINE,
    survey: Survey | None = None,
    key: UUID | None = None,
) -> tuple[IncomingFile, ProcessingJob]:
    """Order a file to be fetched from an address and taken in; under one key, once. While ingest is paused it waits.

    Raises AddressRefused where the address cannot be one of a file on the web.
    """
    parts = check_url(url)
    name = printable(Path(parts.path).name)[-255:] or str(parts.hostname)
    row = IncomingFile(route=IncomingRoute.URL, name=name, address=url, survey=survey, request_key=key)
    return _submit(row, overrides, actor)


def submit_upload(
    chunks: Iterable[bytes],
    name: str,
    overrides: Overrides,
    *,
    actor: audit.Actor = audit.MACHINE,
    survey: Survey | None = None,
    key: UUID | None = None,
) -> tuple[IncomingFile, ProcessingJob]:
    """Keep an uploaded file and order it to be taken in; under one key, once.

    Raises StageFailure `too_large`, StorageFull where there is no room and StorageUnreachable where a shared storage
    does not answer, IngestPaused while files are not taken; nothing is left then.
    """
    if reason := pauses().ingest_words:
        raise IngestPaused(f"{reason} Nothing of this file was kept: upload it again then.")
    most = snapshot()["ingest.max_file_mb"] * 1_000_000
    row = IncomingFile(
        route=IncomingRoute.UPLOAD, name=printable(name)[-255:] or "upload", survey=survey, request_key=key
    )
    row.stored_path = incoming_path(row)
    target = storage.resolve(row.stored_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with storage.room_for(target), target.open("wb") as file:
            for chunk in chunks:
                row.received_bytes += len(chunk)
                if row.received_bytes > most:
                    raise StageFailure(
                        FailureCode.TOO_LARGE, f"The file is larger than {most // 1_000_000} MB (ingest.max_file_mb)."
                    )
                file.write(chunk)
        row.size_bytes = row.received_bytes
        # Whichever machine takes the job up finds the file.
        storage.share(row.stored_path)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    try:
        taken, job = _submit(row, overrides, actor)
    except BaseException:
        _forget(row)
        raise
    if taken.pk != row.pk:
        _forget(row)
    return taken, job


def _submit(row: IncomingFile, overrides: Overrides, actor: audit.Actor) -> tuple[IncomingFile, ProcessingJob]:
    """Write the row and its job; where the same person has used its key before, return what came of that."""
    row.submitted_by_id = actor.user.pk if actor.user else None
    try:
        return _write(row, overrides, actor)
    except IntegrityError:
        before = IncomingFile.objects.filter(request_key=row.request_key, submitted_by=row.submitted_by_id)
        known = before.exclude(request_key=None).first()
        if known is None:
            raise
        jobs_of_it = ProcessingJob.objects.filter(entity_type="incoming_file", entity_id=str(known.pk))
        return known, jobs_of_it.latest("created_at")


def _forget(row: IncomingFile) -> None:
    storage.remove(row.stored_path)
    shutil.rmtree(storage.resolve(row.stored_path).parent, ignore_errors=True)


@transaction.atomic
def _write(row: IncomingFile, overrides: Overrides, actor: audit.Actor) -> tuple[IncomingFile, ProcessingJob]:
    row.overrides, row.workflow_id = packed(overrides), str(uuid7())
    row.save(force_insert=True)
    audit.record(row, "submit_file", actor=actor, new={"name": row.name, "route": row.route, "address": row.address})
    job_type = DOWNLOAD if row.route == IncomingRoute.URL else RECEIVE
    job = jobs.enqueue(job_type, "incoming_file", row.pk, priority=_PRIORITY, workflow_id=row.workflow_id)
    return row, job


def incoming_path(row: IncomingFile) -> str:
    """Return where the bytes of a file lie until it is taken in; its own name stays, since rows tell it."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in row.name)[-100:].lstrip(".") or "file"
    return f"incoming/{row.pk}/{safe}"
