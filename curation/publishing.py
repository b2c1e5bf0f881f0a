"""The one publisher: it gives alerts their place in the feed, one after the other, when they can be read by all."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now

from catalog import audit
from curation.models import Alert, AlertPublication, AlertStatus

# One process at a time, so that a sequence is never given twice, nor one that a reader has passed already.
_LOCK = 7401
CHANNEL = "astrid_alerts"
_BATCH = 100


def publish_pending() -> int:
    """Publish the alerts that wait, and return how many; 0 as well where another process is at it."""
    published = 0
    while count := _publish_batch():
        published += count
    return published


@transaction.atomic
def _publish_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    waiting = Alert.objects.filter(is_published=False, status=AlertStatus.PENDING)
    # Locked, so that none is cancelled while it goes out.
    ordered = waiting.select_related("detection").order_by("created_at", "id").select_for_update(of=("self",))
    alerts = list(ordered[:_BATCH])
    last = AlertPublication.objects.aggregate(last=Max("sequence"))["last"] or 0
    for sequence, alert in enumerate(alerts, start=last + 1):
        earlier = AlertPublication.objects.filter(alert__detection__source=alert.detection.source_id)
        version = 1 + (earlier.count() if alert.detection.source_id else 0)
        AlertPublication.objects.create(
            sequence=sequence, alert=alert, version=version, kind=alert.alert_type, published_at=Now(),
            payload=_payload(alert),
        )  # fmt: skip
        audit.record(alert, "publish_alert", new={"sequence": sequence, "version": version, "kind": alert.alert_type})
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(is_published=True)
    if alerts:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(last + len(alerts))])
    return len(alerts)


def _payload(alert: Alert) -> dict[str, Any]:
    return {
        "alert": str(alert.pk),
        "detection": str(alert.detection_id),
        "source": str(alert.detection.source_id) if alert.detection.source_id else None,
        "alert_type": alert.alert_type,
        "priority": alert.priority,
        "title": alert.title,
        "message": alert.message,
        "metadata": alert.alert_metadata,
    }
