"""Take in the files of a watched folder as they arrive."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from catalog.configuration.values import snapshot
from catalog.ids import uuid7
from catalog.people import audit
from catalog.work import jobs
from catalog.work.pause import pauses
from observations.delivery.incoming import RECEIVE
from observations.delivery.ingest import fits_files
from observations.delivery.rows import printable
from observations.models import IncomingFile, IncomingRoute, Survey


class Seen(NamedTuple):
    """Size and time of a file."""

    size_bytes: int
    modified_ns: int


class Look(NamedTuple):
    """What is new or changed in a folder and has settled; and whether there is more, which is written to still."""

    settled: dict[Path, Seen]
    is_more: bool


def scan(folder: str, now: float | None = None) -> int:
    """Order what is new or changed in a folder, in depth, to be taken in; return how many files.

    A file that was written to within `ingest.settle_seconds` is left alone until the next look. All files of one look
    are one workflow, so that a night that is copied in at once is calibrated and compared as a whole. While ingest is
    paused the files stay where they are.
    """
    if pauses().ingest:
        return 0
    new = look(folder, now).settled
    if new:
        order(new)
    return len(new)


def look(folder: str, now: float | None = None) -> Look:
    """Look at what is new or changed in a folder, in depth; now : seconds of the epoch, by this machine's clock."""
    settle_ns = snapshot()["ingest.settle_seconds"] * 1_000_000_000
    latest_ns = int((time.time() if now is None else now) * 1e9) - settle_ns
    known = {
        address: Seen(size or 0, modified or 0)
        for address, size, modified in IncomingFile.objects.filter(route=IncomingRoute.DIRECTORY).values_list(
            "address", "size_bytes", "modified_ns"
        )
    }
    settled, is_more = dict[Path, Seen](), False
    for path in fits_files(Path(folder)):
        try:
            status = path.stat()
        except FileNotFoundError:
            # Moved away since it was listed.
            continue
        seen = Seen(status.st_size, status.st_mtime_ns)
        if known.get(str(path)) == seen:
            continue
        # A copy keeps the old time of its content; the other clock tells when the copy was made.
        if max(status.st_mtime_ns, status.st_ctime_ns) > latest_ns:
            is_more = True
        else:
            settled[path] = seen
    return Look(settled, is_more)


@transaction.atomic
def order(new: dict[Path, Seen], survey: Survey | None = None) -> None:
    """Order files to be taken in together; without a survey they belong to `local`."""
    workflow_id = str(uuid7())
    for path, seen in new.items():
        row, _ = IncomingFile.objects.update_or_create(
            route=IncomingRoute.DIRECTORY,
            address=str(path),
            defaults={
                "name": printable(path.name)[-255:],
                "workflow_id": workflow_id,
                "results": [],
                "survey": survey,
                **seen._asdict(),
            },
        )
        audit.record(row, "submit_file", new={"name": row.name, "route": row.route, "address": row.address})
        jobs.enqueue(RECEIVE, "incoming_file", row.pk, workflow_id=workflow_id)
