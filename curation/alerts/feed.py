"""What was published, read in order from any point in the past."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.db.models import F

from catalog.models import User
from curation.models import AlertPublication

# Of publications that are read at once.
_MOST_PUBLICATIONS = 1000


class CursorRefused(ValueError):
    """This is no cursor of the feed."""


def feed_page(since: str, page_size: int, user: User) -> tuple[list[AlertPublication], str]:
    """Return what was published after a cursor, in order, and the cursor after it; "" is the beginning.

    Each row knows in `alert_status` how far its alert has come. Raises CursorRefused for what is no cursor.
    """
    after = AlertPublication.objects.visible_to(user).filter(sequence__gt=_sequence(since)).order_by("sequence")
    rows: list[Any] = list(after.annotate(alert_status=F("alert__status"))[: min(page_size, _MOST_PUBLICATIONS)])
    return rows, cursor_at(rows[-1].sequence) if rows else since


def cursor_at(sequence: int) -> str:
    """Return the cursor after a publication."""
    return base64.urlsafe_b64encode(f"s{sequence}".encode()).decode().rstrip("=")


def _sequence(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise CursorRefused("This is no cursor of the feed: use `next_since` of an earlier answer.") from error
    if not text.startswith("s") or not text[1:].isdecimal() or len(text) > 19:
        raise CursorRefused("This is no cursor of the feed: use `next_since` of an earlier answer.")
    return int(text[1:])
