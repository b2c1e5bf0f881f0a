"""What of a line of the AuditLog is sealed, and how its hash and that of a link are made: the recipe of the chain."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence

# Of a chain that has no link yet.
BEGINNING = "0" * 64
# No transaction stays open for as long, and no clock of ours is as wrong: what turns up later was put in afterwards.
LATE = dt.timedelta(minutes=15)
_MICROSECONDS = "(extract(epoch FROM {})*1000000)::bigint"
# What is sealed of a line, each as a text that the database makes the same at any time and in any time zone.
FIELDS = (
    "id", "created_at", "updated_at", "entity_type", "entity_id", "action", "user", "user_id", "old_values",
    "new_values", "change_summary", "reason", "group", "ip_address", "user_agent",
)  # fmt: skip
_TIMES = frozenset({"created_at", "updated_at"})


def microseconds(column: str) -> str:
    """Return SQL for a time as whole microseconds since 1970."""
    return _MICROSECONDS.format(column)


CONTENT = ", ".join(
    f"{microseconds(f'line.{name}')}::text" if name in _TIMES else f'line."{name}"::text' for name in FIELDS
)


def digest_of(content: Sequence[str | None]) -> str:
    """Return the SHA-256, in hexadecimal digits, of a line's FIELDS: of their JSON list without spaces, in ASCII."""
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def link_of(previous: str, position: int, sealed_at: int, digest: str) -> str:
    """Return the SHA-256, in hexadecimal digits, of a link: of what it covers, and of the hash before it.

    `sealed_at` is in microseconds since 1970. The line's own key is part of its digest.
    """
    return hashlib.sha256(f"1 {previous} {position} {sealed_at} {digest}".encode()).hexdigest()
