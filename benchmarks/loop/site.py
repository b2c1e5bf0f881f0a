"""A site of its own for the benchmark, over one folder: database and web server; the work is done in this process."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.loop.nights import Field, Truth, write_field


def choose(root: Path) -> None:
    """Let this process, and all that it starts, work in a folder, with one thread."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {
        "ASTRID_DATA_ROOT": str(root), "PORT": str(port), "DJANGO_SETTINGS_MODULE": "astrid_site.settings",
        "ASTRID_THREADS": "1", "OMP_NUM_THREADS": "1", "WEB_CONCURRENCY": "1",
        # Playwright has a loop of its own, in which nothing else runs.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }  # fmt: skip


def address() -> str:
    return f"http://127.0.0.1:{os.environ['PORT']}"


@contextmanager
def running() -> Iterator[None]:
    """Keep the site running for the block."""
    from astrid_site.running import database, supervisor

    wanted = [service for service in supervisor.services() if service.name == "web"]
    with database.usable(_quiet, is_owner=True), supervisor.running(_quiet, wanted) as everything:
        everything.wait_for_pages()
        yield


def configure(values: Mapping[str, object]) -> None:
    """Set configuration, as an administrator does."""
    from catalog.configuration.values import set_value
    from catalog.people.audit import MACHINE

    for key, value in values.items():
        set_value(key, value, MACHINE)


def observe(field: Field, kept: Path) -> Truth:
    """Deliver the nights of a field and process them to the end; what was delivered before is left alone."""
    from astrid_site.night.foreground import process_paths
    from observations.delivery.ingest import Overrides

    path = kept / f"{field.name.replace(' ', '_')}.pickle"
    if not path.is_file():
        with TemporaryDirectory(prefix="astrid-bench-") as folder:
            truth = write_field(Path(folder), field)
            process_paths([Path(folder)], Overrides(), _quiet)
        path.write_bytes(pickle.dumps(truth))
    finish()
    found: Truth = pickle.loads(path.read_bytes())
    return found


def finish() -> None:
    """Do all that is ordered, and what follows from it; where more than a frame fails the benchmark has failed."""
    from catalog.models import JobStatus, ProcessingJob
    from catalog.work import jobs
    from catalog.work.stages import stages

    while (job := jobs.claim_next(list(stages()), jobs.this_owner())) is not None:
        try:
            jobs.do(job, is_tried_again=False)
        except jobs.JobCrashed as crash:
            print(crash)
    failed = ProcessingJob.objects.filter(status=JobStatus.FAILED).exclude(job_type__in=_OF_A_FRAME)
    if (job := failed.first()) is not None:
        raise RuntimeError(f"{job.job_type} of {job.entity_id} failed: {job.error_message}")


# One frame of each night is clouded, and is refused or cannot be compared.
_OF_A_FRAME = ("preprocess", "register", "difference")


def _quiet(line: str) -> None:
    """Progress is of no interest here."""
