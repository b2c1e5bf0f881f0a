"""Memory that a piece of work has used goes back to the system."""

from __future__ import annotations

import ctypes
import sys

_LIBRARY = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
# glibc's names for what it keeps at the top of its heap, and for what never lies in the heap.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# Images of large frames go back as soon as they are freed; smaller pieces are kept for the next one, which is faster.
_LARGE_BYTES, _KEPT_BYTES = 8 * 2**20, 64 * 2**20


def hold_little() -> None:
    """Let large arrays go back when they are freed; nothing happens where the C library cannot be told.

    Left alone, glibc learns from the first large array that is freed to keep all later ones.
    """
    tell = getattr(_LIBRARY, "mallopt", None)
    if tell is not None:
        tell(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        tell(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def give_back() -> None:
    """Return what is freed but still held: a worker that waits would go on holding half a gigabyte."""
    trim = getattr(_LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(0)
