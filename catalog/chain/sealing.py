"""The one sealer: it chains what others have written, so that none of them waits for another.

A line may become visible long after its time, when its transaction ends. The order of the chain is that of sealing,
and what was not there when its time was sealed is found by what has no seal, not by a mark that moves on.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from catalog.chain.content import BEGINNING, CONTENT, LATE, digest_of, link_of

# Held by whoever seals; any number that nothing else uses.
_LOCK = 0x5EA1
# So many lines are in memory at once.
_AT_ONCE = 2000
# After so long the others of its queue have their turn: of old lines a later run seals the rest.
_TURN_SECONDS = 1.0
_MICROSECOND = dt.timedelta(microseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST = UUID(int=0)

_UNSEALED = f"""
SELECT {CONTENT} FROM catalog_auditlog line
WHERE (line.created_at, line.id) > (%s, %s)
AND NOT EXISTS (SELECT 1 FROM catalog_auditseal seal WHERE seal.id = line.id)
ORDER BY line.created_at, line.id LIMIT {_AT_ONCE}
"""  # noqa: S608
_HEAD = "SELECT position, hash FROM catalog_auditseal ORDER BY position DESC LIMIT 1"
# A line of a clock that is fast does not hide those after it.
_NEWEST = """
SELECT least(seal.created_at, line.created_at) FROM catalog_auditseal seal
LEFT JOIN catalog_auditlog line ON line.id = seal.id ORDER BY seal.position DESC LIMIT 1
"""
_INSERT = """
INSERT INTO catalog_auditseal (id, created_at, updated_at, position, digest, hash)
SELECT id, %s, %s, position, digest, hash
FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[]) AS given (id, position, digest, hash)
"""


@dataclass(frozen=True)
class Place:
    """A place in the order of the lines' times and keys."""

    time: dt.datetime = _EPOCH
    key: UUID = _FIRST


def seal(*, everything: bool = False, seconds: float = _TURN_SECONDS) -> int:
    """Chain lines that have no seal, for about so many seconds; return how many.

    It looks at lines that are hardly older than the newest sealed one; with `everything` at all, which reads the whole
    table of seals. While another process seals it does nothing.
    """
    start, sealed = time.monotonic(), 0
    place: Place | None = Place() if everything else _begin()
    while place is not None and (not sealed or time.monotonic() - start < seconds):
        count, place = _seal_batch(place)
        sealed += count
    return sealed


def _begin() -> Place:
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        found = cursor.fetchone()
    return Place() if found is None else Place(found[0] - LATE)


@transaction.atomic
def _seal_batch(place: Place) -> tuple[int, Place | None]:
    """Chain the next lines after a place; return how many, and where to go on if there may be more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0, None
        cursor.execute(_UNSEALED, [place.time, place.key])
        lines = cursor.fetchall()
        if lines:
            _chain(cursor, lines)
    if len(lines) < _AT_ONCE:
        return len(lines), None
    key, created_at = lines[-1][:2]
    return len(lines), Place(_EPOCH + int(created_at) * _MICROSECOND, UUID(key))


def _chain(cursor: CursorWrapper, lines: list[tuple[str, ...]]) -> None:
    cursor.execute(_HEAD)
    last, previous = cursor.fetchone() or (0, BEGINNING)
    # The database's clock, whatever that of this machine says.
    cursor.execute("SELECT clock_timestamp()")
    sealed_at = cursor.fetchone()[0]
    in_microseconds = (sealed_at - _EPOCH) // _MICROSECOND
    keys, positions, digests, hashes = [], [], [], []
    for position, content in enumerate(lines, start=last + 1):
        digest = digest_of(content)
        previous = link_of(previous, position, in_microseconds, digest)
        keys.append(content[0])
        positions.append(position)
        digests.append(digest)
        hashes.append(previous)
    cursor.execute(_INSERT, [sealed_at, sealed_at, keys, positions, digests, hashes])
