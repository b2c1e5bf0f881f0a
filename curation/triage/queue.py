"""Which detections a person is given next, in which order, and why there is nothing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Now

from catalog.counting import count_bounded
from curation.judgements.leases import (
    Holder,
    hold,
    is_held,
    lease_end,
    lease_seconds,
    locked,
    note_presence,
    put_back_lapsed,
    put_back_of_gone_windows,
    release,
    take_one,
    write_leases,
)
from curation.models import EventKind, Lease, ValidationEvent
from detection.models import Detection, DetectionStatus

__all__ = [
    "Holder", "Queue", "Rest", "Taken", "hold", "is_held", "lease_seconds", "note_presence", "release",
    "remaining", "rest", "take", "take_one", "take_over",
]  # fmt: skip
_ORDER = ("-confidence_score", "id")


@dataclass(frozen=True)
class Queue:
    """Detections in one state, narrowed by whatever else the person asked for; the best score comes first."""

    status: str
    rows: QuerySet[Detection]


@dataclass(frozen=True)
class Taken:
    """What a person got: keys in the order of the queue, and whether it began at the top again."""

    keys: list[UUID]
    is_from_the_top: bool = False


@dataclass(frozen=True)
class Rest:
    """Why a person gets nothing: what others hold, they themselves in other windows, and what waits for others."""

    held_by_others: int
    held_in_other_windows: int
    answered: int
    outside: int


@transaction.atomic
def take(queue: Queue, holder: Holder, count: int, after: UUID | None = None) -> Taken:
    """Lease the next detections that nobody else holds; after the last one it goes on with the first.

    `after` is what the person came to last. Leases of others that have lapsed are put back before.
    """
    put_back_lapsed()
    put_back_of_gone_windows(holder)
    last = Detection.objects.filter(pk=after).first() if after else None
    keys = _take(queue, holder, count, queue.rows.filter(_beyond(last)) if last else queue.rows)
    is_from_the_top = last is not None and len(keys) < count
    if is_from_the_top:
        keys += _take(queue, holder, count - len(keys), queue.rows)
    return Taken(keys, is_from_the_top)


@transaction.atomic
def take_over(queue: Queue, holder: Holder, count: int) -> list[UUID]:
    """Lease what the same person holds in other windows."""
    leases = Lease.objects.filter(holder=holder.user, detection__in=queue.rows).exclude(window=holder.window)
    keys = list(leases.order_by("expires_at").values_list("detection", flat=True)[:count])
    rows = locked(keys)
    mine = Lease.objects.filter(detection__in=rows, holder=holder.user)
    mine.update(window=holder.window, expires_at=lease_end(), seen_at=Now())
    return [row.pk for row in sorted(rows.values(), key=lambda row: (-row.confidence_score, row.pk))]


def remaining(queue: Queue) -> int:
    """Return how many are left, those included that people look at just now; a bounded count."""
    return count_bounded(queue.rows.filter(status__in=_states(queue.status)))


def rest(queue: Queue, holder: Holder, every: QuerySet[Detection]) -> Rest:
    """Return why nothing could be taken; `every` is the queue before it was narrowed."""
    leases = Lease.objects.filter(expires_at__gt=Now(), detection__in=queue.rows)
    return Rest(
        held_by_others=count_bounded(leases.exclude(holder=holder.user)),
        held_in_other_windows=count_bounded(leases.filter(holder=holder.user).exclude(window=holder.window)),
        answered=count_bounded(queue.rows.filter(status=queue.status)),
        outside=count_bounded(every.filter(status=queue.status)),
    )


def _take(queue: Queue, holder: Holder, count: int, rows: QuerySet[Detection]) -> list[UUID]:
    free = rows.filter(status=queue.status).filter(~Exists(Lease.objects.filter(detection=OuterRef("pk"))))
    if queue.status == DetectionStatus.PENDING:
        # Two who contradict each other leave it waiting for a third: it is not put to either of them again.
        own = ValidationEvent.objects.filter(detection=OuterRef("pk"), validator=holder.user)
        latest = own.order_by("-created_at", "-id").values("kind")[:1]
        free = free.alias(last_said=Coalesce(Subquery(latest), Value(""))).exclude(last_said=EventKind.VERDICT)
    found = free.order_by(*_ORDER).only("pk").select_for_update(skip_locked=True, of=("self",))
    return write_leases([row.pk for row in found[:count]], holder)


def _beyond(last: Detection) -> Q:
    """Return what comes after a row: one range, which the index can begin at, and within it the rest."""
    same = Q(confidence_score=last.confidence_score, id__gt=last.pk)
    return Q(confidence_score__lte=last.confidence_score) & (Q(confidence_score__lt=last.confidence_score) | same)


def _states(status: str) -> list[str]:
    """Return the states of what belongs to a queue: what waits includes what is looked at."""
    return [status, DetectionStatus.VALIDATING] if status == DetectionStatus.PENDING else [status]
