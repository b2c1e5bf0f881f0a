"""Examples for tests of what is done with them, not of what is seen in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.numerics.examples import Examples
from detection.numerics.gathered import Gathered, gathered


def examples_of(count: int, group: Sequence[str], *, seed: int = 1, size: int = 1) -> Examples:
    """Return noise, every second one real, with a bright middle if it is."""
    rng = np.random.default_rng(seed)
    is_real = np.arange(count) % 2 == 0
    stamps = rng.normal(0.0, 1.0, (count, 4, size, size)).astype(np.float16)
    stamps[:, 3] = 0.0
    middle = slice(max(size // 2 - 1, 0), size // 2 + 2)
    stamps[is_real, 2, middle, middle] += np.float16(4.0)
    kind = np.where(is_real, "hostless", "bogus")
    same = [np.full(count, value, dtype=np.float32) for value in (3.0, 9.0)]
    return Examples(stamps, same[0], is_real, kind, np.asarray(group, dtype=np.str_), same[1])


def independent(count: int = 240, *, seed: int = 1, origin: str = "simulated", size: int = 63) -> Gathered:
    """Return examples of many exposures that have nothing in common, ten of each."""
    group = [f"{origin} {seed} {k // 10}" for k in range(count)]
    return gathered(examples_of(count, group, seed=seed, size=size), origin, camera="simulated, any")
