"""How far an alert has come, by what its deliveries say: told over again it changes nothing."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Sum

from catalog.people import audit
from catalog.work.rows import before
from curation.alerts.publishing import note_pulled
from curation.models import Alert, AlertPublication, AlertStatus, Delivery, DeliveryStatus, Subscription

_ARRIVED = (DeliveryStatus.DELIVERED, DeliveryStatus.SENT)
# How far back `bring_up_lately` looks: what a process that died between two transactions left undone is younger.
_LATELY_SECONDS = 900.0
_MOST = 2000


def bring_up(keys: Collection[UUID]) -> None:
    """Give alerts the number of tries, and the state, that their deliveries have come to.

    `sent` is what one subscriber got; `delivered` what every active one acknowledged whose filter it matches, which
    letters without a receipt do not prevent.
    """
    if not keys:
        return
    deliveries = Delivery.objects.filter(publication__alert__in=keys)
    arrived = deliveries.filter(status__in=_ARRIVED).values_list("publication__alert", flat=True)
    if first := set(arrived.distinct()):
        note_pulled(first, audit.MACHINE)
    with transaction.atomic():
        named = Alert.objects.filter(pk__in=keys).order_by("pk").select_for_update()
        rows = list(named.only("status", "delivery_attempts"))
        tries = dict(deliveries.order_by().values_list("publication__alert").annotate(Sum("attempts")))
        alike: dict[int, list[UUID]] = {}
        for row in rows:
            if row.delivery_attempts != (count := tries.get(row.pk, 0)):
                alike.setdefault(count, []).append(row.pk)
        for count, same in alike.items():
            Alert.objects.filter(pk__in=same).update(delivery_attempts=count)
        done = _acknowledged(keys)
        whole = [row for row in rows if row.status in (AlertStatus.PENDING, AlertStatus.SENT) and row.pk in done]
        Alert.objects.filter(pk__in=[row.pk for row in whole]).update(status=AlertStatus.DELIVERED)
        lines = ((row, {"status": row.status}, {"status": AlertStatus.DELIVERED}) for row in whole)
        audit.record_changes(lines, "deliver_alert")


def bring_up_lately() -> None:
    """Bring up to date what was delivered lately, also where the process died that was to do it."""
    lately = Delivery.objects.filter(delivered_at__gte=before(_LATELY_SECONDS)).order_by("-delivered_at")
    open_ones = lately.filter(publication__alert__status__in=(AlertStatus.PENDING, AlertStatus.SENT))
    bring_up(set(open_ones.values_list("publication__alert", flat=True)[:_MOST]))


def bring_up_without(subscription: Subscription) -> None:
    """Bring up to date what one subscriber has not got, who is asked no more: the others may all have it."""
    lacking = Delivery.objects.filter(subscription=subscription).exclude(status__in=_ARRIVED).order_by("-id")
    bring_up(set(lacking.values_list("publication__alert", flat=True)[:_MOST]))


def _acknowledged(keys: Collection[UUID]) -> set[UUID]:
    """Return those alerts that somebody has acknowledged, and nobody who is active has yet to."""
    deliveries = Delivery.objects.filter(publication__alert__in=keys)
    some = deliveries.filter(status=DeliveryStatus.DELIVERED)
    lacking = deliveries.filter(subscription__in=Subscription.objects.sending()).exclude(status__in=_ARRIVED)
    read_to = Subscription.objects.sending().aggregate(least=Min("place"))["least"]
    read = AlertPublication.objects.filter(alert__in=keys)
    if read_to is not None:
        read = read.filter(sequence__lte=read_to)
    by_alert = ("publication__alert", "publication__alert", "alert")
    some_keys, lacking_keys, read_keys = (
        set(rows.order_by().values_list(name, flat=True))
        for rows, name in zip((some, lacking, read), by_alert, strict=True)
    )
    return (some_keys & read_keys) - lacking_keys
