"""What archives offer, as rows: each file once, whatever its address, and what became of it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from django.db import transaction
from django.db.models import Count

from catalog.failures import PASSING, FailureCode
from catalog.ids import uuid7
from catalog.people import audit
from observations.archives.courtesy import database_now, host_of, rest_after
from observations.archives.found import Found
from observations.delivery.ingest import IngestResult
from observations.models import Archive, ArchiveProduct, ArchiveRun, IncomingFile, ProductState

# So many tries are spread over a day and a half.
MOST_TRIES = 12
_LONGEST_NAME = 2000
# Files of one night that come together are calibrated and compared as a whole; later ones do not wait for all others.
_OF_ONE_WORKFLOW = 25
# These say nothing of the file: it is fetched again.
_WORTH_ANOTHER = PASSING | {
    FailureCode.WORKER_LOST, FailureCode.TIMED_OUT, FailureCode.OUT_OF_MEMORY, FailureCode.INTERNAL_ERROR,
}  # fmt: skip
# A server that does not say how long a file is may have been cut: twice more, and then it is the file.
_TRIES_OF_CUT = 3
# What an asking that renews addresses meanwhile leaves alone.
_OUTCOME = ("state", "failure_code", "reason", "tries", "next_try_at", "ended_at", "updated_at")


@dataclass
class Tally:
    """How many of what was found are what."""

    found: int = 0
    known: int = 0
    refused: int = 0
    size_bytes: int = 0
    unsized: int = 0

    def add(self, other: Tally) -> None:
        """Count what another one counted too."""
        self.found, self.known, self.refused = (
            self.found + other.found, self.known + other.known, self.refused + other.refused,
        )  # fmt: skip
        self.size_bytes, self.unsized = self.size_bytes + other.size_bytes, self.unsized + other.unsized


def identity(name: str) -> str:
    """Return what a product of an archive is known by."""
    return hashlib.sha256(name.encode()).hexdigest()


def told_apart(found: Sequence[Found]) -> list[Found]:
    """Return the products of one answer, each once; files that share one name of the archive's are told apart."""
    addresses: dict[str, set[str]] = {}
    for one in found:
        addresses.setdefault(one.name, set()).add(one.url)
    unique: dict[str, Found] = {}
    for one in found:
        alike = addresses[one.name]
        is_told_by_file = len({file_name(url) for url in alike}) == len(alike)
        more = "" if len(alike) == 1 else f" {file_name(one.url) if is_told_by_file else one.url}"
        unique.setdefault(one.name + more, replace(one, name=one.name + more))
    return list(unique.values())


def file_name(url: str) -> str:
    """Return the name of the file at an address."""
    parts = urlsplit(url)
    return PurePosixPath(unquote(parts.path)).name or str(parts.hostname or "")


def weigh(archive: Archive, found: Sequence[Found]) -> tuple[Tally, list[Found]]:
    """Count what is new and known, and return the new ones that can be fetched; nothing is written."""
    tally = Tally()
    keys = {identity(one.name): one for one in found}
    rows = ArchiveProduct.objects.filter(archive=archive, name_sha256__in=keys)
    known = set(rows.values_list("name_sha256", flat=True))
    for key, one in keys.items():
        _count(tally, one, is_known=key in known)
    return tally, [one for key, one in keys.items() if key not in known and not one.refusal]


def _count(tally: Tally, one: Found, *, is_known: bool) -> None:
    tally.found += 1
    if is_known:
        tally.known += 1
    elif one.refusal:
        tally.refused += 1
    else:
        tally.size_bytes += one.size_bytes or 0
        tally.unsized += one.size_bytes is None


@transaction.atomic
def remember(run: ArchiveRun, found: Sequence[Found]) -> None:
    """Write rows for what is new, and renew the addresses of what is known."""
    now = database_now()
    keyed = {identity(one.name): one for one in found}
    known = {
        row.name_sha256: row
        for row in ArchiveProduct.objects.select_for_update().filter(archive=run.archive_id, name_sha256__in=keyed)
    }
    new: list[ArchiveProduct] = []
    workflow_id = str(uuid7())
    for key, one in sorted(keyed.items(), key=lambda item: (item[1].time is None, item[1].time, item[1].name)):
        row = known.get(key)
        if row is not None:
            _renew(row, one, now)
            continue
        if len(new) % _OF_ONE_WORKFLOW == 0:
            workflow_id = str(uuid7())
        new.append(_row(run, key, one, now, workflow_id))
    ArchiveProduct.objects.bulk_create(new)


