"""Many people at once, each of whom answers once a second, in processes of their own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import chain
from multiprocessing.synchronize import Barrier

from benchmarks.triage.client import BUNDLE, Curator

_PROCESSES = 4
# So many lie ready for each person, as in a browser that has been open for a while.
_AHEAD = 24

# Key of a person, and of their session.
Who = tuple[str, str]
# What one was given, as lists of detections, and in how many milliseconds each answer was saved.
Told = tuple[list[list[str]], list[float]]


def work(address: str, everybody: Sequence[Who], seconds: int) -> list[Told]:
    """Let everybody answer once a second for so long; return what each was given and how long each save took."""
    groups = [everybody[number::_PROCESSES] for number in range(_PROCESSES)]
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(len(everybody))
    with ProcessPoolExecutor(_PROCESSES, spawn, initializer=_share, initargs=(ready,)) as processes:
        tasks = [processes.submit(_group, address, group, seconds) for group in groups]
        return list(chain.from_iterable(task.result() for task in tasks))


def twice(told: Sequence[Told]) -> int:
    """Return how many items were handed to two: those with a detection that an earlier one has."""
    seen: set[str] = set()
    count = 0
    for detections in chain.from_iterable(given for given, _ in told):
        count += not seen.isdisjoint(detections)
        seen.update(detections)
    return count


_ready: list[Barrier] = []


def _share(ready: Barrier) -> None:
    """Keep what everybody waits at until all have their first items, and until all have answered."""
    _ready.append(ready)


def _group(address: str, group: Sequence[Who], seconds: int) -> list[Told]:
    with ThreadPoolExecutor(len(group)) as threads:
        # Spread over the second, as people are.
        delays = [number / len(group) for number in range(len(group))]
        return list(threads.map(lambda who, delay: _until_all_fail(address, who, delay, seconds), group, delays))


def _until_all_fail(address: str, who: Who, delay: float, seconds: int) -> Told:
    """Let one person work; where that fails, nobody waits for them."""
    try:
        return _person(address, who, delay, seconds)
    except Exception:
        _ready[0].abort()
        raise


def _person(address: str, who: Who, delay: float, seconds: int) -> Told:
    curator = Curator(address, *who)
    while len(curator.items) < _AHEAD:
        curator.fetch()
    _ready[0].wait()
    start = time.monotonic() + delay
    for beat in range(seconds):
        time.sleep(max(start + beat - time.monotonic(), 0.0))
        curator.answer()
        if len(curator.items) <= _AHEAD - BUNDLE:
            before = len(curator.items)
            curator.fetch()
            for item in curator.items[before:]:
                curator.look(item)
    # What one gives back is rightly given to another.
    _ready[0].wait()
    curator.leave()
    return curator.given, curator.saves
