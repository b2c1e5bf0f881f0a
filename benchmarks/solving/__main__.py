"""`make bench-solving`: which share of frames is placed on the sky, how well, how fast, and whether ever wrongly.

Every frame has lost its pointing, by up to a degree in each axis, and its scale, by up to a tenth. Its catalogue lacks
40 of 100 stars, has as many false ones, and is blurred by 0.3 arcsec and 0.2 mag. Real frames lie at random places of
the sky, against their own stars alone and with the searched sky filled as densely; simulated fields have 0.3 to 20
arcsec a pixel and 15 to 500 stars, are turned by any angle, half of them mirrored, and some half clouded or trailed.
Every fourth is looked for in the sky of another one as well: that must fail. Seeds from 1000 on are for stating
results.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain

import django
import numpy as np

from benchmarks.solving.problems import ELSEWHERE, POSITION_ARCSEC, Problem, scale_of, simulations
from preprocessing.numerics.astrometry.solution import MatchFailed, WcsInvalid, solve_with_catalogue

SOLVED_GOAL, SECONDS_GOAL = 0.98, 1.0
# A place off by more than this, or by ten errors of the catalogue, is another place.
WRONG_PX = 5.0
# To look through a whole sky in vain takes longest.
SWAPPED_EVERY = 4


@dataclass(frozen=True)
class Outcome:
    """What became of one frame: off by how many px at worst, None where it was not solved; CPU seconds."""

    group: str
    miss_px: float | None
    is_wrong: bool
    seconds: float
    false_match_probability: float | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=1000, help="seed of the first simulated field")
    parser.add_argument("--fields", type=int, default=200, help="simulated fields")
    parser.add_argument("--draws", type=int, default=5, help="random places of each real frame")
    options = parser.parse_args()
    django.setup()
    # Loops are compiled before anything is timed.
    list(map(_solve, simulations(0, 2)))
    outcomes: list[Outcome] = []
    previous: Problem | None = None
    problems = chain(simulations(options.first, options.fields), _real(options.draws))
    for number, problem in enumerate(problems):
        outcomes.append(_solve(problem))
        # Draws of one real frame see the same stars: to find them is right.
        if previous is not None and number < options.fields and number % SWAPPED_EVERY == 0:
            outcomes.append(_solve(_swapped(problem, previous)))
        previous = problem
    for line in _lines(outcomes):
        print(line)


def _real(draws: int) -> Iterable[Problem]:
    from benchmarks.differencing.methods import configured
    from benchmarks.solving.real import SCALES_ARCSEC, problems_of

    for name in SCALES_ARCSEC if draws else ():
        for is_filled in (False, True):
            try:
                yield from problems_of(name, configured(), draws, is_filled=is_filled)
            except FileNotFoundError as error:
                print(error)


def _swapped(problem: Problem, other: Problem) -> Problem:
    """Return a frame that is looked for in the sky of another one, at the scale that fits there."""
    return replace(other, kind=ELSEWHERE, xy=problem.xy, flux=problem.flux, shape=problem.shape)


def _solve(problem: Problem) -> Outcome:
    clock = time.process_time()
    try:
        solved = solve_with_catalogue(problem.xy, problem.flux, problem.shape, problem.pointing, problem.catalogue)
    except (MatchFailed, WcsInvalid):
        return Outcome(problem.group, None, False, time.process_time() - clock)
    seconds = time.process_time() - clock
    miss = problem.miss_px(solved.wcs)
    is_wrong = problem.is_elsewhere or miss > max(WRONG_PX, 10 * POSITION_ARCSEC / scale_of(problem.truth))
    return Outcome(problem.group, miss, is_wrong, seconds, solved.false_match_probability)


def _lines(outcomes: Iterable[Outcome]) -> Iterable[str]:
    groups = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.group].append(outcome)
    yield f"{'':44}    n  solved  wrong  median miss px  seconds: median, 95 %, most"
    for name, several in groups.items():
        right = [o.miss_px for o in several if o.miss_px is not None and not o.is_wrong]
        seconds = np.array([o.seconds for o in several])
        yield (
            f"{name:44} {len(several):4d}  {len(right) / len(several):5.1%}  {sum(o.is_wrong for o in several):5d}  "
            f"{np.median(right) if right else np.nan:14.2f}  "
            f"{np.median(seconds):.2f} {np.percentile(seconds, 95):.2f} {seconds.max():.2f}"
        )
    chances = [o.false_match_probability for several in groups.values() for o in several]
    known = [chance for chance in chances if chance is not None]
    yield f"goal: {SOLVED_GOAL:.0%} solved, none wrong, {SECONDS_GOAL:g} s each"
    if known:
        yield f"false-match probabilities of what was solved: median {np.median(known):.1g}, highest {max(known):.1g}"


if __name__ == "__main__":
    main()
