"""Keys of what work in this app is about."""

from __future__ import annotations

from datetime import date
from uuid import UUID


def field_night(field_id: UUID, night: date) -> str:
    """Return the key of one field in one night."""
    return f"{field_id}/{night.isoformat()}"


def field_and_night(key: str) -> tuple[UUID, date]:
    """Undo `field_night`."""
    field_id, _, night = key.partition("/")
    return UUID(field_id), date.fromisoformat(night)
