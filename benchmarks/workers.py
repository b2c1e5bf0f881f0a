"""`make bench-workers`: how long a night of frames takes with one pipeline process, and with two.

Each run is a whole system of real processes over an empty data root of its own. The time is from the first job's start
to the last one's end, by the database's clock: starting and ingesting are not in it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

# A frame of each night is clouded: 2 x 10 + 1 lights, of which 20 go through to the end.
FRAMES = 10
GOAL = 1.7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512, help="side of the simulated frames in pixels")
    parser.add_argument("--repeats", type=int, default=2, help="runs of each kind, one after the other in turn")
    options = parser.parse_args()
    import django

    django.setup()
    from observations.delivery.simulated import parameters_of, write_synthetic_nights

    with tempfile.TemporaryDirectory(prefix="astrid-bench-") as folder:
        night = Path(folder)
        for _ in write_synthetic_nights(night, parameters_of(seed=1, size=options.size, nights=2, frames=FRAMES)):
            continue
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(options.repeats):
            for workers in seconds:
                seconds[workers].append(measure(night, workers))
                print(f"{workers} worker(s): {seconds[workers][-1]:.1f} s", flush=True)
    one, two = (statistics.median(values) for values in seconds.values())
    print(f"median {one:.1f} s and {two:.1f} s: {one / two:.2f} times the throughput (goal {GOAL:g})")


def measure(night: Path, workers: int) -> float:
    """Return the seconds from the first job's start to the last one's end."""
    from tests.faults.system import system

    with system(ASTRID_WORKERS=str(workers), ASTRID_JOB_LAPSE_SECONDS="25") as whole:
        whole.start_all()
        whole.manage("ingest", str(night))
        whole.wait_until_idle(every=1.0)
        (row,) = whole.query(
            "SELECT extract(epoch FROM max(completed_at) - min(started_at))::float FROM catalog_processingjob "
            "WHERE job_type NOT IN ('deliver', 'ingest')"
        )
        return float(row[0])


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    main()
