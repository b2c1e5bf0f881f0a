"""`make bench-movers-nights`: which asteroids are joined over several nights, and what is joined that is none.

Every sky holds six asteroids of the main belt, three near the Earth (0.08 to 0.5 au away) and one beyond Neptune, seen
in three nights, and ten tracklets a night that are chance's, half of which move as the belt does. Skies without
asteroids tell how often chance is taken for one. Seeds from 71 on are for stating results; tune on others.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np

from benchmarks.movers.skies import SkyParameters, sky_of
from differencing.numerics.movers import join

MAX_DAYS = 14
MAX_CHANCE = 0.05


@dataclass(frozen=True)
class Found:
    """Asteroids of each kind and those joined over all nights, false movers, and CPU seconds."""

    tried: Counter[str]
    whole: Counter[str]
    false: int
    seconds: float


def judged(p: SkyParameters) -> Found:
    """Join a sky's tracklets and compare with the truth."""
    tracklets, owner = sky_of(p)
    clock = time.process_time()
    kept = [each for each in join(tracklets, max_days=MAX_DAYS) if each.chance_rate <= MAX_CHANCE]
    seconds = time.process_time() - clock
    whole: Counter[str] = Counter()
    false = 0
    for each in kept:
        owners = set(owner[list(each.members)].tolist())
        if len(owners) > 1 or -1 in owners:
            false += 1
        elif len(each.members) == len(p.nights):
            whole[p.kinds[owners.pop()]] += 1
    return Found(Counter(p.kinds), whole, false, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(71, 81)))
    parser.add_argument("--blank-seeds", type=int, nargs="*", default=list(range(171, 211)))
    parser.add_argument("--chance", type=int, default=10, help="tracklets of chance in each night")
    options = parser.parse_args()
    found = [judged(SkyParameters(seed, chance=options.chance)) for seed in options.seeds]
    blank = [judged(SkyParameters(seed, kinds=(), chance=2 * options.chance)) for seed in options.blank_seeds]
    tried, whole = Counter[str](), Counter[str]()
    for each in found:
        tried.update(each.tried)
        whole.update(each.whole)
    for kind, count in tried.items():
        print(f"{kind}: {whole[kind]} of {count} joined over all three nights ({whole[kind] / count:.2f})")
    for name, several in (("with", found), ("without", blank)):
        if several:
            false, seconds = [each.false for each in several], [each.seconds for each in several]
            print(
                f"{len(several)} skies {name} asteroids: {np.mean(false):.3f} false movers each (stated: at most "
                f"{MAX_CHANCE:g}); {np.median(seconds):.1f} CPU s, at most {max(seconds):.1f}"
            )


if __name__ == "__main__":
    main()
