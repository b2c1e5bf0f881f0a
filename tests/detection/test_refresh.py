"""What is known of the sky is ordered anew once it has grown old, and never without a source."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from catalog.failures import FailureCode, StageFailure
from catalog.files.outgoing import DownloadFailed
from catalog.models import JobStatus, ProcessingJob
from detection.known import fetching
from detection.models import ContextArea, OrbitSet
from detection.refresh import order_refresh
from detection.stage import orbits
from tests.factories import FieldFactory, ObservationFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]
ADDRESS = "https://minor.example/iau/MPCORB.DAT.gz"


def long_ago(rows: Any, days: float) -> None:
    rows.update(created_at=timezone.now() - dt.timedelta(days=days))


def ordered() -> list[tuple[str, str]]:
    return list(ProcessingJob.objects.order_by("job_type").values_list("job_type", "entity_id"))


def test_without_a_source_nothing_is_ordered():
    ObservationFactory(field=FieldFactory())
    assert order_refresh() == 0
    assert not ProcessingJob.objects.exists()


def test_orbits_are_ordered_once_and_again_when_they_are_old(settings):
    settings.ASTRID_ORBITS = [ADDRESS]
    assert (order_refresh(), ordered()) == (1, [("orbits", "MPCORB.DAT.gz")])
    assert order_refresh() == 0, "it waits"
    ProcessingJob.objects.update(status=JobStatus.COMPLETED)
    long_ago(ProcessingJob.objects, 6.9)
    assert order_refresh() == 0
    long_ago(ProcessingJob.objects, 7.1)
    assert order_refresh() == 1


def test_orbits_that_somebody_loaded_by_hand_are_not_loaded_again_before_they_are_old(settings):
    settings.ASTRID_ORBITS = [ADDRESS]
    OrbitSet.objects.create(
        name="asteroids", file_name="MPCORB.DAT.gz", sha256="a", orbits_at=timezone.now(), is_complete=True
    )
    assert order_refresh() == 0
    long_ago(OrbitSet.objects, 8)
    assert order_refresh() == 1


def test_what_failed_is_tried_again_after_a_day(settings):
    settings.ASTRID_ORBITS = [ADDRESS]
    order_refresh()
    failed = {"status": JobStatus.FAILED, "failure_code": FailureCode.DOWNLOAD_FAILED, "error_message": "No."}
    ProcessingJob.objects.update(**failed)
    assert order_refresh() == 0
    long_ago(ProcessingJob.objects, 1.1)
    assert order_refresh() == 1


def test_fields_whose_catalogues_are_old_are_asked_for_again(settings):
    settings.ASTRID_CONTEXT_SERVICES = {"GALAXY": "https://galaxies.example/cone"}
    field = ObservationFactory(field=FieldFactory(), pixel_scale=1.0).field
    assert (order_refresh(), ordered()) == (1, [("context", str(field.pk))])
    assert order_refresh() == 0
    ProcessingJob.objects.all().delete()
    area = ContextArea.objects.create(
        kind="galaxy", catalogue="galaxies", origin="https://galaxies.example/cone", ra=field.ra, dec=field.dec,
        radius_deg=5.0, is_complete=True, source_count=0, epoch_year=2016.0, loaded_at=timezone.now(), sha256="a",
    )  # fmt: skip
    assert order_refresh() == 0
    ContextArea.objects.filter(pk=area.pk).update(loaded_at=timezone.now() - dt.timedelta(days=181))
    assert order_refresh() == 1


def test_the_job_loads_the_file_from_its_address(settings, monkeypatch):
    settings.ASTRID_ORBITS = ["https://minor.example/CometEls.txt"]
    asked = []

    def fetch(url: str, target: Path, *_: object) -> None:
        asked.append(url)
        target.write_text("no orbits here\n")

    monkeypatch.setattr(fetching, "fetch", fetch)
    with pytest.raises(StageFailure, match=r"CometEls\.txt holds no orbits") as refused:
        orbits.run("CometEls.txt")
    assert refused.value.code == FailureCode.DOWNLOAD_FAILED
    assert asked == ["https://minor.example/CometEls.txt"]


@pytest.mark.parametrize("name", ["CometEls.txt", "other.txt"])
def test_why_a_file_cannot_be_loaded_is_said(settings, monkeypatch, name: str):
    settings.ASTRID_ORBITS = ["https://minor.example/CometEls.txt"]

    def fetch(*_: object) -> None:
        raise DownloadFailed("The server answered 503.", is_transient=True)

    monkeypatch.setattr(fetching, "fetch", fetch)
    with pytest.raises(StageFailure, match=r"503|names no other\.txt"):
        orbits.run(name)
