"""What takes long to make and no test changes: made by the first worker that needs it, for all workers of a run."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def workers() -> int:
    """Return how many processes share the tests of this run."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of this run that `make` has filled, in this process or in another, which is waited for.

    `make` gets the folder, empty and under its final name; where it failed before, the next who asks tries anew.
    """
    base = factory.getbasetemp()
    # Each worker has a folder of its own in that of the run.
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder, done = run / name, run / f"{name}.done"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
