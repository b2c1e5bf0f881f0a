"""Removes what is old enough, a batch at a time: files of rows that stay, and rows that nobody judged.

A file goes in three steps: its row is marked, the file is removed, and the mark says so together with a line of the
AuditLog. What was cut off between them is taken up first by the next turn.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from catalog.configuration.values import Snapshot, acceptable
from catalog.files import removals, storage
from catalog.ids import uuid7
from catalog.models import RetentionPass
from catalog.people import audit
from catalog.retention.deleting import delete_rows, end_of_window
from catalog.retention.rules import FileRule, RowRule, rules

logger = logging.getLogger(__name__)

# Held by the one who sweeps; any number that nothing else uses.
_LOCK = 0x71D7
# Rows that are looked at by one statement, and files that one batch removes.
_LOOKED_AT, _FILES_AT_ONCE = 5000, 200
# After so long others of the queue have their turn.
_TURN_SECONDS = 2.0
# A pass that has ended begins anew after this.
_REST = dt.timedelta(hours=6)
_FIRST = UUID(int=0)


@dataclass(frozen=True)
class Batch:
    """What one batch removed: how many files' rows, or rows, and bytes; `reached` the last key that was looked at.

    reached is None at the end of the table.
    """

    count: int
    bytes: int
    reached: UUID | None


@dataclass(frozen=True)
class _Old:
    """What a rule means now: what was written before a time is old."""

    days: int
    before: dt.datetime


def take_turn(seconds: float = _TURN_SECONDS) -> int:
    """Remove what may go, for about so many seconds; return how much went. Of several at once, one does it."""
    with _alone() as is_alone, removals.allowed() as is_allowed:
        if not is_alone or not is_allowed:
            return 0
        end, count = time.monotonic() + seconds, 0
        for rule in rules():
            count += _sweep(rule, end)
        return count


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        is_alone = bool(cursor.fetchone()[0])
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def old_by(rule: FileRule | RowRule, config: Snapshot) -> _Old | None:
    """Return what is old by a rule; None where all is kept for ever."""
    days = int(config[rule.key])
    if days <= 0:
        return None
    days = max(days, int(config[rule.at_least])) if rule.at_least else days
    return _Old(days, timezone.now() - dt.timedelta(days=days))


def _sweep(rule: FileRule | RowRule, end: float) -> int:
    """Go on with a rule until the turn or its pass is over; return how much went."""
    count = 0
    while time.monotonic() < end:
        # Read each time: who stops it need not wait.
        config = acceptable()
        old = None if config["retention.paused"] else old_by(rule, config)
        if old is None:
            RetentionPass.objects.filter(rule=rule.name, ended_at=None).update(ended_at=timezone.now())
            return count
        if isinstance(rule, FileRule):
            _take_up(rule, old)
        row = _pass_of(rule)
        if row is None:
            return count
        after = row.reached or _FIRST
        try:
            done = _remove_files(rule, old, after) if isinstance(rule, FileRule) else _delete(rule, old, after)
        except (storage.StorageUnreachable, OSError) as error:
            logger.warning("Retention of %s waits: %s", rule.name, error)
            return count
        _note(row, done)
        count += done.count
    return count


def _pass_of(rule: FileRule | RowRule) -> RetentionPass | None:
    """Return the pass that is at work, a new one if the last ended long ago; None while there is nothing to do."""
    now = timezone.now()
    row, is_new = RetentionPass.objects.get_or_create(rule=rule.name, defaults={"begun_at": now})
    if is_new or row.ended_at is None:
        return row
    if now - row.ended_at < _REST:
        return None
    row.begun_at, row.ended_at, row.reached, row.removed_count, row.removed_bytes = now, None, None, 0, 0
    row.save()
    return row


def _note(row: RetentionPass, done: Batch) -> None:
    RetentionPass.objects.filter(pk=row.pk).update(
        reached=done.reached or row.reached,
        ended_at=timezone.now() if done.reached is None else None,
        removed_count=F("removed_count") + done.count,
        removed_bytes=F("removed_bytes") + done.bytes,
    )


def begin_again() -> None:
    """Let the passes that have ended begin anew at the next turn."""
    RetentionPass.objects.exclude(ended_at=None).update(ended_at=timezone.now() - _REST)


# --- Files ---


def _remove_files(rule: FileRule, old: _Old, after: UUID) -> Batch:
    window = end_of_window(rule.table, after, _LOOKED_AT)
    marked = _mark(rule, old, after, window)
    count, size = _remove_marked(rule, old, marked)
    # A full batch may have left some of the window.
    reached = marked[-1] if len(marked) == _FILES_AT_ONCE else window
    return Batch(count, size, reached)


def _mark(rule: FileRule, old: _Old, after: UUID, window: UUID | None) -> list[UUID]:
    """Mark the next rows whose files go; return their keys."""
    statement = f"""
        SELECT line.id FROM {rule.table} line {rule.joins}
        WHERE line.id > %s AND line.id <= %s AND {rule.only} AND {rule.written_at} < %s AND {rule.has_files}
        AND NOT ({rule.stays}) ORDER BY line.id LIMIT {_FILES_AT_ONCE}
    """  # noqa: S608
    insert = """
        INSERT INTO catalog_removedfile (id, created_at, updated_at, entity_type, entity_id, kept_days)
        SELECT id, now(), now(), %s, entity, %s FROM unnest(%s::uuid[], %s::uuid[]) AS given (id, entity)
        ON CONFLICT (entity_type, entity_id)
        DO UPDATE SET removed_at = NULL, updated_at = now(), kept_days = excluded.kept_days, size_bytes = NULL
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [after, window or UUID(int=2**128 - 1), old.before])
        keys = [row[0] for row in cursor.fetchall()]
        if keys:
            cursor.execute(insert, [rule.entity_type, old.days, [uuid7() for _ in keys], keys])
    return keys


