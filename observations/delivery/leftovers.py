"""What is left of files on their way in: a process died before it was removed, or nothing waits for it any more.

Folders of `incoming/` are named by their row. A part of a download that waits for its next try is no leftover.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from catalog.files import removals, storage
from catalog.models import ProcessingJob
from catalog.work.jobs import UNFINISHED
from observations.models import ArchiveProduct, IncomingFile, ProductState

logger = logging.getLogger(__name__)

FOLDER = "incoming"
# The bytes of an upload are here before its row is, for as long as its sender takes.
_LEFT_ALONE_SECONDS = 24 * 3600.0


def clear_away(now: float | None = None) -> int:
    """Remove what nothing waits for and nothing was written to within a day; return how many folders that was.

    now : seconds of the epoch, by this machine's clock. While a backup is made nothing is removed.
    """
    latest = (time.time() if now is None else now) - _LEFT_ALONE_SECONDS
    old = [folder.name for folder in storage.resolve(FOLDER).glob("*") if _touched_at(folder) < latest]
    left = set(old) - _wanted(old)
    if not left:
        return 0
    with removals.allowed() as is_allowed:
        if not is_allowed:
            return 0
        for name in left:
            storage.remove_folder(f"{FOLDER}/{name}")
    logger.info("%d folders of files on their way in were left over and are removed", len(left))
    return len(left)


def _touched_at(folder: Path) -> float:
    """Return when something was written last in a folder; never, where it goes away meanwhile."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.glob("*")))
    except FileNotFoundError:
        return float("inf")


def _wanted(names: Iterable[str]) -> set[str]:
    """Return those folders that a job, a try to come, or a person who may order another one, still needs."""
    keys = [key for name in names if (key := _key_of(name)) is not None]
    at_work = ProcessingJob.objects.filter(
        entity_type="incoming_file", entity_id__in=[str(key) for key in keys], status__in=UNFINISHED
    )
    unfetched = (ProductState.FOUND, ProductState.ORDERED)
    waiting = ArchiveProduct.objects.filter(incoming__in=keys, state__in=unfetched)
    stored = IncomingFile.objects.filter(pk__in=keys).exclude(stored_path="")
    return {
        *at_work.values_list("entity_id", flat=True),
        *map(str, waiting.values_list("incoming", flat=True)),
        *map(str, stored.values_list("pk", flat=True)),
    }


def _key_of(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
