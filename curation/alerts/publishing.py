"""The one publisher: it gives alerts their place in the feed, one after the other, when they can be read by all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Max, QuerySet
from django.db.models.functions import Now

from catalog.failures import NotPossible
from catalog.json_classes import JsonOf, KeyOf, as_json
from catalog.people import audit
from catalog.work.pause import pauses
from curation.alerts.facts import RetractedFacts
from curation.models import Alert, AlertPriority, AlertPublication, AlertStatus, AlertType

# One process at a time, so that a sequence is never given twice, nor one that a reader has passed already.
_LOCK = 7401
CHANNEL = "astrid_alerts"
_BATCH = 100


@dataclass(frozen=True)
class AlertPayload:
    """What goes out of an alert."""

    alert: Annotated[UUID, KeyOf("alerts")]
    detection: Annotated[UUID, KeyOf("detections")]
    source: Annotated[UUID | None, KeyOf("sources")]
    alert_type: AlertType
    priority: AlertPriority
    title: str
    message: str
    metadata: Annotated[Mapping[str, object], JsonOf(RetractedFacts)]


def waiting() -> QuerySet[Alert]:
    """Return the alerts that are to be published."""
    return Alert.objects.filter(is_published=False, status=AlertStatus.PENDING)


def publish_pending() -> int:
    """Publish the alerts that wait, and return how many: none while it is paused, or another process is at it."""
    published = 0
    while not pauses().publishing and (count := _publish_batch()):
        published += count
    return published


@transaction.atomic
def _publish_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    # Locked, so that none is cancelled while it goes out.
    ordered = waiting().select_related("detection").order_by("created_at", "id").select_for_update(of=("self",))
    alerts = list(ordered[:_BATCH])
    last = AlertPublication.objects.aggregate(last=Max("sequence"))["last"] or 0
    versions = _versions(alerts)
    rows = [
        AlertPublication(
            sequence=sequence, alert=alert, version=versions[alert.pk], kind=alert.alert_type, published_at=Now(),
            payload=_payload(alert),
        )
        for sequence, alert in enumerate(alerts, start=last + 1)
    ]  # fmt: skip
    AlertPublication.objects.bulk_create(rows)
    audit.record_changes(
        [(row.alert, {}, {"sequence": row.sequence, "version": row.version, "kind": row.kind}) for row in rows],
        "publish_alert",
    )
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(is_published=True)
    if alerts:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(last + len(alerts))])
    return len(alerts)


def _versions(alerts: Sequence[Alert]) -> dict[UUID, int]:
    """Return which publication about its source each alert will be; without a source it is the first."""
    sources = {alert.detection.source_id for alert in alerts} - {None}
    of_each = AlertPublication.objects.filter(alert__detection__source__in=sources).order_by()
    counts = dict(of_each.values_list("alert__detection__source").annotate(Count("pk")))
    found = {}
    for alert in alerts:
        source = alert.detection.source_id
        counts[source] = counts.get(source, 0) + 1 if source else 1
        found[alert.pk] = counts[source]
    return found


def note_pulled(keys: Collection[UUID], actor: audit.Actor) -> None:
    """Write down that alerts were handed to a client for the first time: `sent`, those that are not further already."""
    with transaction.atomic():
        waiting = Alert.objects.filter(pk__in=keys, status=AlertStatus.PENDING)
        first = list(waiting.order_by("pk").select_for_update())
        Alert.objects.filter(pk__in=[alert.pk for alert in first]).update(status=AlertStatus.SENT, sent_at=Now())
        audit.record_each(
            first, "send_alert", actor=actor, old={"status": AlertStatus.PENDING}, new={"status": AlertStatus.SENT}
        )


@transaction.atomic
def acknowledge(alert: Alert, actor: audit.Actor) -> Alert:
    """Write down that a client has an alert for good: `delivered`; a second time changes nothing.

    Raises NotPossible for one that was cancelled, or that nobody was told of yet.
    """
    row = Alert.objects.select_for_update().get(pk=alert.pk)
    if row.status == AlertStatus.DELIVERED:
        return row
    if row.status == AlertStatus.CANCELLED:
        raise NotPossible("This alert was cancelled.")
    if not row.is_published:
        raise NotPossible("This alert is not published yet: it will appear in the feed.")
    before = row.status
    Alert.objects.filter(pk=row.pk).update(status=AlertStatus.DELIVERED)
    audit.record(row, "acknowledge_alert", actor=actor, old={"status": before}, new={"status": AlertStatus.DELIVERED})
    row.refresh_from_db()
    return row


def _payload(alert: Alert) -> object:
    """Return what goes out; the facts as they were written, also by former versions."""
    payload = AlertPayload(
        alert=alert.pk,
        detection=alert.detection_id,
        source=alert.detection.source_id,
        alert_type=AlertType(alert.alert_type),
        priority=AlertPriority(alert.priority),
        title=alert.title,
        message=alert.message,
        metadata=alert.alert_metadata,
    )
    return as_json(payload)
