"""Who has something to be sent: looked for every few seconds, so that publishing need not know of subscribers."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from catalog.models import ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from curation.models import OPEN, Delivery, DeliveryStatus, Subscription
from curation.push import keeping
from curation.push.arrived import bring_up_lately, bring_up_without
from curation.push.reading import last_published

JOB_TYPE, ENTITY = "push", "subscription"
_EXPIRED = "It did not arrive within three and a half days."
_LOST = "The process that tried it for the last time disappeared: whether it arrived is not known."
_MOST_EXPIRED = 1000


def order_due() -> int:
    """Order the sending for each subscriber for whom there is news, or something due; return how many.

    One at whose messages a worker is already is left alone: it goes on until nothing is left.
    """
    at_work = ProcessingJob.objects.filter(job_type=JOB_TYPE, status__in=jobs.UNFINISHED)
    busy = set(at_work.values_list("entity_id", flat=True))
    keys = Subscription.objects.sending().filter(_has_something()).order_by("pk").values_list("pk", flat=True)
    wanted = [key for key in keys if str(key) not in busy]
    for key in wanted:
        jobs.enqueue(JOB_TYPE, ENTITY, key)
    return len(wanted)


def has_something(subscription_id: object) -> bool:
    """Tell whether there is anything to do for one subscriber now."""
    return Subscription.objects.sending().filter(_has_something(), pk=subscription_id).exists()


def tidy() -> None:
    """Give up what is too old, end what has had its time, and bring up to date what a lost process left undone."""
    while _expire():
        """Until none is left."""
    for row in Subscription.objects.sending().filter(until__lte=Now(), place__gte=last_published()):
        if not Delivery.objects.filter(subscription=row, status__in=OPEN).exists():
            keeping.end(row, audit.MACHINE, "Its time is over.")
            bring_up_without(row)
    bring_up_lately()


def _has_something() -> Combinable | Q:
    due = Delivery.objects.due().filter(subscription=OuterRef("pk"))
    is_rested = Q(pk__in=Subscription.objects.rested())
    return Q(place__lt=last_published()) | (is_rested & Exists(due))


@transaction.atomic
def _expire() -> int:
    # A process that dies at its last try writes nothing of it.
    is_over = Q(expires_at__lte=Now()) | Q(attempts__gte=F("most_attempts"), next_try_at__lte=Now())
    old = Delivery.objects.filter(is_over, status__in=OPEN, subscription__in=Subscription.objects.sending())
    rows = list(old.order_by("pk").select_for_update(skip_locked=True, of=("self",))[:_MOST_EXPIRED])
    for row in rows:
        row.status, row.next_try_at = DeliveryStatus.DEAD, None
        why = _LOST if row.attempts >= row.most_attempts else _EXPIRED
        row.last_reason = f"{why} {row.last_reason}".strip()
    Delivery.objects.bulk_update(rows, ["status", "next_try_at", "last_reason"])
    audit.record_changes(
        ((row, {}, {"attempts": row.attempts, "reason": row.last_reason}) for row in rows), "delivery_died"
    )
    return len(rows)
