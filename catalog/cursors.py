"""Places in lists and in the feed as clients keep them: texts that say nothing to them."""

from __future__ import annotations

import base64
import binascii

_LONGEST = 1000  # characters: a key and a few values


class CursorRefused(ValueError):
    """This is no cursor of what was asked for; the text says what to do."""


def packed(text: str) -> str:
    """Return a text as a cursor."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unpacked(cursor: str) -> str:
    """Undo `packed`; ValueError for what nobody packed."""
    if len(cursor) > _LONGEST:
        raise ValueError("too long")
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except binascii.Error as error:
        raise ValueError("no base64") from error
