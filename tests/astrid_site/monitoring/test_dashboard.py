"""What administrators see first: how fast, how full, and who is at what."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.utils import timezone

from astrid_site.monitoring.processes import processes
from catalog.files import disk, storage
from catalog.models import JobAttempt, ProcessingJob
from catalog.work import jobs
from tests.clients import account
from tests.factories import ObservationFactory, ProcessingJobFactory

NOW = dt.datetime(2031, 3, 8, 12, tzinfo=dt.UTC)
GB = 10**9


@pytest.fixture
def full(monkeypatch, tmp_path, settings):
    """Return a function that says how much of a disk of 100 GB is in use."""
    settings.ASTRID_DATA_ROOT = tmp_path

    def say(used_gb: float) -> None:
        monkeypatch.setattr(disk, "use", lambda: disk.DiskUse(int(used_gb * GB), int((100 - used_gb) * GB)))

    return say


def test_the_growth_of_the_last_week_tells_when_the_disk_is_full(full):
    for day in range(10):
        full(10 if day < 2 else 40 + 2 * day)
        assert disk.note(NOW + dt.timedelta(days=day))
        assert not disk.note(NOW + dt.timedelta(days=day, hours=3))
    full(60)
    growth = disk.growth(NOW + dt.timedelta(days=9, hours=12))
    # From day 2 on, 44 GB.
    assert growth.days == 7.5
    assert growth.bytes_per_day == pytest.approx(16 / 7.5 * GB)
    assert growth.days_left(disk.use()) == pytest.approx(40 / (16 / 7.5))


def test_a_disk_that_does_not_fill_is_never_full_and_an_hour_tells_nothing(full):
    full(50)
    assert disk.growth(NOW) is None
    disk.note(NOW)
    assert disk.growth(NOW + dt.timedelta(hours=5)) is None
    full(45)
    assert disk.growth(NOW + dt.timedelta(days=2)).days_left(disk.use()) is None


def test_a_record_that_cannot_be_read_is_begun_anew_and_a_long_one_is_cut(full):
    full(50)
    path = storage.resolve("run/disk_use.json")
    path.parent.mkdir()
    path.write_text('{"at": 1}')
    assert disk.growth(NOW) is None
    for day in range(40):
        disk.note(NOW + dt.timedelta(days=day))
    assert len(json.loads(path.read_text())) == 30


@pytest.mark.django_db
def test_processes_are_told_with_what_they_are_at_and_how_far_it_has_come():
    job = jobs.claim(ProcessingJobFactory(job_type="train"), "gpu:7")
    log = "2031-03-01 21:00:00,123 INFO begun\n2031-03-01 21:01:00,123 INFO epoch 3 of 20: loss 0.12\n    more"
    JobAttempt.objects.filter(job=job).update(log=log)
    done = jobs.claim(ProcessingJobFactory(job_type="receive"), "web:1")
    jobs.finish(done)
    old = jobs.claim(ProcessingJobFactory(job_type="receive"), "web:0")
    jobs.finish(old)
    ProcessingJob.objects.filter(pk=old.pk).update(completed_at=timezone.now() - dt.timedelta(hours=2))
    busy, idle = processes(account("administrator"))
    assert (busy.owner, busy.queues, [task.progress for task in busy.tasks]) == (
        "gpu:7", ("training",), ["epoch 3 of 20: loss 0.12"],
    )  # fmt: skip
    assert not busy.tasks[0].is_lost
    assert (idle.owner, idle.tasks, idle.queues) == ("web:1", (), ("light",))
    ProcessingJob.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - dt.timedelta(minutes=2))
    assert processes(account("administrator"))[0].tasks[0].is_lost


@pytest.mark.django_db
def test_the_first_page_of_the_admin_shows_them(client, full):
    full(50)
    disk.note(timezone.now() - dt.timedelta(days=4))
    full(60)
    client.force_login(account("administrator"))
    ObservationFactory()
    jobs.claim(ProcessingJobFactory(job_type="train"), "gpu:7")
    page = " ".join(client.get("/admin/").content.decode().split())
    assert "60.0 GB in use (60 %), 40.0 GB free" in page
    assert "2.50 GB more each day over the last 4.0 days: full in <strong>16 days</strong>" in page
    assert "<strong>gpu:7</strong> (training)" in page
    assert "Too few frames have come through" in page
    client.force_login(account("operator"))
    assert client.get("/admin/").status_code == 200
