"""How long readers of alerts wait at any depth, and what they cost the processor of the server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tests.receivers import Receivers

REPEATS = 60


@dataclass(frozen=True)
class Site:
    """A site that runs: who asks it, what it has cost its processor so far, in seconds, and who is told of alerts."""

    client: httpx.Client
    processor_s: Callable[[], float]
    receivers: Receivers


@dataclass(frozen=True)
class Cost:
    """Of one request: the median that its client waits, and the server's processor, in milliseconds; bytes."""

    wait_ms: float
    processor_ms: float
    size: int


def cost_of(site: Site, path: str, repeats: int = REPEATS, **parameters: str | int) -> Cost:
    """Ask for one thing again and again."""
    for _ in range(5):
        answer = site.client.get(path, params=parameters).raise_for_status()
    waits, before = [], site.processor_s()
    for _ in range(repeats):
        begun = time.perf_counter()
        answer = site.client.get(path, params=parameters)
        waits.append(time.perf_counter() - begun)
    used = (site.processor_s() - before) / repeats
    return Cost(1000.0 * statistics.median(waits), 1000.0 * used, len(answer.content))


def told(name: str, cost: Cost) -> None:
    """Print a line."""
    print(f"{name:44s} {cost.wait_ms:8.1f} ms  processor {cost.processor_ms:6.1f} ms  {cost.size / 1000:8.0f} kB")
