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
