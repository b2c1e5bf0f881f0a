"""`make bench-recovery`: how soon all work is done after a worker is killed, and how soon the demo starts again.

Each is a whole system of real processes over an empty data root of its own; the tests prove that it recovers at all.
"""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.system import System

RECOVERY_GOAL_S, START_GOAL_S = 180.0, 10.0
RUNNING = "SELECT count(*) FROM catalog_processingjob WHERE job_type = 'difference' AND status = 'running'"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=400, help="pixels on a side of the simulated frames")
    options = parser.parse_args()
    import django

    django.setup()
    done = recovery(options.size)
    print(f"work done {done:.1f} s after a kill amid a difference (goal {RECOVERY_GOAL_S:g})", flush=True)
    ready = second_start(options.size)
    print(f"the demo ready {ready:.1f} s after its second start (goal {START_GOAL_S:g})", flush=True)


def recovery(size: int) -> float:
    """Return the seconds from the start of a worker in place of a killed one to the end of all work."""
    from observations.delivery.simulated import parameters_of, write_synthetic_nights
    from tests.faults.system import system, wait_for

    with tempfile.TemporaryDirectory(prefix="astrid-bench-") as folder, system() as whole:
        for _ in write_synthetic_nights(Path(folder), parameters_of(seed=1, size=size, nights=2, frames=5)):
            continue
        whole.start_all()
        whole.manage("ingest", folder)
        wait_for(lambda: whole.query(RUNNING)[0][0], whole.jobs)
        whole.kill("pipeline")
        begun = time.monotonic()
        whole.start("pipeline")
        whole.wait_until_idle(every=0.2)
        return time.monotonic() - begun


def second_start(size: int) -> float:
    """Return the seconds from the command to a system that says it is ready, with the demo's work done before."""
    from tests.faults.system import REPOSITORY, system, wait_for

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with system(PORT=port) as whole:
        whole.manage("demo", "--size", str(size), "--exit")
        # Where this runs in the background, Ctrl-C is ignored from the beginning, and so by all that it starts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        begun = time.monotonic()
        command = [sys.executable, "manage.py", "demo", "--size", str(size)]
        again = subprocess.Popen(
            command, cwd=REPOSITORY, env=whole.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for(lambda: is_ready(whole), every=0.1)
            return time.monotonic() - begun
        finally:
            again.send_signal(signal.SIGINT)
            again.wait()


def is_ready(whole: System) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{whole.environment['PORT']}/readyz") as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    main()
