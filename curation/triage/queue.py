"""Whose turn it is: which detections a person looks at just now, and which come next.

A waiting detection that is leased has the state `validating`, and both are written in one transaction. Whoever writes
locks the detections first, in the order of their keys, then the leases: so no two ever wait for each other. A lease is
a sign of life and no decision: it leaves no line in the AuditLog.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Now

from catalog.configuration.values import snapshot
from catalog.counting import count_bounded
from catalog.models import User
from curation.models import EventKind, Lease, ValidationEvent
from detection.models import Detection, DetectionStatus

_MOST_PUT_BACK = 500
# A window says every ten seconds that it is open. What one held that went without a word, its own person gets back.
_SILENT_SECONDS = 25.0
_ORDER = ("-confidence_score", "id")


@dataclass(frozen=True)
class Holder:
    """A person at a window of a browser."""

    user: User
    window: UUID


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


def lease_seconds() -> int:
    """Return how long a lease lasts."""
    return 60 * int(snapshot()["curation.lease_minutes"])


@transaction.atomic
def take(queue: Queue, holder: Holder, count: int, after: UUID | None = None) -> Taken:
    """Lease the next detections that nobody else holds; after the last one it goes on with the first.

    `after` is what the person came to last. Leases of others that have lapsed are put back before.
    """
    put_back_lapsed()
    _put_back_of_gone_windows(holder)
    last = Detection.objects.filter(pk=after).first() if after else None
    keys = _take(queue, holder, count, queue.rows.filter(_beyond(last)) if last else queue.rows)
    is_from_the_top = last is not None and len(keys) < count
    if is_from_the_top:
        keys += _take(queue, holder, count - len(keys), queue.rows)
    return Taken(keys, is_from_the_top)


@transaction.atomic
def hold(keys: Collection[UUID], holder: Holder) -> set[UUID]:
    """Hold these for another while; return those that are held now.

    A lease that has lapsed is taken up again unless somebody else has it now, or the detection was decided meanwhile.
    """
    rows = _locked(keys)
    _lapsed().filter(detection__in=rows).exclude(holder=holder.user, window=holder.window).delete()
    leases = {lease.detection_id: lease for lease in Lease.objects.filter(detection__in=rows)}
    mine = [pk for pk, lease in leases.items() if lease.holder_id == holder.user.pk and lease.window == holder.window]
    Lease.objects.filter(detection__in=mine).update(expires_at=_until(), seen_at=Now())
    free = [row.pk for row in rows.values() if row.pk not in leases and row.status == DetectionStatus.PENDING]
    return {*mine, *_lease(free, holder)}


@transaction.atomic
def take_one(key: UUID, holder: Holder) -> Lease | None:
    """Lease one detection, whatever its state; return whoever's lease it is under now, None where it is gone."""
    rows = _locked([key])
    if not rows:
        return None
    _lapsed().filter(detection=key).delete()
    _lease([key], holder)
    Lease.objects.filter(detection=key, holder=holder.user).update(
        window=holder.window, expires_at=_until(), seen_at=Now()
    )
    return Lease.objects.select_related("holder").get(detection=key)


@transaction.atomic
def take_over(queue: Queue, holder: Holder, count: int) -> list[UUID]:
    """Lease what the same person holds in other windows."""
    leases = Lease.objects.filter(holder=holder.user, detection__in=queue.rows).exclude(window=holder.window)
    keys = list(leases.order_by("expires_at").values_list("detection", flat=True)[:count])
    rows = _locked(keys)
    mine = Lease.objects.filter(detection__in=rows, holder=holder.user)
    mine.update(window=holder.window, expires_at=_until(), seen_at=Now())
    return [row.pk for row in sorted(rows.values(), key=lambda row: (-row.confidence_score, row.pk))]


@transaction.atomic
def release(holder: Holder, keys: Collection[UUID] = (), *, kept: Collection[UUID] = ()) -> int:
    """Give leases of one window back: these, or where none is named all but the kept ones; return how many."""
    held = Lease.objects.filter(holder=holder.user, window=holder.window).exclude(detection__in=kept)
    if keys:
        held = held.filter(detection__in=keys)
    return _put_back(_locked(held.values_list("detection", flat=True)), held)


