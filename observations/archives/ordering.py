"""Which archive is asked and which file is fetched next: looked for every few seconds, so that each waits its turn.

There are never more of these jobs than may be at work at once, so that whatever else is downloaded finds room: not more
for one server than the configuration allows, and one place less in all than there are for downloads.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Now

from catalog.configuration.values import acceptable
from catalog.failures import FailureCode
from catalog.models import JobStatus, ProcessingJob, RunStatus
from catalog.people import audit
from catalog.work import jobs
from catalog.work.pause import pauses
from observations.archives.courtesy import database_now, host_of
from observations.archives.products import file_name, note_failed
from observations.delivery.rows import printable
from observations.models import (
    Archive,
    ArchiveHost,
    ArchiveKind,
    ArchiveProduct,
    ArchiveRun,
    IncomingFile,
    IncomingRoute,
    ProductState,
    RunPurpose,
)

ASK, FETCH = "ask", "fetch"
_LOCK = 7303
_DAY = dt.timedelta(hours=24)


def order_due() -> int:
    """Order what is due, and return how many jobs that is; two processes never do so at once."""
    if not Archive.objects.exists():
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        _close_lost()
        _note_due()
        return _ask_due() + (0 if pauses().ingest else _fetch_due())


def order_run(archive: Archive, purpose: RunPurpose, actor: audit.Actor = audit.MACHINE) -> ArchiveRun:
    """Order one asking, in the caller's transaction; one of the same purpose that waits already is returned instead."""
    waiting = ArchiveRun.objects.filter(archive=archive, purpose=purpose, status=RunStatus.PENDING).first()
    if waiting is not None:
        return waiting
    return ArchiveRun.objects.create(
        archive=archive, purpose=purpose, ordered_by_id=actor.user.pk if actor.user else None
    )


def _note_due() -> None:
    """Make a run for each archive whose time has come, however many times were missed."""
    due = Archive.objects.filter(is_on=True, next_at__lte=Now()).select_for_update(skip_locked=True, of=("self",))
    for row in due.select_related("survey"):
        order_run(row, RunPurpose.FETCH)
        # Until the run says when the next one is.
        Archive.objects.filter(pk=row.pk).update(next_at=None)


def _ask_due() -> int:
    """Order the askings that wait, while there is room: first those for which a person waits, one of each archive."""
    at_work = set(ArchiveRun.objects.filter(status=RunStatus.RUNNING).values_list("archive", flat=True))
    waiting = ArchiveRun.objects.filter(status=RunStatus.PENDING)
    room, count = _room(), 0
    for row in waiting.order_by(F("ordered_by").asc(nulls_last=True), "created_at"):
        if count >= room or row.archive_id in at_work:
            continue
        ArchiveRun.objects.filter(pk=row.pk).update(status=RunStatus.RUNNING)
        # When a failure is tried again, the archive's row says.
        jobs.enqueue(ASK, "archive_run", row.pk, priority=5 if row.ordered_by_id else 0, max_retries=0)
        at_work.add(row.archive_id)
        count += 1
    return count


def _fetch_due() -> int:
    """Order files while there is room, of each archive in turn, the oldest first."""
    at_once = int(acceptable()["ingest.archive_at_once"])
    room = _room()
    if room <= 0:
        return 0
    resting = ArchiveHost.objects.filter(resting_until__gt=Now()).values_list("name", flat=True)
    busy, count = _busy_hosts(), 0
    left = _allowances()
    while room > count:
        before = count
        for key in sorted(left, key=str):
            full = [host for host, number in busy.items() if number >= at_once]
            product = _next_of(key, [*full, *resting]) if left[key] > 0 and count < room else None
            if product is None:
                continue
            _order(product)
            busy[product.host] += 1
            left[key] -= product.ordered_at is None
            count += 1
        if count == before:
            break
    return count


