"""What retention would remove now, and what it would keep and why, without touching anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction

from catalog.configuration.values import Snapshot, acceptable
from catalog.files import storage
from catalog.retention.rules import FileRule, RowRule, rules
from catalog.retention.sweeping import old_by
from catalog.writing import size

# The mean of so many files stands for all.
_MEASURED = 500


@dataclass(frozen=True)
class Foreseen:
    """What one rule would do: days 0 if it keeps all. size_bytes: of all, from the mean of some if `is_estimate`.

    kept : how many old ones stay, by the reason. is_counted : whether there was time enough to count.
    """

    name: str
    key: str
    days: int
    count: int = 0
    oldest: dt.datetime | None = None
    size_bytes: int | None = None
    is_estimate: bool = False
    kept: Mapping[str, int] | None = None
    is_counted: bool = True

    @property
    def _age(self) -> str:
        return f"{self.days} day{'s' if self.days != 1 else ''}"

    @property
    def first_line(self) -> str:
        """Return in words what would go."""
        name = f"{self.name[:1].upper()}{self.name[1:]}"
        if not self.days:
            return f"{name}: all are kept for ever ({self.key} is 0)."
        if not self.is_counted:
            return f"{name}, older than {self._age}: too many to count here; manage.py tidy --dry-run does."
        about = "about " if self.is_estimate else ""
        large = "" if self.size_bytes is None or not self.count else f", {about}{size(self.size_bytes)}"
        oldest = "" if self.oldest is None else f", the oldest of {self.oldest:%Y-%m-%d}"
        return f"{name}, older than {self._age}: {self.count} would be removed{large}{oldest}."

    @property
    def reasons(self) -> list[str]:
        """Return how many are kept, and why."""
        return [f"{count} kept: {words}" for words, count in (self.kept or {}).items()]


def foresee(seconds: float | None = None) -> list[Foreseen]:
    """Return what each rule would do; a rule that takes longer than so many seconds to count is not counted."""
    config = acceptable()
    return [_foreseen(rule, config, seconds) for rule in rules()]


def _foreseen(rule: FileRule | RowRule, config: Snapshot, seconds: float | None) -> Foreseen:
    old = old_by(rule, config)
    if old is None:
        return Foreseen(rule.name, rule.key, 0)
    try:
        with transaction.atomic():
            if seconds is not None:
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
            counts = _counted(rule, old.before)
            size = _size(rule, old.before, counts.get("", (0, None))[0]) if isinstance(rule, FileRule) else None
            if seconds is not None:
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL statement_timeout = 0")
    except OperationalError:
        return Foreseen(rule.name, rule.key, old.days, is_counted=False)
    count, oldest = counts.pop("", (0, None))
    kept = {words: found[0] for words, found in counts.items()}
    return Foreseen(rule.name, rule.key, old.days, count, oldest, size, count > _MEASURED, kept)


def _counted(rule: FileRule | RowRule, before: dt.datetime) -> dict[str, tuple[int, dt.datetime | None]]:
    has_files = rule.has_files if isinstance(rule, FileRule) else "true"
    statement = f"""
        SELECT {rule.reason}, count(*), min({rule.written_at}) FROM {rule.table} line {rule.joins}
        WHERE {rule.only} AND {rule.written_at} < %s AND {has_files} GROUP BY 1 ORDER BY 2 DESC
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [before])
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def _size(rule: FileRule, before: dt.datetime, count: int) -> int:
    statement = f"""
        SELECT {", ".join(f"line.{path}" for path in rule.paths)} FROM {rule.table} line {rule.joins}
        WHERE {rule.only} AND {rule.written_at} < %s AND {rule.has_files} AND NOT ({rule.stays}) LIMIT {_MEASURED}
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [before])
        rows = cursor.fetchall()
    sizes = [sum(_size_of(path) for path in row if path) for row in rows]
    return round(sum(sizes) / len(sizes) * count) if sizes else 0


def _size_of(path: str) -> int:
    try:
        return storage.resolve(path).stat().st_size
    except FileNotFoundError:
        return 0
