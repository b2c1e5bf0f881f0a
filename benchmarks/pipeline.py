"""`make bench-pipeline`: seconds and memory from FITS on disk to detections in the database, one core.

Each size runs in a process of its own with an empty data root: a simulated reference night is processed first, then
the frames of the second night are timed, stage by stage. Times are of this process on one core; the machine's load is
not controlled, so that the median over frames counts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TypedDict

# What the project promises: seconds for a frame, and megabytes of the whole process.
GOALS = {1024: (10.0, None), 2048: (30.0, 1500.0)}
STAGES = ("ingest", "preprocess", "register", "difference", "detect")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=sorted(GOALS))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    print(
        f"{'size':>6} {'frames':>6} " + " ".join(f"{name:>10}" for name in STAGES) + f" {'whole/s':>8} {'peak/MB':>8}"
    )
    for size in options.sizes:
        result = _in_own_process(size)
        row = " ".join(f"{result['median'][name]:10.2f}" for name in STAGES)
        print(f"{size:6d} {result['frames']:6d} {row} {result['whole']:8.2f} {result['peak_mb']:8.0f}", flush=True)
        seconds, megabytes = GOALS.get(size, (None, None))
        if seconds is not None:
            print(f"       goal: {seconds:g} s" + ("" if megabytes is None else f", {megabytes:g} MB"))


class Figures(TypedDict):
    """Frames that were timed, median seconds of each stage and of the whole, and the most memory."""

    frames: int
    median: dict[str, float]
    whole: float
    peak_mb: float


def _in_own_process(size: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="astrid-bench-") as root:
        environment = {**os.environ, "ASTRID_DATA_ROOT": root, "ASTRID_THREADS": "1", "OMP_NUM_THREADS": "1"}
        environment["DJANGO_SETTINGS_MODULE"] = "astrid_site.settings"
        command = [sys.executable, "-m", "benchmarks.pipeline", "--one", str(size)]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        result: Figures = json.loads(done.stdout.splitlines()[-1])
        return result


def measure(size: int) -> Figures:
    """Process one reference night, then time every frame of the next."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import django

    django.setup()
    from astrid_site.running import database
    from observations.delivery.simulated import parameters_of, write_synthetic_nights

    with tempfile.TemporaryDirectory() as name, database.usable(_quiet):
        folder = Path(name)
        for _ in write_synthetic_nights(folder, parameters_of(seed=1, size=size, nights=2, frames=3)):
            continue
        before = _ingest([path for path in sorted(folder.glob("*.fits")) if "night2_light" not in path.name])
        _stages(before, _Clock())
        clocks = []
        for path in sorted(folder.glob("night2_light*.fits")):
            clock = _Clock()
            with_path = clock.timed("ingest", _ingest, [path])
            if _stages(with_path, clock):
                clocks.append(clock.seconds)
    median = {name: statistics.median(c[name] for c in clocks) for name in STAGES}
    whole = statistics.median(sum(c.values()) for c in clocks)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {"frames": len(clocks), "median": median, "whole": whole, "peak_mb": peak}


class _Clock:
    """Seconds of each named step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, name, work, *arguments):  # type: ignore[no-untyped-def]
        start = time.perf_counter()
        result = work(*arguments)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
        return result


def _quiet(line: str) -> None:
    """Progress is of no interest here."""


def _ingest(paths):  # type: ignore[no-untyped-def]
    from catalog.configuration.values import snapshot
    from observations.delivery.ingest import Overrides, ingest_paths
    from observations.models import Observation

    results = ingest_paths(paths, overrides=Overrides(), config=snapshot(), report=_quiet)
    ids = [r.entity_id for r in results if r.entity_type == "observation" and r.entity_id is not None]
    return list(Observation.objects.filter(pk__in=ids).order_by("mjd_utc"))


def _stages(observations, clock: _Clock) -> bool:  # type: ignore[no-untyped-def]
    """Run the stages on the observations; tell whether all of them came to their end (clouded ones do not)."""
    from astrid_site.night.foreground import run_stage
    from observations.models import Observation, ObservationStatus

    run_stage("masters", "night", [(night.isoformat(), "") for night in {o.night for o in observations}], _quiet)
    ids = [(o.pk, "") for o in observations]
    clock.timed("preprocess", run_stage, "preprocess", "observation", ids, _quiet)
    clock.timed(
        "register", run_stage, "register", "field", [(f, "") for f in {o.field_id for o in observations}], _quiet
    )
    good = Observation.objects.filter(pk__in=[o.pk for o in observations], status=ObservationStatus.PREPROCESSED)
    ids = [(pk, "") for pk in good.values_list("pk", flat=True)]
    if not ids:
        return False
    clock.timed("difference", run_stage, "difference", "observation", ids, _quiet)
    clock.timed("detect", run_stage, "detect", "observation", ids, _quiet)
    return True


if __name__ == "__main__":
    main()
