"""`make bench-differencing`: what the subtraction finds on simulated pairs, against what could be found at best.

The limit is the matched filter that knows PSFs, registration, sky and noise of the very pair, behind the same masks.
Seeds from 71 on are for stating results; tune on others.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.differencing import peers
from benchmarks.differencing.injections import judge_real
from benchmarks.differencing.judging import Found, grounds_of, judge
from benchmarks.differencing.limit import ideal
from benchmarks.differencing.methods import Method, configured, project
from benchmarks.differencing.real_frames import FOLDERS, real_pairs
from benchmarks.differencing.report import Report, Row, row_of
from benchmarks.differencing.scenarios import SCENARIOS, case_of
from benchmarks.differencing.vetoes import judge_vetoes

PSFS = ("given", "estimated")
ALGORITHMS = ("zogy", "matched", "auto")
PEERS = ("hotpants", "run_ZOGY", "sfft")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", nargs="*", default=list(SCENARIOS), choices=list(SCENARIOS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[71, 72, 73, 74, 75])
    parser.add_argument("--size", nargs="+", type=int, default=[1024], help="pixels on a side")
    parser.add_argument("--psf", nargs="*", default=list(PSFS), choices=PSFS, help="true PSFs, or the frames' own")
    parser.add_argument("--algorithms", nargs="*", default=list(ALGORITHMS), choices=ALGORITHMS)
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    parser.add_argument(
        "--real", nargs="*", default=list(FOLDERS), choices=list(FOLDERS), help="folders of real frames"
    )
    parser.add_argument(
        "--vetoes", action="store_true", help="what vetoes take and leave on the real frames, each seed"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps the simulated pairs")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each, of which the fastest counts")
    parser.add_argument("--json", type=Path, help="file for the same figures as JSON")
    options = parser.parse_args()
    import django

    django.setup()
    # What is compiled when it is first needed is of no frame's cost.
    project(case_of("easy", 1, 256, None), Method("estimated", "zogy"), configured(), 1)
    found, absent = peers.available()
    report = Report({name: why for name, why in absent.items() if name in options.peers})
    report.begin(options.size if options.scenarios else [])
    for size in options.size:
        for scenario in options.scenarios:
            for seed in options.seeds:
                for row in _pair(scenario, seed, size, options, found):
                    report.add(row)
    _real(options, report)
    report.end(options.json)


def _real(options: argparse.Namespace, report: Report) -> None:
    """Add sources to every real pair that is at hand."""
    if options.real:
        report.begin_real()
    for name in options.real:
        try:
            for pair in real_pairs(name, configured()):
                report.add_real(pair.folder, pair.file, judge_real(pair, configured(), options.seeds[0]))
                for seed in options.seeds if options.vetoes else ():
                    report.vetoes.append(judge_vetoes(pair, configured(), seed))
        except FileNotFoundError as error:
            print(f"{error}: skipped (ASTRID_TEST_DATA names their folder).", flush=True)
        except ValueError as error:
            print(f"{name} cannot be measured: {error}", flush=True)


def _pair(
    scenario: str, seed: int, size: int, options: argparse.Namespace, found: dict[str, peers.Method]
) -> Iterator[Row]:
    """Run every method on one pair."""
    case = case_of(scenario, seed, size, options.cache)
    grounds = grounds_of(case)
    best = judge(Found(*ideal(case)), case, grounds)
    yield Row(scenario, size, seed, "limit", row_of(best, best, {}))
    for method in (Method(psf, algorithm) for psf in options.psf for algorithm in options.algorithms):
        own, costs = project(case, method, configured(), options.repeats)
        yield Row(scenario, size, seed, method.name, row_of(judge(own, case, grounds), best, costs))
    for name in options.peers:
        if name in found:
            theirs, cost = found[name](case)
            yield Row(scenario, size, seed, name, row_of(judge(theirs, case, grounds), best, {"subtract": cost}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    main()
