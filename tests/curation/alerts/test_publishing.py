"""The publisher: every alert gets its place once, in one order, and what was said is frozen."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from catalog.models import AuditLog
from curation.alerts.publishing import publish_pending
from curation.models import Alert, AlertPublication
from tests.curation.looks import consider, seen
from tests.factories import AlertFactory, DetectionFactory
from tests.waiting import PATIENCE_SECONDS


@pytest.mark.django_db
def test_waiting_alerts_are_published_in_order_and_once():
    detection = DetectionFactory()
    first, second = AlertFactory(detection=detection, title="a"), AlertFactory(detection=detection, alert_type="update")
    other = AlertFactory(title="c")
    AlertFactory(status="cancelled")
    assert publish_pending() == 3
    assert publish_pending() == 0
    rows = list(AlertPublication.objects.values_list("sequence", "alert", "version", "kind"))
    assert rows == [(1, first.pk, 1, "new"), (2, second.pk, 2, "update"), (3, other.pk, 1, "new")]


@pytest.mark.django_db
def test_what_was_published_stays_what_was_said():
    alert = AlertFactory(title="as it was", alert_metadata={"mag": None})
    publish_pending()
    Alert.objects.filter(pk=alert.pk).update(title="changed")
    publication = AlertPublication.objects.get()
    assert publication.payload["title"] == "as it was"
    assert publication.payload["metadata"] == {"mag": None}
    for change in (publication.delete, lambda: AlertPublication.objects.update(version=9)):
        with pytest.raises(DatabaseError, match=r"append-only|only ever added|refuse"), transaction.atomic():
            change()


@pytest.mark.django_db
def test_an_update_follows_what_it_updates_though_the_clock_of_its_machine_runs_behind(monkeypatch):
    detection = DetectionFactory()
    first, before = AlertFactory(detection=detection), timezone.now() - dt.timedelta(minutes=10)
    monkeypatch.setattr(timezone, "now", lambda: before)
    second = AlertFactory(detection=detection, alert_type="update")
    publish_pending()
    assert list(AlertPublication.objects.values_list("alert", flat=True)) == [first.pk, second.pk]


@pytest.mark.django_db
def test_every_publication_has_its_line_in_the_audit_log():
    alert = AlertFactory()
    publish_pending()
    line = AuditLog.objects.get(action="publish_alert")
    assert (line.entity_id, line.new_values) == (str(alert.pk), {"sequence": 1, "version": 1, "kind": "new"})


@pytest.mark.django_db(transaction=True)
def test_an_alert_is_published_as_soon_as_it_is_committed_and_who_listens_is_told():
    row = seen()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN astrid_alerts")
    with transaction.atomic():
        consider(row.source)
        assert not AlertPublication.objects.exists()
    assert AlertPublication.objects.get().payload["alert_type"] == "new"
    told = next(iter(connection.connection.notifies(timeout=PATIENCE_SECONDS, stop_after=1)))
    assert (told.channel, told.payload) == ("astrid_alerts", "1")


@pytest.mark.django_db(transaction=True)
def test_where_another_process_publishes_nobody_waits_for_it():
    AlertFactory()

    def publish() -> int:
        try:
            return publish_pending()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert publish_pending() == 1
            assert pool.submit(publish).result(timeout=PATIENCE_SECONDS) == 0
        assert pool.submit(publish).result(timeout=PATIENCE_SECONDS) == 0
    assert AlertPublication.objects.count() == 1
