"""What a piece of work costs: processor time and memory. Of the standard library only: peers run it as well."""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """seconds : of the processor, wall_s : of the clock, each the least of several runs. extra_mb : the most memory
    above that before, NaN where the system does not tell."""

    seconds: float
    wall_s: float
    extra_mb: float


def costing(work: Callable[[], T], repeats: int = 1) -> tuple[T, Cost]:
    """Do the work once or more; return its result and its cost."""
    seconds, wall, extra = [], [], []
    for _ in range(max(1, repeats)):
        result = None  # the former result's memory is not the next one's
        gc.collect()
        before = _reset_peak()
        start = time.process_time(), time.perf_counter()
        result = work()
        seconds.append(time.process_time() - start[0])
        wall.append(time.perf_counter() - start[1])
        extra.append(peak_mb() - before)
    return result, Cost(min(seconds), min(wall), extra[0])  # type: ignore[return-value]


def _reset_peak() -> float:
    """Give unused memory back, forget the highest mark, return the present one in MB; NaN where that cannot be done."""
    if not sys.platform.startswith("linux"):
        return float("nan")
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


def peak_mb(process: str = "self") -> float:
    """Return the most memory that a process has held, MB; NaN where the system does not tell, or where it has ended."""
    status = Path("/proc", process, "status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))
