"""Loops over pixels as machine code, and the rows of an image shared out among threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numba
from numba.core import config

Function = TypeVar("Function", bound=Callable[..., object])

# NaN and infinity keep their meaning; only the order of sums is the compiler's.
FAST_MATH = {"reassoc", "contract", "arcp", "nsz"}


def compiled(function: Function) -> Function:
    """Compile a loop when it is first called, and keep the code on disk for every later process.

    The code lies in `__pycache__`, or where NUMBA_CACHE_DIR says. It is made anew when the file of the loop changes,
    and only then: a loop calls no loops of other files.
    """
    loop = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST_MATH)(function)
    return cast("Function", loop)


def thread_count() -> int:
    """Return how many threads this process may compute with, as NUMBA_NUM_THREADS said when it started."""
    return int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]  # made at import from the environment


def by_strips(work: Callable[[int, int], None], length: int, height: int) -> None:
    """Call `work(start, stop)` for strips of `height` rows that cover `length`, in threads where there are several.

    The strips are independent of each other, so that the result does not depend on the number of threads.
    """
    starts = range(0, length, height)
    ends = [min(start + height, length) for start in starts]
    threads = min(thread_count(), len(starts))
    if threads <= 1:
        for start, end in zip(starts, ends, strict=True):
            work(start, end)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, starts, ends):
            continue
