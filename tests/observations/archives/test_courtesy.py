"""Servers of archives are asked in their turn, by all workers together."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from catalog.work import jobs
from observations.archives.ordering import order_due
from observations.models import ArchiveProduct, Observation, ProductState
from tests.archiveserver import Offer

PAUSE_S = 0.5
# Of two clocks, and of threads that wait for each other between the turn and the server on a busy machine.
_TOLERANCE_S = 0.4


@pytest.mark.django_db(transaction=True)
def test_many_workers_lose_nothing_fetch_nothing_twice_and_keep_pause_and_number(
    archive, archive_server, lights, settings
):
    settings.ASTRID_DOWNLOADS = 8
    set_value("ingest.archive_pause_seconds", PAUSE_S, MACHINE)
    set_value("ingest.archive_at_once", 2, MACHINE)
    archive_server.slow_s = 0.08
    archive_server.offers = [
        Offer(f"ivo://d/s?{n}", f"/{n}.fits", body, mjd=61000.0 + n) for n, body in enumerate(lights)
    ]
    order_due()
    jobs.do(jobs.claim_next(["ask"], "me"))
    begun = len(archive_server.begun)
    done = threading.Event()

    def work() -> None:
        try:
            while not done.is_set():
                order_due()
                job = jobs.claim_next(["fetch"], "me")
                if job is not None:
                    jobs.do(job)
                elif not ArchiveProduct.objects.filter(state__in=(ProductState.FOUND, ProductState.ORDERED)).exists():
                    done.set()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        for future in [workers.submit(work) for _ in range(4)]:
            future.result()
    assert Observation.objects.count() == len(lights)
    assert set(archive_server.wholes.values()) == {1} and len(archive_server.wholes) == len(lights)
    assert archive_server.most_at_once <= 2
    gaps = [later - earlier for earlier, later in itertools.pairwise(archive_server.begun[begun:])]
    assert min(gaps) >= PAUSE_S - _TOLERANCE_S


@pytest.mark.django_db
def test_a_service_inside_the_house_is_not_reached_nor_by_a_redirect(archive, archive_server, work, settings):
    settings.ASTRID_OUTGOING_HOSTS = []
    work()
    run = archive.runs.get()
    assert run.failure_code == "address_refused" and "not on the public internet" in run.error_message
    assert archive_server.begun == [], "not a byte went there"
