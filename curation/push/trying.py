"""The tries of deliveries: taken before they are made, so that a process that dies costs a try and loses nothing; put
down after, with when the next one is due."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from catalog.hiding import hidden_from
from catalog.people import audit
from catalog.work.rows import after
from curation.models import MOST_ATTEMPTS, OPEN, Delivery, DeliveryStatus, Subscription
from curation.push.keeping import stop
from curation.push.reading import shown_to
from curation.push.sending import Outcome

# Between the tries, as Standard Webhooks 1.0 advises: three days in all.
_WAITS_SECONDS = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
_JITTER = (0.9, 1.1)
# What was taken and not put down within this is tried again: longer than a batch can take.
LEASE_SECONDS = 75.0
# A receiver that fails is asked again after so long, twice as long each time, with one message alone.
_FIRST_REST_SECONDS, _LONGEST_REST_SECONDS = 5.0, 600.0
_GONE = "The receiver answered 410 Gone: it wants nothing any more. Resume the subscription when it is ready again."


_NOT_SHOWN = "What it tells of is of a survey that is not shown to the owner of the subscription."


@dataclass(frozen=True)
class Try:
    """One try that was begun, and the times of the delivery before it."""

    delivery: Delivery
    before: Delivery


@transaction.atomic
def withhold(subscription: Subscription) -> None:
    """Give up what is due of what the subscriber may not see any more; it may be replayed when they may again."""
    if not hidden_from(subscription.owner):
        return
    due = Delivery.objects.due().filter(subscription=subscription).order_by("pk")
    rows = list(due.select_for_update(skip_locked=True, of=("self",)).select_related("publication"))
    shown = {one.pk for one in shown_to(subscription.owner, [row.publication for row in rows])}
    kept_back = [row for row in rows if row.publication_id not in shown]
    for row in kept_back:
        row.status, row.next_try_at, row.last_reason = DeliveryStatus.DEAD, None, _NOT_SHOWN
    Delivery.objects.bulk_update(kept_back, ["status", "next_try_at", "last_reason"])
    audit.record_changes(
        ((row, {}, {"attempts": row.attempts, "reason": row.last_reason}) for row in kept_back), "delivery_died"
    )


@transaction.atomic
def take(subscription: Subscription, most: int) -> list[Try]:
    """Begin tries of what is due, the longest due first; nobody else tries the same meanwhile."""
    due = Delivery.objects.due().filter(subscription=subscription).order_by("next_try_at", "id")
    before = {row.pk: row for row in due.select_for_update(skip_locked=True)[:most]}
    if not before:
        return []
    Delivery.objects.filter(pk__in=before).update(
        attempts=F("attempts") + 1,
        first_try_at=Coalesce("first_try_at", Now()),
        last_try_at=Now(),
        next_try_at=after(LEASE_SECONDS),
    )
    rows = Delivery.objects.filter(pk__in=before).select_related("publication__alert").order_by("publication__sequence")
    return [Try(row, before[row.pk]) for row in rows]


@transaction.atomic
def put_down(subscription: Subscription, outcomes: Sequence[tuple[Try, Outcome | None]]) -> None:
    """Write what tries came to; None is one that was not made after all, and does not count.

    A try that was taken for lost, and is another's by now, writes nothing.
    """
    held = _held([one.delivery for one, _ in outcomes])
    mine = [(one, outcome) for one, outcome in outcomes if one.delivery.pk in held]
    alike: dict[tuple[DeliveryStatus, int | None], list[UUID]] = {}
    for one, outcome in mine:
        if outcome is None:
            _undo(one)
        elif outcome.has_arrived:
            alike.setdefault((outcome.status, outcome.code), []).append(one.delivery.pk)
        else:
            _note_failure(one.delivery, outcome)
    for (status, code), keys in alike.items():
        Delivery.objects.filter(pk__in=keys).update(
            status=status, last_code=code, last_reason="", next_try_at=None, delivered_at=Now()
        )
    _note_receiver(subscription, [outcome for _, outcome in mine if outcome is not None])


def _held(rows: Sequence[Delivery]) -> set[UUID]:
    """Lock the deliveries of which these are still the tries."""
    attempts = {row.pk: row.attempts for row in rows}
    locked = Delivery.objects.filter(pk__in=attempts, status__in=OPEN).order_by("pk").select_for_update()
    return {key for key, number in locked.values_list("pk", "attempts") if number == attempts[key]}


def _undo(one: Try) -> None:
    before = one.before
    Delivery.objects.filter(pk=before.pk).update(
        attempts=before.attempts,
        first_try_at=before.first_try_at,
        last_try_at=before.last_try_at,
        next_try_at=Now(),
    )


def _note_failure(row: Delivery, outcome: Outcome) -> None:
    """Write when the next try is due, or that there is none."""
    said = {"last_code": outcome.code, "last_reason": outcome.reason}
    this = Delivery.objects.filter(pk=row.pk)
    if row.attempts >= row.most_attempts:
        this.update(status=DeliveryStatus.DEAD, next_try_at=None, **said)
        audit.record(row, "delivery_died", new={"attempts": row.attempts, "reason": outcome.reason})
        return
    done = row.attempts - (row.most_attempts - MOST_ATTEMPTS)
    wait = max(_wait_after(done), outcome.retry_after_s or 0.0)
    this.update(status=DeliveryStatus.FAILED, next_try_at=after(wait), **said)


def _wait_after(tries: int) -> float:
    """Return the seconds until the next try after so many that failed."""
    return _WAITS_SECONDS[min(max(tries, 1), len(_WAITS_SECONDS)) - 1] * random.uniform(*_JITTER)  # noqa: S311


def _note_receiver(subscription: Subscription, outcomes: Sequence[Outcome]) -> None:
    """Let a receiver rest that failed throughout, or asks for it; one that wants nothing any more is asked no more."""
    if not outcomes:
        return
    row = Subscription.objects.select_for_update().get(pk=subscription.pk)
    if any(outcome.is_gone for outcome in outcomes):
        stop(row, _GONE)
        return
    asked = max((outcome.retry_after_s or 0.0 for outcome in outcomes), default=0.0)
    failures = 0 if any(outcome.has_arrived for outcome in outcomes) else row.failures + 1
    rest = 0.0
    if failures:
        rest = min(_FIRST_REST_SECONDS * 2.0 ** (failures - 1), _LONGEST_REST_SECONDS)
        rest *= random.uniform(*_JITTER)  # noqa: S311
    if not (failures or row.failures or row.resting_until or asked):
        return
    values: Mapping[str, object] = {"resting_until": after(max(rest, asked)) if max(rest, asked) else None}
    Subscription.objects.filter(pk=row.pk).update(failures=failures, **values)
