"""Which items a person is given next, in which order, and why there is nothing.

An item is an object in the sky, and stands for all of its detections that wait: its place in the order is that of the
best of them, which is shown first. Where a window goes by detections, each of these is an item.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Now

from catalog import counting
from catalog.counting import count_bounded
from catalog.models import User
from curation.judgements.deferrals import is_asked_about, put_off_by
from curation.judgements.leases import (
    Holder,
    held_in,
    hold,
    is_held,
    lease_end,
    lease_of,
    lease_seconds,
    locked,
    note_presence,
    put_back_lapsed,
    put_back_of_gone_windows,
    release,
    take_one,
    write_leases,
)
from curation.judgements.objects import keys_of, members_of, object_key
from curation.models import EventKind, Lease, ValidationEvent
from curation.triage.orders import Order
from detection.models import Detection, DetectionStatus

__all__ = [
    "Holder", "Part", "Queue", "Rest", "Taken", "count_objects", "held_in", "hold", "is_held", "lease_of",
    "lease_seconds", "note_presence", "release", "remaining", "rest", "take", "take_one", "take_over",
]  # fmt: skip
# So many detections are looked at for each item: few objects have more that wait.
_ROWS_AN_ITEM = 4
# To count objects, so many detections are looked at, and more only where these are too few.
_LOOKED_AT = (4 * counting.MOST_COUNTED, 10 * counting.MOST_COUNTED)


class Part(StrEnum):
    """Parts of what waits that people can ask for: what they put off, and what others ask them about."""

    PUT_OFF = "put off"
    ASKED = "asked"


@dataclass(frozen=True)
class Queue:
    """Detections in one state, narrowed by whatever else the person asked for.

    part : of what waits, None for all that its person has not put off. order : what comes first. injected : what was
    injected, narrowed in the same way; it is no part of the queue.
    """

    status: str
    rows: QuerySet[Detection]
    part: Part | None = None
    order: Order = Order.SCORE
    injected: QuerySet[Detection] | None = None

    def offered_to(self, user: User) -> QuerySet[Detection]:
        """Return what is offered to a person, whatever its state."""
        if self.part == Part.PUT_OFF:
            return self.rows.filter(put_off_by(user))
        if self.part == Part.ASKED:
            return self.rows.filter(is_asked_about(), ~put_off_by(user))
        return self.rows.filter(~put_off_by(user)) if self.status == DetectionStatus.PENDING else self.rows

    def not_answered_by(self, user: User) -> QuerySet[Detection]:
        """Return what waits; of that, what its person has answered waits for others, who contradicted them."""
        rows = self.offered_to(user).filter(status=self.status)
        if self.status != DetectionStatus.PENDING:
            return rows
        own = ValidationEvent.objects.filter(detection=OuterRef("pk"), validator=user)
        latest = own.order_by("-created_at", "-id").values("kind")[:1]
        return rows.alias(last_said=Coalesce(Subquery(latest), Value(""))).exclude(last_said=EventKind.VERDICT)


@dataclass(frozen=True)
class Taken:
    """What a person got: the detections shown first, in order, and whether it began at the top again."""

    keys: list[UUID]
    is_from_the_top: bool = False


@dataclass(frozen=True)
class Rest:
    """Why a person gets nothing: what others hold, they themselves in other windows, and what waits for others.

    put_off : by this person.
    """

    held_by_others: int
    held_in_other_windows: int
    answered: int
    put_off: int
    outside: int


@transaction.atomic
def take(queue: Queue, holder: Holder, count: int, after: UUID | None = None) -> Taken:
    """Lease the next detections that nobody else holds; after the last one it goes on with the first.

    `after` is what the person came to last. Leases of others that have lapsed are put back before.
    """
    put_back_lapsed()
    put_back_of_gone_windows(holder)
    last = Detection.objects.filter(pk=after).first() if after else None
    keys = _take(queue, holder, count, last)
    is_from_the_top = last is not None and len(keys) < count
    if is_from_the_top:
        keys += _take(queue, holder, count - len(keys))
    return Taken(keys, is_from_the_top)


@transaction.atomic
def take_over(queue: Queue, holder: Holder, count: int) -> list[UUID]:
    """Lease what the same person holds in other windows."""
    leases = Lease.objects.filter(holder=holder.user, detection__in=queue.rows).exclude(window=holder.window)
    keys = list(leases.order_by("expires_at").values_list("detection", flat=True)[:count])
    rows = locked(keys)
    mine = Lease.objects.filter(detection__in=rows, holder=holder.user)
    mine.update(window=holder.window, expires_at=lease_end(), seen_at=Now())
    return list(queue.order.of(Detection.objects.filter(pk__in=rows)).values_list("pk", flat=True))


def remaining(queue: Queue, user: User, *, by_detection: bool = False) -> int:
    """Return how many items are left for a person, those included that people look at just now; a bounded count.

    Of objects of very many detections it is the count of those among the first ten thousand detections.
    """
    rows = queue.offered_to(user).filter(status__in=_states(queue.status))
    if by_detection:
        return count_bounded(rows)
    return count_objects(rows)


def count_objects(rows: QuerySet[Detection]) -> int:
    """Return how many objects detections are of; a bounded count, of the first ten thousand detections."""
    keys, count = rows.order_by().annotate(object_key=object_key()).values("object_key"), 0
    for most in _LOOKED_AT:
        found = keys[:most].aggregate(objects=Count("object_key", distinct=True), rows=Count("object_key"))
        count = found["objects"]
        if count > counting.MOST_COUNTED or found["rows"] < most:
            break
    return min(count, counting.MOST_COUNTED + 1)


def rest(queue: Queue, holder: Holder, every: QuerySet[Detection]) -> Rest:
    """Return why nothing could be taken; `every` is the queue before it was narrowed."""
    leases = Lease.objects.filter(expires_at__gt=Now(), detection__in=queue.rows)
    return Rest(
        held_by_others=count_bounded(leases.exclude(holder=holder.user)),
        held_in_other_windows=count_bounded(leases.filter(holder=holder.user).exclude(window=holder.window)),
        answered=count_bounded(queue.offered_to(holder.user).filter(status=queue.status)),
        put_off=count_bounded(queue.rows.filter(put_off_by(holder.user), status=queue.status)),
        outside=count_bounded(every.filter(status=queue.status)),
    )


def _take(queue: Queue, holder: Holder, count: int, after: Detection | None = None) -> list[UUID]:
    """Lease the first free items of the queue, or of what comes after a row, where the one that is shown first lies."""
    waiting = queue.not_answered_by(holder.user)
    part = waiting if after is None else queue.order.beyond(waiting, after)
    free = part.filter(~Exists(Lease.objects.filter(detection=OuterRef("pk"))))
    if holder.by_detection:
        found = queue.order.of(free).only("pk").select_for_update(skip_locked=True, of=("self",))
        return write_leases({row.pk: row.pk for row in found[:count]}, holder)
    free = free.annotate(object_key=object_key())
    free = queue.order.of(free.filter(~Exists(Lease.objects.filter(item=OuterRef("object_key")))))
    taken: list[UUID] = []
    passed: set[UUID] = set()
    looked_at = _ROWS_AN_ITEM * count
    while len(taken) < count:
        rows = list(free.exclude(pk__in=passed).values_list("pk", flat=True)[:looked_at])
        if not rows:
            break
        passed.update(rows)
        looked_at *= 2
        taken += _lease_first(queue.order.of(waiting), rows, holder, count - len(taken))
    return taken


def _lease_first(waiting: QuerySet[Detection], found: Collection[UUID], holder: Holder, count: int) -> list[UUID]:
    """Lease the objects of some detections, in order: those whose first one is among these, if nobody else takes it.

    waiting : in the order of the queue.
    """
    first = _first_of_each(waiting, found, holder.user)
    leading = first.keys() & set(found)
    # Whoever takes an object locks the one that is shown first: others go past it, and wait for nobody.
    rows = waiting.filter(pk__in=leading).only("pk")
    free = [row.pk for row in rows.select_for_update(skip_locked=True, of=("self",))[:count]]
    return write_leases({pk: first[pk] for pk in free}, holder)


def _first_of_each(waiting: QuerySet[Detection], found: Collection[UUID], user: User) -> dict[UUID, UUID]:
    """Return for each object that these detections belong to the one that is shown first, in order, and its key."""
    members = members_of(set(keys_of(found).values()), user)
    key_of = {pk: key for key, several in members.items() for pk in several}
    first: dict[UUID, UUID] = {}
    for pk in waiting.filter(pk__in=key_of).values_list("pk", flat=True):
        first.setdefault(key_of[pk], pk)
    return {pk: key for key, pk in first.items()}


def _states(status: str) -> list[str]:
    """Return the states of what belongs to a queue: what waits includes what is looked at."""
    return [status, DetectionStatus.VALIDATING] if status == DetectionStatus.PENDING else [status]