def _row(run: ArchiveRun, key: str, one: Found, now: dt.datetime, workflow_id: str) -> ArchiveProduct:
    is_refused = bool(one.refusal)
    return ArchiveProduct(
        archive_id=run.archive_id,
        run=run,
        name=one.name,
        name_sha256=key,
        version=one.version,
        title=(one.title or file_name(one.url))[:255],
        access_url=one.url,
        access_format=one.access_format[:255],
        host=host_of(one.url)[:255],
        estimated_bytes=one.size_bytes,
        observation_time=one.time,
        state=ProductState.REFUSED if is_refused else ProductState.FOUND,
        failure_code=FailureCode.DOWNLOAD_FAILED if is_refused else "",
        reason=one.refusal,
        next_try_at=None if is_refused else max(now, one.not_before or now),
        ended_at=now if is_refused else None,
        workflow_id=workflow_id,
    )


def _renew(row: ArchiveProduct, one: Found, now: dt.datetime) -> None:
    """Take over another address; what has changed, or is there again, is fetched again."""
    is_changed = bool(one.version) and one.version != row.version
    is_back = row.state == ProductState.GONE and one.url != row.access_url
    if not (is_changed or is_back or one.url != row.access_url):
        return
    row.access_url, row.host, row.version = one.url, host_of(one.url)[:255], one.version
    row.access_format = one.access_format[:255]
    if (is_changed and row.state != ProductState.ORDERED) or is_back:
        row.state, row.tries, row.failure_code, row.reason = ProductState.FOUND, 0, "", ""
        row.next_try_at, row.ended_at, row.incoming = now, None, None
    row.save()


def note_taken(row: ArchiveProduct, results: Sequence[IngestResult]) -> None:
    """Put down what became of the images of a file, in the transaction that does so for the file itself."""
    refused = [result for result in results if result.is_refused]
    row.ended_at, row.failure_code = database_now(), refused[0].failure_code if refused else ""
    row.reason = " ".join(f"{name} ({count} times)" if count > 1 else name for name, count in _reasons(refused))
    row.state = ProductState.REFUSED if len(refused) == len(results) else ProductState.FETCHED
    if not results:
        row.reason = "There was no image in it."
    is_cut = row.state == ProductState.REFUSED and row.failure_code == FailureCode.TRUNCATED
    if is_cut and row.tries + 1 < _TRIES_OF_CUT:
        _put_off(row)
    row.save(update_fields=_OUTCOME)


def _reasons(refused: Sequence[IngestResult]) -> list[tuple[str, int]]:
    return Counter(result.error_message for result in refused).most_common()


def put_back(row: ArchiveProduct, seconds: float, sentence: str) -> None:
    """Let a file wait whose server was not asked for it: that is no try of it."""
    row.state, row.reason, row.failure_code = ProductState.FOUND, sentence, FailureCode.NETWORK_FAULT
    row.next_try_at = database_now() + dt.timedelta(seconds=seconds)
    row.save(update_fields=_OUTCOME)


def note_failed(incoming: IncomingFile, code: FailureCode, sentence: str) -> bool:
    """Put down that a file was not fetched this time; return whether it will be tried again.

    In the transaction that ends the job. What is written of its images already stays as it is.
    """
    row = ArchiveProduct.objects.select_for_update().filter(incoming=incoming, state=ProductState.ORDERED).first()
    if row is None:
        return ArchiveProduct.objects.filter(incoming=incoming, state=ProductState.FOUND).exists()
    row.failure_code, row.reason = code, sentence
    if code in _WORTH_ANOTHER and row.tries + 1 < MOST_TRIES:
        _put_off(row)
    else:
        row.state = ProductState.GONE if code == FailureCode.FILE_GONE else ProductState.REFUSED
        row.ended_at = database_now()
        if code in _WORTH_ANOTHER:
            row.reason = f"Given up after {MOST_TRIES} tries. {sentence}"
    row.save(update_fields=_OUTCOME)
    return row.state == ProductState.FOUND


def _put_off(row: ArchiveProduct) -> None:
    row.next_try_at = database_now() + dt.timedelta(seconds=rest_after(row.tries))
    row.state, row.tries, row.ended_at = ProductState.FOUND, row.tries + 1, None


@transaction.atomic
def fetch_again(row: ArchiveProduct, actor: audit.Actor) -> ArchiveProduct:
    """Let what was refused or is gone be tried again, with all its tries."""
    ended = ArchiveProduct.objects.filter(pk=row.pk, state__in=(ProductState.REFUSED, ProductState.GONE))
    values = {"tries": 0, "failure_code": "", "reason": "", "ended_at": None, "next_try_at": database_now()}
    if ended.update(state=ProductState.FOUND, **values):
        audit.record(row, "fetch_again", actor=actor, old={"state": row.state}, new={"state": ProductState.FOUND})
    row.refresh_from_db()
    return row


def counts_of(archives: Sequence[Archive]) -> dict[tuple[object, str], int]:
    """Return how many products of each archive are in which state."""
    rows = ArchiveProduct.objects.filter(archive__in=archives).order_by().values_list("archive", "state")
    return {(archive_id, state): count for archive_id, state, count in rows.annotate(count=Count("pk"))}
