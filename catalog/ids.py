"""Keys that sort by the time of their making: UUID version 7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

# RFC 9562, 6.2 method 3: the 12 bits after the millisecond hold its fraction, so one tick is 1/4096 ms.
_TICKS_PER_MS = 4096
_NS_PER_MS = 1_000_000


class _Ticks:
    """The clock in ticks, at least one more at each reading."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        with self._lock:
            self._last = max(time.time_ns() * _TICKS_PER_MS // _NS_PER_MS, self._last + 1)
            return self._last


_ticks = _Ticks()


def uuid7() -> UUID:
    """Return a new key; keys made by one process never go backwards, even where the clock does."""
    milliseconds, fraction = divmod(_ticks.next(), _TICKS_PER_MS)
    tail = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail)
