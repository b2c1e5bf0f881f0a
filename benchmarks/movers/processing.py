"""`python -m benchmarks.movers.processing FOLDER`: process a folder to the end in a process of its own, and tell it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.movers.judging import Processed


def processed_apart(folder: Path, root: Path, star_catalog: Path | None, *options: str) -> Processed:
    """Process a folder in a process of its own, with a data root of its own; return what is known of it."""
    environment = os.environ | {
        "ASTRID_DATA_ROOT": str(root),
        "ASTRID_STAR_CATALOG": str(star_catalog or ""),
        "ASTRID_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "DJANGO_SETTINGS_MODULE": "astrid_site.settings",
    }
    command = [sys.executable, "-m", "benchmarks.movers.processing", str(folder), *options]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: Processed = json.loads(output.splitlines()[-1])
    return found


def _processed(folder: Path, settings: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Process a folder to the end; return what is known of it, and the CPU seconds of each search."""
    import django

    django.setup()
    from astrid_site.night.foreground import process_paths
    from astrid_site.running import database
    from catalog.configuration.values import set_value
    from catalog.people.audit import MACHINE
    from observations.delivery.ingest import Overrides

    seconds: list[float] = []
    clock = time.process_time()

    def report(line: str) -> None:
        nonlocal clock
        now = time.process_time()
        if line.startswith("shift_and_stack"):
            seconds.append(now - clock)
        clock = now
        print(line, file=sys.stderr, flush=True)

    with database.usable(report):
        for key, value in settings:
            set_value(key, value, MACHINE)
        done = process_paths([folder], Overrides(), report).document()
    names = ("observations", "candidates", "tracklets", "detections")
    return {"seconds": seconds, **{name: done[name] for name in names}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shift-and-stack", action="store_true")
    options = parser.parse_args()
    wanted = [("differencing.shift_and_stack", True)] if options.shift_and_stack else []
    print(json.dumps(_processed(options.folder, wanted)))
