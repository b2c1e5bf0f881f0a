"""How this program names itself to other machines, and what their answers say of when to come back."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from django.conf import settings

VERSION = "0.1.0"
# Whoever asks for more may be wrong: after so long they are asked whether they still want it.
LONGEST_RETRY_AFTER_SECONDS = 6 * 3600.0


def user_agent() -> str:
    """Return the name and version of this program, and whom to write to where the site has said so."""
    contact = settings.ASTRID_CONTACT
    return f"AstrID/{VERSION} ({contact})" if contact else f"AstrID/{VERSION}"


def headers() -> dict[str, str]:
    """Return what every request carries: what comes is to be the bytes that are stored there."""
    return {"User-Agent": user_agent(), "Accept-Encoding": "identity"}


def seconds_of(retry_after: str, now: datetime) -> float | None:
    """Return what `Retry-After` asks for, whole seconds or a time, up to six hours; None for nothing that is one."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        seconds = float(text[:12])
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        # A time without a zone, "-0000", is UTC.
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)
