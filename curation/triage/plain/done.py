"""What a person can take back on the page without scripts: their session keeps it, as a script's page would."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

from curation.triage.plain.answers import Done

_NAME, _MOST = "triage_plain", 40
Session = MutableMapping[str, Any]


def remember(session: Session, window: UUID, done: Done) -> None:
    """Keep what can be taken back in a window; sent twice, it is one."""
    rows = [row for row in session.get(_NAME, []) if row["group"] != str(done.group)]
    values = {name: str(value) for name, value in asdict(done).items()}
    session[_NAME] = [*rows, {**values, "window": str(window), "is_over": False}][-_MOST:]


def last(session: Session, window: UUID) -> Done | None:
    """Return what the next undo of a window takes back."""
    rows = [row for row in session.get(_NAME, []) if row["window"] == str(window) and not row["is_over"]]
    return _read(rows[-1]) if rows else None


def find(session: Session, group: str) -> Done | None:
    """Return what was done under a key, also where it was taken back already."""
    return next((_read(row) for row in session.get(_NAME, []) if row["group"] == group), None)


def end(session: Session, done: Done) -> None:
    """Note that something was taken back."""
    rows = session.get(_NAME, [])
    session[_NAME] = [row | {"is_over": row["is_over"] or row["group"] == str(done.group)} for row in rows]


def _read(row: dict[str, Any]) -> Done:
    values = {field.name: row[field.name] for field in fields(Done)}
    return Done(**{**values, "group": UUID(row["group"]), "detection": UUID(row["detection"])})
