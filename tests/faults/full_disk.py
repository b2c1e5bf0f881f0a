"""In place of every stage: it does that stage's work on a disk which is full for some files.

The file that ASTRID_TEST_FULL names holds, by type of job, patterns of paths in the data root. From the moment that a
job opens such a file for writing, no file of its process can grow beyond ROOM_BYTES until the job is over; the kernel
sees to that, so that every way of writing meets it. After each job the hash of every product is added to the file that
ASTRID_TEST_SEEN names, if it does.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from astrid_site.night.stages import STAGES
from catalog.files import storage
from catalog.work import jobs
from detection.numerics.training_set import TrainingSetParameters
from detection.stage import retrain, training
from detection.stage.training import Order
from tests.faults.products import hashes

# Less than the smallest product has, a cutout with its 63 kB.
ROOM_BYTES = 20_000

_RUNNERS = {stage.name: stage.runner for stage in STAGES}
_patterns: list[str] = []
# A training of seconds, which learns enough to have weights.
retrain.Order = partial(Order, pairs=3, epochs=1)  # type: ignore[assignment]
training.TrainingSetParameters = partial(TrainingSetParameters, shape=(320, 320))  # type: ignore[assignment]


def run(entity_id: str) -> None:
    hold = jobs.current()
    assert hold is not None
    try:
        with _full_for(hold.job.job_type):
            _RUNNERS[hold.job.job_type]()(entity_id)
    finally:
        if "ASTRID_TEST_SEEN" in os.environ:
            _put_down(hold.job.job_type, Path(os.environ["ASTRID_TEST_SEEN"]))


@contextmanager
def _full_for(job_type: str) -> Iterator[None]:
    told = json.loads(Path(os.environ["ASTRID_TEST_FULL"]).read_text())
    _patterns[:] = [str(storage.data_root() / pattern) for pattern in told.get(job_type, [])]
    # As if what is delivered lay on another disk.
    with patch.object(os, "link", side_effect=OSError(errno.EXDEV, "Invalid cross-device link")):
        try:
            yield
        finally:
            _patterns.clear()
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    """Fill the disk when a file of a kind that was told is opened for writing."""
    if event != "open" or not _patterns or not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        return
    if any(fnmatch(os.fspath(arguments[0]), pattern) for pattern in _patterns if isinstance(arguments[0], str)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, resource.RLIM_INFINITY))


sys.addaudithook(_look)


def _put_down(job_type: str, where: Path) -> None:
    seen = json.loads(where.read_text()) if where.exists() else {}
    mine = seen.setdefault(job_type, {})
    for kind, found in hashes(storage.data_root()).items():
        mine[kind] = sorted(found | set(mine.get(kind, [])))
    where.write_text(json.dumps(seen))
