"""What an archive offers becomes observations: each file once, none lost, whatever its server does."""

from __future__ import annotations

import pytest

from catalog.models import ProcessingJob
from observations.models import ArchiveProduct, ArchiveRun, Observation, ProductState
from tests.archiveserver import Offer

pytestmark = pytest.mark.django_db


def offers(lights: list[bytes]) -> list[Offer]:
    return [
        Offer(f"ivo://distant/survey?{n}", f"/files/{n}.fits", body, mjd=61000.0 + n, size_kb=10 if n else None)
        for n, body in enumerate(lights)
    ]


def test_what_an_archive_offers_becomes_observations_of_its_survey_each_fetched_once(
    archive, archive_server, work, lights
):
    archive_server.offers = offers(lights)
    work()
    assert Observation.objects.filter(survey=archive.survey).count() == len(lights)
    assert set(ArchiveProduct.objects.values_list("state", flat=True)) == {ProductState.FETCHED}
    run = ArchiveRun.objects.get()
    assert (run.found_count, run.known_count, run.size_bytes, run.unsized_count) == (6, 0, 50_000, 1)
    assert set(archive_server.wholes.values()) == {1}
    assert archive_server.agents == {"AstrID/0.1.0"}
    assert not ProcessingJob.objects.filter(job_type__in=("ask", "fetch")).exclude(status="completed").exists()
