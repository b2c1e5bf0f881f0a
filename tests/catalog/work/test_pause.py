"""What an administrator or a full disk pauses waits, is told loudly, is no fault, and goes on."""

from __future__ import annotations

import os

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from catalog.configuration.values import clear_value, set_value
from catalog.files import disk
from catalog.models import AuditLog, ProcessingJob
from catalog.people.audit import MACHINE
from catalog.work import jobs, sweeper
from catalog.work.pause import pauses
from curation.alerts.publishing import publish_pending
from curation.models import Alert, AlertPublication
from observations.delivery.watch import scan
from observations.models import IncomingFile
from tests.clients import account, client_of
from tests.factories import AlertFactory, ProcessingJobFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def free(monkeypatch):
    """Return a function that says how many gigabytes of the disk are free."""

    def say(gigabytes: float) -> None:
        monkeypatch.setattr(disk, "use", lambda: disk.DiskUse(10**12, int(gigabytes * 1e9)))

    say(500)
    return say


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("a.fits", b"SIMPLE")


def next_job() -> ProcessingJob | None:
    return jobs.claim_next(["receive", "alerts"], "me")


@pytest.mark.usefixtures("free")
def test_queued_files_wait_for_the_end_of_a_pause_and_other_work_goes_on():
    waiting, other = ProcessingJobFactory(job_type="receive", priority=9), ProcessingJobFactory(job_type="alerts")
    set_value("ingest.paused", True, MACHINE)
    assert next_job().pk == other.pk
    assert next_job() is None
    assert sweeper.relay(lambda _: None) == 0
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempt) == ("pending", 0)
    clear_value("ingest.paused", MACHINE)
    assert next_job().pk == waiting.pk


def test_ingest_pauses_by_itself_while_there_is_too_little_space(free):
    waiting = ProcessingJobFactory(job_type="receive")
    free(1.96)
    assert next_job() is None
    assert pauses().ingest_words.startswith("Ingest is paused: 2.0 GB are free on the disk, less than 2 (")
    set_value("ingest.least_free_gb", 0.0, MACHINE)
    free(0.0)
    assert not pauses().ingest
    clear_value("ingest.least_free_gb", MACHINE)
    free(2.0)
    assert next_job().pk == waiting.pk


def test_a_data_root_that_is_gone_pauses_nothing(settings, tmp_path):
    settings.ASTRID_DATA_ROOT = tmp_path / "gone"
    assert not pauses().ingest


@pytest.mark.usefixtures("free")
def test_a_watched_folder_keeps_its_files_for_later(tmp_path):
    (tmp_path / "a.fits").write_bytes(b"SIMPLE")
    os.utime(tmp_path / "a.fits", (0, 0))
    set_value("ingest.paused", True, MACHINE)
    assert scan(str(tmp_path), now=4e9) == 0
    clear_value("ingest.paused", MACHINE)
    assert scan(str(tmp_path), now=4e9) == 1


@pytest.mark.usefixtures("free")
def test_uploaders_are_told_why_and_what_to_do_and_an_address_waits(client):
    set_value("ingest.paused", True, MACHINE)
    operator = account("operator")
    client.force_login(operator)
    assert "upload them then" in client.get("/observations/upload/").content.decode()
    answer = client.post("/observations/upload/", {"files": upload()}, headers={"X-Requested-With": "fetch"})
    assert answer.status_code == 422
    assert "Nothing of this file was kept" in answer.json()["refusals"][0]
    told = client_of(operator).post("/api/v1/observations/", {"file": upload()})
    assert (told.status_code, told.json()["code"], told["Retry-After"]) == (503, "ingest_paused", "60")
    assert not IncomingFile.objects.exists()
    address = {"fits_url": "https://archive.example.org/a.fits"}
    assert client_of(operator).post("/api/v1/observations/", address, "application/json").status_code == 202
    page = client.get(f"/jobs/{ProcessingJob.objects.get().pk}/").content.decode()
    assert "Ingest is paused by an administrator" in page
    with pytest.raises(CommandError, match="Nothing was ingested"):
        call_command("ingest", "/nowhere.fits")


@pytest.mark.usefixtures("free")
def test_alerts_wait_while_publishing_is_paused_which_is_told_and_no_fault(client, settings):
    for queue in settings.QUEUES:
        sweeper.answer(queue)
    settings.HEALTH_ALERT_SECONDS = -1.0
    alert = AlertFactory()
    assert client.get("/readyz").status_code == 503
    set_value("alerts.publishing_paused", True, MACHINE)
    assert publish_pending() == 0
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["alerts"]) == (200, "ok")
    assert answer.json()["paused"] == {"ingest": None, "publishing": "by an administrator"}
    assert b'astrid_paused{what="publishing"} 1.0' in client.get("/metrics").content
    for role, path in (("viewer", "/"), ("administrator", "/admin/")):
        client.force_login(account(role))
        assert "<strong>Publishing is paused by an administrator" in client.get(path).content.decode()
    clear_value("alerts.publishing_paused", MACHINE)
    assert publish_pending() == 1
    assert AlertPublication.objects.get().alert_id == alert.pk
    assert Alert.objects.get().is_published


@pytest.mark.usefixtures("free")
def test_a_job_is_done_first_or_last_when_somebody_says_so_and_only_while_it_waits(client):
    first, second = ProcessingJobFactory(job_type="alerts"), ProcessingJobFactory(job_type="alerts")
    client.force_login(account("administrator"))
    page = "/admin/catalog/processingjob/"
    client.post(page, {"action": "do_first", "_selected_action": [str(second.pk)]})
    assert next_job().pk == second.pk
    client.post(page, {"action": "do_last", "_selected_action": [str(first.pk), str(second.pk)]})
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.priority, second.priority) == (-10, 10)
    line = AuditLog.objects.get(action="prioritize_job", entity_id=str(first.pk))
    assert (line.old_values, line.new_values) == ({"priority": 0}, {"priority": -10})