def _take_up(rule: FileRule, old: _Old) -> None:
    """End what was marked and not removed, because a process or its machine died."""
    statement = "SELECT entity_id FROM catalog_removedfile WHERE entity_type = %s AND removed_at IS NULL LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(statement, [rule.entity_type, _FILES_AT_ONCE])
        keys = [row[0] for row in cursor.fetchall()]
    if keys:
        _remove_marked(rule, old, keys)


def _remove_marked(rule: FileRule, old: _Old, keys: Sequence[UUID]) -> tuple[int, int]:
    """Remove the files of marked rows and say so; a row that must stay by now is marked no more."""
    if not keys:
        return 0, 0
    _unmark_what_stays(rule, keys)
    size = 0
    files = _files_of(rule, keys)
    shared = _named_elsewhere(rule, [path for paths in files.values() for path in paths])
    for key, paths in files.items():
        for path in paths:
            if path not in shared:
                size += _size_of(path)
                storage.remove(path)
        for folder in rule.made_of_them:
            storage.remove_folder(folder.format(key))
    _say_removed(rule, old, list(files), size)
    return len(files), size


def _unmark_what_stays(rule: FileRule, keys: Sequence[UUID]) -> None:
    statement = f"""
        DELETE FROM catalog_removedfile gone USING {rule.table} line {rule.joins}
        WHERE gone.entity_type = %s AND gone.entity_id = ANY(%s) AND gone.removed_at IS NULL
        AND line.id = gone.entity_id AND ({rule.stays})
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [rule.entity_type, list(keys)])


def _files_of(rule: FileRule, keys: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return the files of the rows that are marked still, by the rows' keys."""
    statement = f"""
        SELECT line.id, {", ".join(f"line.{path}" for path in rule.paths)} FROM {rule.table} line
        JOIN catalog_removedfile gone ON gone.entity_id = line.id AND gone.entity_type = %s AND gone.removed_at IS NULL
        WHERE line.id = ANY(%s)
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [rule.entity_type, list(keys)])
        return {row[0]: [path for path in row[1:] if path] for row in cursor.fetchall()}


def _named_elsewhere(rule: FileRule, paths: Sequence[str]) -> set[str]:
    """Return those files that rows name which are not marked: of a file with several images all must be."""
    found: set[str] = set()
    unmarked = """
        AND NOT EXISTS (SELECT 1 FROM catalog_removedfile gone WHERE gone.entity_id = line.id AND gone.entity_type = %s)
    """
    with connection.cursor() as cursor:
        for column in rule.paths:
            cursor.execute(
                f"SELECT line.{column} FROM {rule.table} line WHERE line.{column} = ANY(%s) {unmarked}",  # noqa: S608
                [list(paths), rule.entity_type],
            )
            found |= {row[0] for row in cursor.fetchall()}
        for table, column in rule.also_named:
            cursor.execute(f"SELECT {column} FROM {table} WHERE {column} = ANY(%s)", [list(paths)])  # noqa: S608
            found |= {row[0] for row in cursor.fetchall()}
    return found


def _size_of(path: str) -> int:
    """Return the size of a file as it lies here, 0 where only the shared storage has it."""
    try:
        return storage.resolve(path).stat().st_size
    except FileNotFoundError:
        return 0


@transaction.atomic
def _say_removed(rule: FileRule, old: _Old, keys: list[UUID], size: int) -> None:
    if not keys:
        return
    statement = """
        UPDATE catalog_removedfile SET removed_at = now(), updated_at = now()
        WHERE entity_type = %s AND entity_id = ANY(%s)
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [rule.entity_type, keys])
    _record(rule, old, "remove_files", len(keys), size)


# --- Rows ---


@transaction.atomic
def _delete(rule: RowRule, old: _Old, after: UUID) -> Batch:
    count, reached = delete_rows(rule, after, old.before)
    if count:
        _record(rule, old, "delete_rows", count, 0)
    return Batch(count, 0, reached)


def _record(rule: FileRule | RowRule, old: _Old, action: str, count: int, size: int) -> None:
    audit.record(
        ("retention", rule.key),
        action,
        new={"count": count, "bytes": size, "days": old.days, "written_before": old.before.isoformat()},
        summary=f"{count} {rule.name}, by the retention of {old.days} days",
    )
