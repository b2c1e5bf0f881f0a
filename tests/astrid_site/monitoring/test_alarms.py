"""Who runs the site is told by mail what is not well: seldom, and once when it is well again."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone

from astrid_site.monitoring.alarms import mail_alarms
from catalog.failures import FailureCode
from catalog.models import ProcessingJob
from catalog.work import jobs, sweeper
from tests.factories import ProcessingJobFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings):
    """A site that sends mail and whose workers answer."""
    settings.ASTRID_SENDS_MAIL, settings.ASTRID_MAIL_FROM = True, "AstrID <astrid@example.org>"
    settings.ASTRID_MAIL_ALARMS_TO = ["ops@example.org", "night@example.org"]
    for queue in settings.QUEUES:
        sweeper.answer(queue)
    return settings


def stuck(seconds: float) -> ProcessingJob:
    return ProcessingJobFactory(job_type="receive", scheduled_at=timezone.now() - dt.timedelta(seconds=seconds))


def an_hour_later(monkeypatch) -> None:
    monkeypatch.setattr("astrid_site.monitoring.alarms._HOUR_SECONDS", 0.0)


def test_a_site_that_is_well_sends_nothing():
    assert not mail_alarms()
    assert mail.outbox == []


def test_what_is_not_well_is_told_once_an_hour_and_its_end_once(monkeypatch):
    job = stuck(7200)
    assert mail_alarms()
    assert not mail_alarms()
    (letter,) = mail.outbox
    assert letter.to == ["ops@example.org", "night@example.org"]
    assert letter.subject == "[AstrID] Not well: light"
    assert "- light: a job has been waiting for 2 h, and none is being picked up" in letter.body
    with monkeypatch.context() as later:
        an_hour_later(later)
        assert mail_alarms()
    jobs.claim(job, "me")
    assert mail_alarms()
    assert not mail_alarms()
    assert [letter.subject for letter in mail.outbox[1:]] == ["[AstrID] Not well: light", "[AstrID] It is well again"]
    # What comes and goes is told no more than once an hour.
    stuck(7200)
    ProcessingJob.objects.filter(pk=job.pk).update(started_at=timezone.now() - dt.timedelta(hours=3))
    assert not mail_alarms()


def test_jobs_that_failed_by_a_fault_are_told_and_clouds_are_not():
    jobs.fail(jobs.claim(ProcessingJobFactory(job_type="preprocess"), "me"), FailureCode.CLOUDED, "Cloud.")
    assert not mail_alarms()
    jobs.fail(jobs.claim(ProcessingJobFactory(job_type="preprocess"), "me"), FailureCode.INTERNAL_ERROR, "Fault.")
    assert mail_alarms()
    assert "- jobs: 1 failed for good in the last hour by a fault" in mail.outbox[0].body
    assert "whatever the reason: 2." in mail.outbox[0].body


def test_without_an_address_or_a_mail_server_nothing_is_sent(site):
    stuck(7200)
    site.ASTRID_MAIL_ALARMS_TO = []
    assert not mail_alarms()
    site.ASTRID_MAIL_ALARMS_TO, site.ASTRID_SENDS_MAIL = ["ops@example.org"], False
    assert not mail_alarms()
    assert mail.outbox == []


def test_what_the_mail_server_did_not_take_is_sent_again(monkeypatch):
    def refuse(*_: object, **__: object) -> int:
        raise ConnectionRefusedError("refused")

    stuck(7200)
    with monkeypatch.context() as away:
        away.setattr("django.core.mail.EmailMessage.send", refuse)
        assert not mail_alarms()
    assert mail_alarms()
