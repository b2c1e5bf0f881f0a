"""Subscriptions, publications, and what a worker would do for them now."""

from __future__ import annotations

from typing import cast

from catalog.models import User
from catalog.people import audit
from catalog.work import jobs
from curation.alerts.criteria import Criteria
from curation.alerts.publishing import publish_pending
from curation.models import Alert, Delivery, Destination, Subscription
from curation.push.keeping import Wish, subscribe
from curation.push.ordering import order_due
from tests.factories import AlertFactory, DetectionFactory

HUMAN = {"basis": "human"}


def subscription(owner: User, address: str, name: str = "", **criteria) -> tuple[Subscription, str]:
    """Make a webhook's subscription; return it and its secret."""
    wish = Wish(name or address, Criteria(**criteria), Destination.WEBHOOK, address)
    return subscribe(owner, wish, audit.Actor(owner))


def tell(count: int = 1, *, detection=None, kind: str = "new", **facts) -> list[Alert]:
    """Publish alerts that people have judged."""
    detection = detection or DetectionFactory()
    given = {"detection": detection, "alert_type": kind, "alert_metadata": {**HUMAN, **facts}}
    rows = [cast(Alert, AlertFactory(**given)) for _ in range(count)]
    publish_pending()
    return rows


def work() -> int:
    """Order what is due and do it, as the workers of the queue would; return how many jobs were done."""
    order_due()
    done = 0
    while (job := jobs.claim_next(["push"], "tests")) is not None:
        jobs.do(job)
        done += 1
    return done


def make_due(*rows: Subscription) -> None:
    """Let the time pass until each next try."""
    for row in rows:
        Subscription.objects.filter(pk=row.pk).update(resting_until=None)
        Delivery.objects.filter(subscription=row, status__in=("waiting", "failed")).update(next_try_at=row.created_at)


def states(row: Subscription) -> list[tuple[str, int, int | None]]:
    """Return state, tries and last status of a subscription's deliveries, in the order of the feed."""
    rows = Delivery.objects.filter(subscription=row).order_by("publication__sequence")
    return list(rows.values_list("status", "attempts", "last_code"))