def _room() -> int:
    """Return how many more jobs of archives may be at work."""
    at_work = ProcessingJob.objects.filter(job_type__in=(ASK, FETCH), status__in=jobs.UNFINISHED).count()
    return max(settings.ASTRID_DOWNLOADS - 1, 1) - at_work


def _busy_hosts() -> Counter[str]:
    """Return how many files of each server are being fetched; an archive that is being asked counts as one."""
    ordered = ArchiveProduct.objects.filter(state=ProductState.ORDERED).order_by().values_list("host")
    busy = Counter(dict(ordered.annotate(count=Count("pk"))))
    for run in ArchiveRun.objects.filter(status=RunStatus.RUNNING).select_related("archive__survey"):
        if run.archive.kind != ArchiveKind.FOLDER:
            busy[host_of(run.archive.address)] += 1
    return busy


def _allowances() -> dict[object, int]:
    """Return how many more files of each archive may be fetched today."""
    since = database_now() - _DAY
    lately = Count("products", filter=Q(products__ordered_at__gte=since))
    rows = Archive.objects.filter(is_on=True).annotate(lately=lately).order_by()
    return {row.pk: row.most_per_night - row.lately for row in rows}


def _next_of(archive_id: object, hosts: list[str]) -> ArchiveProduct | None:
    due = ArchiveProduct.objects.due().filter(archive=archive_id).exclude(host__in=hosts)
    return due.order_by("observation_time", "id").first()


def _order(product: ArchiveProduct) -> None:
    """Let a file be fetched, in the caller's transaction."""
    if product.incoming is None:
        product.incoming = IncomingFile.objects.create(
            route=IncomingRoute.URL,
            name=printable(file_name(product.access_url))[-255:],
            address=product.access_url,
            survey=product.archive.survey,
            size_bytes=None,
            workflow_id=product.workflow_id,
        )
    elif product.incoming.address != product.access_url:
        IncomingFile.objects.filter(pk=product.incoming.pk).update(address=product.access_url)
    product.state, product.ordered_at = ProductState.ORDERED, product.ordered_at or database_now()
    product.save()
    jobs.enqueue(FETCH, "incoming_file", product.incoming_id, workflow_id=product.workflow_id, max_retries=0)


def _close_lost() -> None:
    """Put down what became of files and runs whose jobs were cancelled before anybody took them up."""
    open_jobs = ProcessingJob.objects.filter(status__in=jobs.UNFINISHED)
    fetched = open_jobs.filter(job_type=FETCH).values_list("entity_id", flat=True)
    for product in ArchiveProduct.objects.filter(state=ProductState.ORDERED).select_related("incoming"):
        if str(product.incoming_id) not in set(fetched) and product.incoming is not None:
            code, sentence = _end_of(FETCH, str(product.incoming_id))
            note_failed(product.incoming, code, sentence)
    asked = set(open_jobs.filter(job_type=ASK).values_list("entity_id", flat=True))
    for run in ArchiveRun.objects.filter(status=RunStatus.RUNNING):
        if str(run.pk) not in asked:
            code, sentence = _end_of(ASK, str(run.pk))
            ArchiveRun.objects.filter(pk=run.pk).update(
                status=RunStatus.FAILED, failure_code=code, error_message=sentence, completed_at=database_now()
            )
            if run.purpose == RunPurpose.FETCH:
                Archive.objects.filter(pk=run.archive_id, next_at=None).update(next_at=database_now() + _DAY / 24)


def _end_of(job_type: str, entity_id: str) -> tuple[FailureCode, str]:
    last = ProcessingJob.objects.filter(job_type=job_type, entity_id=entity_id).order_by("-created_at").first()
    if last is None or last.status == JobStatus.CANCELLED:
        return FailureCode.CANCELLED, "Its job was cancelled by a person."
    return FailureCode(
        last.failure_code or FailureCode.WORKER_LOST
    ), last.error_message or "Its job ended without a word."
