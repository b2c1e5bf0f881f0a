"""What of the feed is for a subscriber: read on from their place, and each publication once and for all decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models.functions import Now

from catalog.configuration.values import snapshot
from catalog.hiding import hidden_from
from catalog.models import User
from catalog.work import jobs
from catalog.work.rows import after
from curation.alerts.automatic import automatic
from curation.alerts.criteria import Told, criteria_of, matches, told
from curation.models import AlertPublication, Delivery, Subscription

# How long a delivery may take in all: ten tries take about three days.
EXPIRE_SECONDS = 84 * 3600.0
_BATCH = 200


def last_published() -> int:
    """Return the number of the last publication, 0 while there is none."""
    return AlertPublication.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0


def read_on(subscription_id: object) -> list[UUID]:
    """Write down what a subscriber is to get of the next publications, and move their place, both or neither.

    Returns the keys of the alerts that were decided about; none where nothing is new, or nothing is sent there.
    """
    is_on = automatic(snapshot()).is_on
    with jobs.writing():
        asked = Subscription.objects.sending().select_for_update(of=("self",)).select_related("owner")
        asked = asked.filter(pk=subscription_id)
        row = asked.annotate(now=Now(), expires_at=after(EXPIRE_SECONDS)).first()
        if row is None:
            return []
        rows = list(AlertPublication.objects.filter(sequence__gt=row.place).order_by("sequence")[:_BATCH])
        if not rows:
            return []
        wanted = [one for one in rows if row.until is None or one.published_at <= row.until]
        chosen = _chosen(row, shown_to(row.owner, wanted), is_automatic_on=is_on)
        deliveries = [
            Delivery(subscription=row, publication=one, next_try_at=row.now, expires_at=row.expires_at)
            for one in chosen
        ]
        Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
        Subscription.objects.filter(pk=row.pk).update(place=rows[-1].sequence)
    return [one.alert_id for one in rows]


def shown_to(owner: User, rows: Sequence[AlertPublication]) -> list[AlertPublication]:
    """Return those of some publications that a person may see, as their teams are now."""
    if not hidden_from(owner):
        return list(rows)
    shown = AlertPublication.objects.visible_to(owner).filter(pk__in=[one.pk for one in rows])
    keys = set(shown.values_list("pk", flat=True))
    return [one for one in rows if one.pk in keys]


def _chosen(row: Subscription, rows: Iterable[AlertPublication], *, is_automatic_on: bool) -> list[AlertPublication]:
    """Return the publications that match, and those that update or retract what this subscriber got."""
    criteria, said = criteria_of(row.criteria), [(one, told(one.payload)) for one in rows]
    got = _got(row, [words for _, words in said])
    chosen = []
    for one, words in said:
        if got & set(words.follows) or matches(criteria, words, is_automatic_on=is_automatic_on):
            got.add(one.alert_id)
            chosen.append(one)
    return chosen


def _got(row: Subscription, said: Iterable[Told]) -> set[UUID]:
    """Return those alerts, of the ones that others follow, which went to this subscriber, or are on their way."""
    asked = {key for words in said for key in words.follows}
    if not asked:
        return set()
    keys = Delivery.objects.filter(subscription=row, publication__alert__in=asked)
    return set(keys.values_list("publication__alert", flat=True))
