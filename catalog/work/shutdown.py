"""Whether this worker is to end: one flag that the main process sets and the processes forked from it see."""

from __future__ import annotations

import mmap
import struct
import time

# Shared with forked children: the moment of the order by the monotonic clock, which they share too; 0: none.
_moment = mmap.mmap(-1, 8)


def begin() -> None:
    """Say that the worker is to end."""
    _moment[:8] = struct.pack("d", time.monotonic())


def has_begun() -> bool:
    """Tell whether the worker is to take no more work."""
    return struct.unpack("d", _moment[:8])[0] > 0.0


def seconds_since() -> float:
    """Return how long ago the worker was told to end; 0 where it was not."""
    moment = struct.unpack("d", _moment[:8])[0]
    return time.monotonic() - moment if moment else 0.0
