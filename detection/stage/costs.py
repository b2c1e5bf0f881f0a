"""What inference costs."""

from __future__ import annotations

import resource
import sys


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process in megabytes (macOS counts bytes, Linux kibibytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
