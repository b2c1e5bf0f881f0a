"""What a person can take back on the page without scripts: their session keeps it, as a script's page would."""

from __future__ import annotations

from dataclasses import asdict, fields
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from curation.triage.plain.answers import Done

_NAME, _MOST = "triage_plain", 40
# Beside what is kept of each: the window that it was done in, and "yes" once it was taken back.
_WINDOW, _IS_OVER = "window", "is_over"


def remember(session: SessionBase, window: UUID, done: Done) -> None:
    """Keep what can be taken back in a window; sent twice, it is one."""
    rows = [row for row in _rows(session) if row["group"] != str(done.group)]
    values = {name: str(value) for name, value in asdict(done).items()}
    session[_NAME] = [*rows, {**values, _WINDOW: str(window), _IS_OVER: ""}][-_MOST:]


def last(session: SessionBase, window: UUID) -> Done | None:
    """Return what the next undo of a window takes back."""
    rows = [row for row in _rows(session) if row[_WINDOW] == str(window) and not row[_IS_OVER]]
    return _read(rows[-1]) if rows else None


def find(session: SessionBase, group: str) -> Done | None:
    """Return what was done under a key, also where it was taken back already."""
    return next((_read(row) for row in _rows(session) if row["group"] == group), None)


def end(session: SessionBase, done: Done) -> None:
    """Note that something was taken back."""
    group = str(done.group)
    session[_NAME] = [{**row, _IS_OVER: "yes"} if row["group"] == group else row for row in _rows(session)]


def _rows(session: SessionBase) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = session.get(_NAME, [])
    return rows


def _read(row: dict[str, str]) -> Done:
    values = {field.name: row[field.name] for field in fields(Done)}
    return Done(UUID(values["group"]), UUID(values["detection"]), values["kind"], values["name"], values["said"])
