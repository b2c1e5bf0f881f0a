"""How often one client may ask. Each web process counts for itself."""

from __future__ import annotations

import math
import re
import time

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from catalog.models import ApiToken

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Tokens that are not known: from one address enough for a mistake in a script, and nothing for guessing; with the
# beginning of one and the same true token from wherever more, for it may be mistaken on many machines.
_FAILED_RATE, _FAILED_RATE_OF_ONE = "30/min", "120/min"


def parse_rate(rate: str) -> tuple[int, int]:
    """Return the number and the seconds of a rate such as 600/min; ValueError for what is none."""
    match = re.fullmatch(r"(\d+)/([smhd])\w*", rate)
    if match is None:
        raise ValueError(f"{rate!r} is not a rate: write it as 600/min.")
    return int(match[1]), _SECONDS[match[2]]


def count(key: str, rate: str) -> float | None:
    """Count one; return how many seconds to wait where it is one too many."""
    most, period = parse_rate(rate)
    now = time.time()
    window = math.floor(now / period)
    name = f"throttle:{key}:{window}"
    cache.add(name, 0, timeout=2 * period)
    try:
        counted = cache.incr(name)
    except ValueError:
        return None  # Cleared away for want of room between the two: it begins again.
    return None if counted <= most else max(1.0, (window + 1) * period - now)


class FailedTokens:
    """Tokens that were not known, by the address that they came from, and by how they begin."""

    def count(self, request: Request, prefix: str) -> float | None:
        """Count one more; return how many seconds to wait where there were too many."""
        waits = [
            count(f"failed:{request.META.get('REMOTE_ADDR', '')}", _FAILED_RATE),
            count(f"failed-token:{prefix}", _FAILED_RATE_OF_ONE) if prefix else None,
        ]
        return max((wait for wait in waits if wait is not None), default=None)


class PerClient(BaseThrottle):
    """Requests of one token, or of one person's browser, at `ASTRID_API_RATE`."""

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: object) -> bool:
        if is_repeat(request) or not request.user.is_authenticated:
            return True
        who = f"token:{request.auth.pk}" if isinstance(request.auth, ApiToken) else f"user:{request.user.pk}"
        self._wait = count(who, settings.ASTRID_API_RATE)
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait


def is_repeat(request: Request) -> bool:
    """Tell whether the server itself asks again, for a client that waits."""
    return bool(getattr(request._request, "scope", {}).get("astrid.repeat"))