@transaction.atomic
def put_back_lapsed() -> int:
    """Give back leases that have lapsed; return how many. Rows that somebody works at are left for the next time."""
    waiting = Detection.objects.filter(lease__expires_at__lt=Now()).order_by("pk")
    rows = waiting.only("pk", "status").select_for_update(skip_locked=True, of=("self",))[:_MOST_PUT_BACK]
    return _put_back({row.pk: row for row in rows}, _lapsed())


def note_presence(holder: Holder) -> None:
    """Note that a window is open; it lengthens no lease, since its person may have gone."""
    Lease.objects.filter(holder=holder.user, window=holder.window).update(seen_at=Now())


def end(detection: Detection, user: User) -> None:
    """End the lease of a person who has answered; the caller holds the detection's lock and writes its state."""
    Lease.objects.filter(detection=detection, holder=user).delete()


def is_leased(detection: Detection) -> bool:
    """Tell whether somebody holds a detection now."""
    return Lease.objects.filter(detection=detection, expires_at__gt=Now()).exists()


def is_held(detection_id: UUID, user: User) -> bool:
    """Tell whether this person holds a detection now."""
    return Lease.objects.filter(detection=detection_id, holder=user, expires_at__gt=Now()).exists()


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
    return _lease([row.pk for row in found[:count]], holder)


def _lease(keys: list[UUID], holder: Holder) -> list[UUID]:
    """Write leases for detections whose locks are held; of two who see the same free row, one gets it."""
    until = _until()
    new = [Lease(detection_id=pk, holder=holder.user, window=holder.window, expires_at=until) for pk in keys]
    Lease.objects.bulk_create(new, ignore_conflicts=True)
    mine = Lease.objects.filter(detection__in=keys, holder=holder.user, window=holder.window)
    got = set(mine.values_list("detection", flat=True))
    waiting = Detection.objects.filter(pk__in=got, status=DetectionStatus.PENDING)
    waiting.update(status=DetectionStatus.VALIDATING)
    return [pk for pk in keys if pk in got]


def _put_back(rows: dict[UUID, Detection], leases: QuerySet[Lease]) -> int:
    count, _ = leases.filter(detection__in=rows).delete()
    left = Exists(Lease.objects.filter(detection=OuterRef("pk")))
    looked_at = Detection.objects.filter(~left, pk__in=rows, status=DetectionStatus.VALIDATING)
    looked_at.update(status=DetectionStatus.PENDING)
    return count


def _put_back_of_gone_windows(holder: Holder) -> None:
    silent = Now() - Value(dt.timedelta(seconds=_SILENT_SECONDS))
    gone = Lease.objects.filter(holder=holder.user, seen_at__lt=silent).exclude(window=holder.window)
    keys = list(gone.values_list("detection", flat=True))
    if keys:
        _put_back(_locked(keys), gone)


def _locked(keys: Iterable[UUID]) -> dict[UUID, Detection]:
    rows = Detection.objects.filter(pk__in=list(keys)).order_by("pk")
    return {row.pk: row for row in rows.only("pk", "status", "confidence_score").select_for_update()}


def _lapsed() -> QuerySet[Lease]:
    return Lease.objects.filter(expires_at__lt=Now())


def _until() -> CombinedExpression:
    return Now() + Value(dt.timedelta(seconds=lease_seconds()))


def _beyond(last: Detection) -> Q:
    """Return what comes after a row: one range, which the index can begin at, and within it the rest."""
    same = Q(confidence_score=last.confidence_score, id__gt=last.pk)
    return Q(confidence_score__lte=last.confidence_score) & (Q(confidence_score__lt=last.confidence_score) | same)


def _states(status: str) -> list[str]:
    """Return the states of what belongs to a queue: what waits includes what is looked at."""
    return [status, DetectionStatus.VALIDATING] if status == DetectionStatus.PENDING else [status]
