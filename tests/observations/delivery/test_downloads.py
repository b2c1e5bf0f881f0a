"""Addresses whose servers are slow hold up each other, and nothing that lies here already."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from astrid_site.running.health import health
from catalog import tasks
from catalog.models import JobStatus, Probe, ProcessingJob
from catalog.work import jobs
from catalog.work.stages import queue_of
from curation.tasks import publish
from observations.delivery.incoming import submit_upload, submit_url
from observations.models import IncomingFile, IncomingRoute
from observations.numerics.fits.facts import Overrides
from tests.factories import AlertFactory
from tests.lights import write
from tests.waiting import PATIENCE_SECONDS
from tests.webserver import content, serving

NOTHING = Overrides()


@contextmanager
def stalling(body: bytes) -> Iterator[tuple[str, threading.Semaphore, threading.Event]]:
    """Serve a file whose first half comes at once, and the rest when the event is set; count those who wait for it."""
    waiting, goes_on = threading.Semaphore(0), threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        waiting.release()
        assert goes_on.wait(PATIENCE_SECONDS)
        handler.wfile.write(body[len(body) // 2 :])

    with serving({"/slow.fits": stall}) as host:
        try:
            yield host, waiting, goes_on
        finally:
            goes_on.set()


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return run


@pytest.mark.django_db(transaction=True)
def test_while_slow_servers_hold_every_download_uploads_alerts_and_probes_go_through(
    tmp_path, settings, empty_data_root, monkeypatch
):
    monkeypatch.setattr(tasks, "wake", lambda queue: None)
    light = write(tmp_path / "light.fits")
    with stalling(light.read_bytes()) as (host, waiting, goes_on), ThreadPoolExecutor(4) as workers:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        ordered = [submit_url(f"http://{host}/slow.fits", NOTHING)[1] for _ in range(5)]
        held = [workers.submit(in_thread(lambda: tasks.work("downloads"))) for _ in range(4)]
        for _ in range(4):
            assert waiting.acquire(timeout=PATIENCE_SECONDS)
        _, upload = submit_upload([light.read_bytes()], "light.fits", NOTHING)
        AlertFactory()
        tasks.work("light")
        publish()
        tasks.probe("light")
        upload.refresh_from_db()
        assert upload.status == JobStatus.COMPLETED
        assert Probe.objects.filter(queue="light").exists()
        found = health()
        assert found.alert_s is None
        states = {queue.name: queue for queue in found.queues}
        assert states["light"].waiting_s is None
        assert states["downloads"].is_at_work and states["downloads"].waiting_s is not None, "the fifth waits"
        goes_on.set()
        for future in held:
            future.result()
    assert {ProcessingJob.objects.get(pk=job.pk).status for job in ordered} == {JobStatus.COMPLETED}
    assert len({file.results[0]["entity_id"] for file in IncomingFile.objects.all()}) == 1


@pytest.mark.django_db
def test_only_what_must_be_fetched_is_done_by_the_downloads(empty_data_root):
    _, fetched = submit_url("https://example.org/a.fits", NOTHING)
    _, uploaded = submit_upload([b"x"], "a.fits", NOTHING)
    assert (queue_of(fetched.job_type), queue_of(uploaded.job_type)) == ("downloads", "light")


@pytest.mark.django_db
def test_a_download_that_was_ordered_before_there_was_a_queue_for_it_is_worked_off(tmp_path, settings, empty_data_root):
    light: Path = write(tmp_path / "light.fits")
    migration = import_module("observations.migrations.0004_downloads_of_their_own")
    with serving({"/a.fits": content(light.read_bytes())}) as host:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        row, job = submit_url(f"http://{host}/a.fits", NOTHING)
        _, uploaded = submit_upload([light.read_bytes()], "light.fits", NOTHING)
        watched = IncomingFile.objects.create(route=IncomingRoute.DIRECTORY, name="b.fits", address="/night/b.fits")
        jobs.enqueue("receive", "incoming_file", watched.pk)
        migration.to_receive(apps, None)
        assert set(ProcessingJob.objects.values_list("job_type", flat=True)) == {"receive"}
        migration.to_download(apps, None)
        assert list(ProcessingJob.objects.filter(job_type="download")) == [job]
        held = jobs.claim_next(["download"], "me")
        jobs.do(held)
    row.refresh_from_db()
    assert row.results[0]["is_new"]
    uploaded.refresh_from_db()
    assert (uploaded.job_type, uploaded.status) == ("receive", JobStatus.PENDING)
