"""A worker that is killed amid a download: another one goes on where it was, and nothing of it stays behind."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from catalog.files import storage
from catalog.models import AttemptOutcome, JobAttempt, JobStatus, ProcessingJob
from catalog.work import jobs, sweeper
from observations.archives.ordering import order_due
from observations.delivery import leftovers
from observations.delivery.incoming import incoming_path
from observations.models import ArchiveProduct, IncomingFile, Observation, ProductState
from tests.archiveserver import Offer
from tests.waiting import PATIENCE_SECONDS, wait_for

REPOSITORY = Path(__file__).resolve().parent.parent.parent.parent
# What a worker's process does with the next file of an archive.
WORKER = """
import django
django.setup()
from catalog.work import jobs
jobs.do(jobs.claim_next(["fetch"], jobs.this_owner()))
"""
# More than what a process keeps back before it writes.
SENT = 9000


@contextmanager
def worker(root: Path, host: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that fetches one file into a data root."""
    database = connection.settings_dict
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "astrid_site.settings",
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'])}",
        "ASTRID_DATA_ROOT": str(root),
        "ASTRID_OUTGOING_HOSTS": host,
    }
    process = subprocess.Popen([sys.executable, "-c", WORKER], cwd=REPOSITORY, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Stuck:
    """Sends the first bytes of a file, and no more."""

    def __init__(self, body: bytes) -> None:
        self._body, self._goes_on = body, threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("ETag", '"1"')
        handler.send_header("Content-Length", str(len(self._body)))
        handler.end_headers()
        handler.wfile.write(self._body[:SENT])
        handler.wfile.flush()
        self._goes_on.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        self._goes_on.set()


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_amid_a_body_loses_nothing_and_leaves_nothing(
    archive, archive_server, empty_data_root, lights, work, settings
):
    stuck = Stuck(lights[0])
    archive_server.offers = [Offer("ivo://d/s?1", "/1.fits", lights[0], answer=stuck)]
    order_due()
    jobs.do(jobs.claim_next(["ask"], "me"))
    order_due()
    row = IncomingFile.objects.get()
    part = storage.resolve(f"{incoming_path(row)}.part")
    with worker(empty_data_root, archive_server.address) as process:
        wait_for(
            lambda: process.poll() is not None or (part.exists() and part.stat().st_size), lambda: "the first bytes"
        )
        assert process.poll() is None
    stuck.end()
    came = part.stat().st_size
    assert 0 < came <= SENT and part.read_bytes() == lights[0][:came]

    job = ProcessingJob.objects.get(job_type="fetch")
    assert (job.status, sweeper.sweep()) == (JobStatus.RUNNING, 0), "nobody else takes it before its lease is over"
    settings.JOB_LAPSE_SECONDS = 0.0
    assert sweeper.sweep() == 1
    assert ArchiveProduct.objects.get().state == ProductState.FOUND
    archive_server.change("/1.fits", answer=None)
    work(again=True)

    assert archive_server.ranges == [("/1.fits", f"bytes={came}-")]
    assert archive_server.sent_bytes["/1.fits"] == len(lights[0]) - came
    assert ArchiveProduct.objects.get().state == ProductState.FETCHED
    kept = storage.resolve(Observation.objects.get().fits_file_path)
    assert hashlib.sha256(kept.read_bytes()).digest() == hashlib.sha256(lights[0]).digest()
    assert not part.parent.exists(), "neither a part of it nor a note"
    lost, done = JobAttempt.objects.filter(job__job_type="fetch").order_by("started_at")
    assert (lost.outcome, done.outcome) == (AttemptOutcome.LOST, AttemptOutcome.COMPLETED)


@pytest.mark.django_db
def test_what_nothing_waits_for_is_cleared_away_after_a_day_and_a_part_that_waits_is_not(
    archive, archive_server, empty_data_root, lights, work
):
    archive_server.offers = [Offer("ivo://d/s?1", "/1.fits", lights[0], cuts=[3000])]
    work()
    waits = IncomingFile.objects.get()
    done = IncomingFile.objects.create(route="url", name="done.fits", address="https://example.org/done.fits")
    given = IncomingFile.objects.create(route="upload", name="given.fits")
    given.stored_path = incoming_path(given)
    given.save()
    for row in (done, given):
        storage.write_atomically(incoming_path(row), b"whole")
    storage.write_atomically("incoming/nobody/part", b"of no row")
    folders = {key: empty_data_root / "incoming" / str(key) for key in (waits.pk, done.pk, given.pk, "nobody")}
    now = time.time()
    assert leftovers.clear_away(now + 23 * 3600.0) == 0, "an upload that is under way has no row yet"
    assert leftovers.clear_away(now + 25 * 3600.0) == 2
    assert {key for key, folder in folders.items() if folder.exists()} == {waits.pk, given.pk}
    work(again=True)
    assert archive_server.sent_bytes["/1.fits"] == len(lights[0]), "its part was kept"
    # As if the process had died when all was written, before the part was removed.
    storage.write_atomically(f"{incoming_path(waits)}.part", b"old")
    assert leftovers.clear_away(now + 25 * 3600.0) == 1
