"""`make bench-differencing`: what the subtraction finds on simulated pairs, against what could be found at best.

Completeness stands as a share of the limit: the matched filter that knows PSFs, registration, sky and noise of the very
pair, behind the same masks.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.differencing.judging import Found, grounds_of, judge
from benchmarks.differencing.limit import ideal
from benchmarks.differencing.methods import Cost, configured, project
from benchmarks.differencing.scenarios import SCENARIOS, case_of

COLUMNS = (
    "limit", "whole", "far", "host", "plus", "minus", "false", "bias", "noise", "before", "mean",
    "cpu", "MB", "psf_cpu",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", nargs="+", default=sorted(SCENARIOS), choices=sorted(SCENARIOS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[71, 72, 73, 74, 75])
    parser.add_argument("--size", type=int, default=1024, help="pixels on a side")
    parser.add_argument("--psf", nargs="+", default=["given", "estimated"], choices=["given", "estimated"])
    parser.add_argument("--cache", type=Path, help="folder that keeps the simulated pairs")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each, of which the fastest counts")
    options = parser.parse_args()
    import django

    django.setup()
    print(HEADER, flush=True)
    rows = defaultdict(list)
    for scenario in options.scenarios:
        for seed in options.seeds:
            for psf, row in _pair(scenario, seed, options):
                rows[scenario, psf].append(row)
                print(_line(scenario, str(seed), psf, row), flush=True)
    print("\nmean and scatter over the seeds\n" + HEADER)
    for (scenario, psf), each in rows.items():
        print(_line(scenario, "mean", psf, {k: np.mean([r[k] for r in each]) for k in COLUMNS}))
        if len(each) > 1:
            print(_line(scenario, "±", psf, {k: np.std([r[k] for r in each], ddof=1) for k in COLUMNS}))


def _pair(scenario: str, seed: int, options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    case = case_of(scenario, seed, options.size, options.cache)
    grounds = grounds_of(case)
    best = judge(Found(*ideal(case)), case, grounds)
    yield "limit", _row(asdict(best), asdict(best), {})
    for psf in options.psf:
        found, costs = project(case, psf, configured(), options.repeats)
        yield psf, _row(asdict(judge(found, case, grounds)), asdict(best), costs)


def _row(own: dict[str, float], best: dict[str, float], costs: dict[str, Cost]) -> dict[str, float]:
    ratio = {name: own[name] / best[name] for name in ("far", "host", "plus", "minus")}
    cost = costs.get("subtract")
    row = {
        "limit": best["share"], "whole": own["share"] / best["share"], **ratio, "false": own["false"],
        "bias": 100 * own["bias"], "noise": own["noise"], "before": own["noise_before"], "mean": own["mean"],
        "cpu": cost.seconds if cost else float("nan"), "MB": cost.extra_mb if cost else float("nan"),
        "psf_cpu": costs["measure"].seconds if costs else float("nan"),
    }  # fmt: skip
    return {name: float(value) for name, value in row.items()}


_FORMATS = dict.fromkeys(COLUMNS, "{:8.3f}") | {"false": "{:8.1f}", "bias": "{:+8.2f}", "MB": "{:8.0f}"}
HEADER = f"{'scenario':14} {'seed':>5} {'psf':9} " + " ".join(f"{name:>8}" for name in COLUMNS)


def _line(scenario: str, seed: str, psf: str, row: dict[str, float]) -> str:
    return f"{scenario:14} {seed:>5} {psf:9} " + " ".join(_FORMATS[name].format(row[name]) for name in COLUMNS)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
