"""Waiting for facts: as long as a loaded machine takes, and no longer than only a hang takes."""

from __future__ import annotations

import time
from collections.abc import Callable

# What takes a second on a machine that is left alone may take minutes on one that is not.
PATIENCE_SECONDS = 120.0


def wait_for(
    is_so: Callable[[], object],
    explain: Callable[[], str] = str,
    *,
    every: float = 0.02,
    seconds: float = PATIENCE_SECONDS,
) -> None:
    """Look again and again until something is so; fail with an explanation when only a hang can be the reason."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"it never came: {explain()}"
        time.sleep(every)
