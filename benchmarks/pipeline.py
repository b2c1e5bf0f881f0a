"""`make bench-pipeline`: seconds and memory from FITS on disk to detections in the database.

Each size runs in a process of its own with an empty data root: a simulated reference night is processed first, then
the frames of the second night are measured, stage by stage. Seconds are those that the process computed, on all of its
threads, so that other work on the machine counts little; the wall's stand beside them. What PostgreSQL computes in its
own processes is in the wall's alone. Memory is what the process held at most while it did the second night's frames,
above what it held once Python and all libraries were loaded. Large frames, such as 7822 (61 megapixels), are measured
on demand: they need 5 GB of disk and a quarter of an hour.
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
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar

if TYPE_CHECKING:
    from observations.models import Observation

Result = TypeVar("Result")

# What the project promises of one core: CPU seconds for a frame, and megabytes above the libraries'.
GOALS = {1024: (1.2, None), 2048: (4.0, 340.0), 4096: (None, 1400.0), 7822: (60.0, 4000.0)}
SIZES = (1024, 2048)
STAGES = ("ingest", "preprocess", "register", "difference", "detect")


class Figures(TypedDict):
    """Frames measured, medians of CPU seconds of each stage and of CPU and wall seconds of the whole, and memory."""

    frames: int
    median: dict[str, float]
    cpu: float
    wall: float
    base_mb: float
    above_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="sides of the square frames, px")
    parser.add_argument("--threads", type=int, nargs="*", default=[1], help="threads of the numerics, one run each")
    parser.add_argument("--simulate", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.simulate:
        _simulate(options.simulate, options.sizes[0])
        return
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    names = " ".join(f"{name:>10}" for name in STAGES)
    print(
        f"{'size':>6} {'threads':>7} {'frames':>6} {names} {'CPU s':>7} {'wall s':>7} {'MB above':>8} {'libraries':>9}"
    )
    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="astrid-bench-") as name:
            folder = Path(name)
            _run(folder / "simulation", 1, "--simulate", folder / "night", "--sizes", size)
            for threads in options.threads:
                output = _run(folder / f"root{threads}", threads, "--measure", folder / "night")
                _show(size, threads, json.loads(output.splitlines()[-1]))


def _run(root: Path, threads: int, *arguments: object) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")} | {
        "ASTRID_DATA_ROOT": str(root),
        "ASTRID_THREADS": str(threads),
        "DJANGO_SETTINGS_MODULE": "astrid_site.settings",
    }
    command = [sys.executable, "-m", "benchmarks.pipeline", *map(str, arguments)]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def _show(size: int, threads: int, figures: Figures) -> None:
    stages = " ".join(f"{figures['median'][name]:10.2f}" for name in STAGES)
    memory = f"{figures['above_mb']:8.0f} {figures['base_mb']:9.0f}"
    print(
        f"{size:6d} {threads:7d} {figures['frames']:6d} {stages} {figures['cpu']:7.2f} {figures['wall']:7.2f} {memory}"
    )
    units = ("CPU s", "MB above the libraries")
    goals = [f"{goal:g} {unit}" for goal, unit in zip(GOALS.get(size, ()), units, strict=False) if goal is not None]
    if goals and threads == 1:
        print(f"       goal: {', '.join(goals)}")
    sys.stdout.flush()


def _simulate(folder: Path, size: int) -> None:
    """Write two nights; in a process of its own, whose memory is not that of the pipeline."""
    import django

    django.setup()
    from observations.delivery.simulated import parameters_of, write_synthetic_nights

    for _ in write_synthetic_nights(folder, parameters_of(seed=1, size=size, nights=2, frames=3)):
        continue


def measure(folder: Path) -> Figures:
    """Process one reference night, then measure every frame of the next."""
    import django

    django.setup()
    from django.conf import settings

    from astrid_site.running import database

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: settings.ASTRID_THREADS]))
    _load_everything()
    base = _memory_mb("VmRSS")
    with database.usable(_quiet):
        before = _ingest([path for path in sorted(folder.glob("*.fits")) if "night2_light" not in path.name])
        _stages(before, Clock())
        _forget_peak()
        clocks = []
        for path in sorted(folder.glob("night2_light*.fits")):
            clock = Clock()
            if _stages(clock.timed("ingest", partial(_ingest, [path])), clock):
                clocks.append(clock)
        peak = _memory_mb("VmHWM")
    return {
        "frames": len(clocks),
        "median": {name: statistics.median(c.cpu[name] for c in clocks) for name in STAGES},
        "cpu": statistics.median(sum(c.cpu.values()) for c in clocks),
        "wall": statistics.median(c.wall for c in clocks),
        "base_mb": base,
        "above_mb": peak - base,
    }


class Clock:
    """CPU seconds of each named step, and wall seconds of all."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}
        self.wall = 0.0

    def timed(self, name: str, work: Callable[[], Result]) -> Result:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.cpu[name] = self.cpu.get(name, 0.0) + time.process_time() - cpu
        self.wall += time.perf_counter() - wall
        return result


def _load_everything() -> None:
    """Import what the stages import when they are first run."""
    from importlib import import_module

    from django.conf import settings

    for stage in import_module(settings.STAGES.rpartition(".")[0]).STAGES:
        import_module(stage.module)


def _memory_mb(name: str) -> float:
    """Return what this process holds (VmRSS) or held at most (VmHWM); only Linux tells them apart."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 2**10


def _forget_peak() -> None:
    """Let the peak of memory count from here, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def _quiet(line: str) -> None:
    """Progress is of no interest here."""


def _ingest(paths: list[Path]) -> list[Observation]:
    from catalog.configuration.values import snapshot
    from observations.delivery.ingest import Overrides, ingest_paths
    from observations.models import Observation

    results = ingest_paths(paths, overrides=Overrides(), config=snapshot(), report=_quiet)
    ids = [r.entity_id for r in results if r.entity_type == "observation" and r.entity_id is not None]
    return list(Observation.objects.filter(pk__in=ids).order_by("mjd_utc"))


def _stages(observations: list[Observation], clock: Clock) -> bool:
    """Run the stages on the observations; tell whether all of them came to their end (clouded ones do not)."""
    from astrid_site.night.foreground import run_stage
    from observations.models import Observation, ObservationStatus

    def run(stage: str, kind: str, keys: Iterable[object], clock: Clock | None = clock) -> None:
        entities = [(str(key), "") for key in keys]
        if clock is None:
            run_stage(stage, kind, entities, _quiet)
        else:
            clock.timed(stage, lambda: run_stage(stage, kind, entities, _quiet))

    run("masters", "night", {o.night.isoformat() for o in observations}, None)
    run("preprocess", "observation", [o.pk for o in observations])
    run("register", "field", {o.field_id for o in observations})
    good = Observation.objects.filter(pk__in=[o.pk for o in observations], status=ObservationStatus.PREPROCESSED)
    keys = list(good.values_list("pk", flat=True))
    if keys:
        run("difference", "observation", keys)
        run("detect", "observation", keys)
    return bool(keys)


if __name__ == "__main__":
    main()
