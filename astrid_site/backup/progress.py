"""How far long work has come, told now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

Say = Callable[[str], None]

_EVERY_SECONDS = 5.0


class Progress:
    """Tells a line at most every few seconds."""

    def __init__(self, say: Say) -> None:
        self.say, self._last = say, time.monotonic()

    def __call__(self, line: str) -> None:
        if time.monotonic() - self._last >= _EVERY_SECONDS:
            self.say(line)
            self._last = time.monotonic()


def size(count: int) -> str:
    """Return so many bytes in words: 2500000 is "2.5 MB"."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"
