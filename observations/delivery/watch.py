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
from observations.models import IncomingFile, IncomingRoute


class _Seen(NamedTuple):
    size_bytes: int
    modified_ns: int


def scan(folder: str, now: float | None = None) -> int:
    """Order what is new or changed in a folder, in depth, to be taken in; return how many files.

    A file that was written to within `ingest.settle_seconds` is left alone until the next look. All files of one look
    are one workflow, so that a night that is copied in at once is calibrated and compared as a whole. While ingest is
    paused the files stay where they are.
    """
    if pauses().ingest:
        return 0
    settle_ns = snapshot()["ingest.settle_seconds"] * 1_000_000_000
    latest_ns = int((time.time() if now is None else now) * 1e9) - settle_ns
    known = {
        address: _Seen(size or 0, modified or 0)
        for address, size, modified in IncomingFile.objects.filter(route=IncomingRoute.DIRECTORY).values_list(
            "address", "size_bytes", "modified_ns"
        )
    }
    settled = {path: seen for path in fits_files(Path(folder)) if (seen := _look(path, latest_ns)) is not None}
    new = {path: seen for path, seen in settled.items() if known.get(str(path)) != seen}
    if new:
        _order(new)
    return len(new)


def _look(path: Path, latest_ns: int) -> _Seen | None:
    """Return size and time of a file that has settled; None for one still written to, or moved away since listed."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    # A copy keeps the old time of its content; the other clock tells when the copy was made.
    if max(status.st_mtime_ns, status.st_ctime_ns) > latest_ns:
        return None
    return _Seen(status.st_size, status.st_mtime_ns)


@transaction.atomic
def _order(new: dict[Path, _Seen]) -> None:
    workflow_id = str(uuid7())
    for path, seen in new.items():
        row, _ = IncomingFile.objects.update_or_create(
            route=IncomingRoute.DIRECTORY,
            address=str(path),
            defaults={"name": printable(path.name)[-255:], "workflow_id": workflow_id, "results": [], **seen._asdict()},
        )
        audit.record(row, "submit_file", new={"name": row.name, "route": row.route, "address": row.address})
        jobs.enqueue(RECEIVE, "incoming_file", row.pk, workflow_id=workflow_id)
