"""An archive that answers, a survey that is read from it, and workers that do what is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from catalog import tasks
from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from catalog.work import jobs
from observations.archives.ordering import order_due
from observations.models import Archive, ArchiveHost, ArchiveKind, ArchiveProduct
from tests.archiveserver import ArchiveServer, serving_archive
from tests.factories import SurveyFactory
from tests.lights import write

LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def lights(tmp_path_factory) -> list[bytes]:
    """Some frames that differ."""
    folder, draws = tmp_path_factory.mktemp("archive"), np.random.default_rng(5)
    return [
        write(folder / f"{n}.fits", draws.normal(1000.0, 10.0, (40, 40)).astype(np.float32)).read_bytes()
        for n in range(6)
    ]


@pytest.fixture
def archive_server(settings, db, empty_data_root, monkeypatch) -> Iterator[ArchiveServer]:
    """An archive that the site may reach, asked without pauses."""
    monkeypatch.setattr(tasks, "wake", lambda queue: None)
    set_value("ingest.archive_pause_seconds", 0.0, MACHINE)
    with serving_archive() as server:
        settings.ASTRID_OUTGOING_HOSTS = [server.address]
        yield server


@pytest.fixture
def archive(archive_server) -> Archive:
    """A survey's archive that is on and due."""
    survey = SurveyFactory(name="distant", api_endpoint=archive_server.endpoint)
    return Archive.objects.create(
        survey=survey,
        kind=ArchiveKind.SIA2,
        is_on=True,
        every_minutes=60,
        begins_at=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        next_at=LONG_AGO,
    )


@pytest.fixture
def work() -> Callable[..., int]:
    """Return what does all that is due, as beat and a worker do; `again` lets what failed be due at once."""

    def do(*, again: bool = False) -> int:
        if again:
            ArchiveHost.objects.update(resting_until=None)
            ArchiveProduct.objects.filter(next_try_at__isnull=False).update(next_try_at=LONG_AGO)
            Archive.objects.filter(next_at__isnull=False).update(next_at=LONG_AGO)
        count = 0
        while True:
            order_due()
            job = jobs.claim_next(["ask", "fetch"], "me")
            if job is None:
                return count
            jobs.do(job)
            count += 1

    return do
