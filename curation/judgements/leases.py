"""Which detections a person looks at just now, so that nobody else is given them.

A waiting detection that is leased has the state `validating`, and both are written in one transaction. Whoever writes
locks the detections first, in the order of their keys, then the leases: so no two ever wait for each other. A lease is
a sign of life and no decision: it leaves no line in the AuditLog.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from catalog.configuration.values import Snapshot, snapshot
from catalog.models import User
from curation.judgements import objects
from curation.models import Lease
from detection.models import Detection, DetectionStatus
from detection.shown import shown_among

_MOST_PUT_BACK = 500
# A window says every ten seconds that it is open. What one held that went without a word, its own person gets back.
_SILENT_SECONDS = 25.0


@dataclass(frozen=True)
class Holder:
    """A person at a window of a browser.

    by_detection : whether the window goes from detection to detection, and not from object to object.
    """

    user: User
    window: UUID
    by_detection: bool = False

    def items_of(self, detections: Collection[UUID]) -> dict[UUID, UUID]:
        """Return what each of these detections stands for in this window."""
        return {key: key for key in detections} if self.by_detection else objects.keys_of(detections)


def lease_seconds(config: Snapshot | None = None) -> int:
    """Return how long a lease lasts."""
    return 60 * int((config or snapshot())["curation.lease_minutes"])


@transaction.atomic
def hold(keys: Collection[UUID], holder: Holder) -> set[UUID]:
    """Hold these for another while; return those that are held now.

    A lease that has lapsed is taken up again unless somebody else has it now, or the detection was decided meanwhile.
    What its person may not see any more is held no longer.
    """
    rows = locked(shown_among(keys, holder.user))
    _lapsed().filter(detection__in=rows).exclude(holder=holder.user, window=holder.window).delete()
    leases = {lease.detection_id: lease for lease in Lease.objects.filter(detection__in=rows)}
    mine = [pk for pk, lease in leases.items() if lease.holder_id == holder.user.pk and lease.window == holder.window]
    Lease.objects.filter(detection__in=mine).update(expires_at=lease_end(), seen_at=Now())
    free = [row.pk for row in rows.values() if row.pk not in leases and row.status == DetectionStatus.PENDING]
    return {*mine, *(write_leases(holder.items_of(free), holder) if free else ())}


@transaction.atomic
def take_one(key: UUID, holder: Holder) -> Lease | None:
    """Lease one detection, whatever its state; return whoever's lease it is under now, None where it is gone.

    What its person holds of the same object in another place comes along.
    """
    put_back_lapsed()
    if not shown_among([key], holder.user):
        return None
    items = holder.items_of([key])
    elsewhere = Lease.objects.filter(item__in=items.values(), holder=holder.user).exclude(detection=key)
    rows = locked([key, *elsewhere.values_list("detection", flat=True)])
    if key not in rows:
        return None
    _put_back(rows, elsewhere)
    _lapsed().filter(detection=key).delete()
    write_leases(items, holder)
    Lease.objects.filter(detection=key, holder=holder.user).update(
        window=holder.window, expires_at=lease_end(), seen_at=Now()
    )
    under = Lease.objects.select_related("holder").filter(Q(detection=key) | Q(item__in=items.values()))
    return under.order_by("created_at").first()


@transaction.atomic
def release(holder: Holder, keys: Collection[UUID] = (), *, kept: Collection[UUID] = ()) -> int:
    """Give leases of one window back: these, or where none is named all but the kept ones; return how many."""
    held = Lease.objects.filter(holder=holder.user, window=holder.window).exclude(detection__in=kept)
    if keys:
        held = held.filter(detection__in=keys)
    return _put_back(locked(held.values_list("detection", flat=True)), held)


@transaction.atomic
def put_back_lapsed() -> int:
    """Give back leases that have lapsed; return how many. Rows that somebody works at are left for the next time."""
    waiting = Detection.objects.filter(lease__expires_at__lt=Now()).order_by("pk")
    rows = waiting.only("pk", "status").select_for_update(skip_locked=True, of=("self",))[:_MOST_PUT_BACK]
    return _put_back({row.pk: row for row in rows}, _lapsed())


def note_presence(holder: Holder) -> None:
    """Note that a window is open; it lengthens no lease, since its person may have gone."""
    Lease.objects.filter(holder=holder.user, window=holder.window).update(seen_at=Now())


def end_leases(detections: Collection[UUID], user: User) -> None:
    """End the leases of a person who has answered; the caller holds the detections' locks and writes their states."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM curation_lease WHERE detection_id = ANY(%s) AND holder_id = %s", (list(detections), user.pk)
        )


def leased_among(detections: Collection[UUID]) -> set[UUID]:
    """Return those of some detections that somebody holds now."""
    if not detections:
        return set()
    held = Lease.objects.filter(detection__in=detections, expires_at__gt=Now())
    return set(held.values_list("detection", flat=True))


def is_held(detection_id: UUID, user: User) -> bool:
    """Tell whether this person holds a detection now, by itself or by another epoch of its object."""
    held = Lease.objects.filter(holder=user, expires_at__gt=Now())
    # As a rule it is the one that was shown first, which needs no look at its object.
    if held.filter(detection=detection_id).exists():
        return True
    return held.filter(item__in=objects.keys_of([detection_id]).values()).exists()


def held_in(holder: Holder) -> list[UUID]:
    """Return what one window holds now."""
    leases = Lease.objects.filter(holder=holder.user, window=holder.window, expires_at__gt=Now())
    return shown_among(leases.order_by("created_at", "pk").values_list("detection", flat=True), holder.user)


def lease_of(key: UUID, holder: Holder) -> Lease | None:
    """Return whoever's lease a detection or its object is under now, the first of them."""
    under = Q(detection=key) | Q(item__in=holder.items_of([key]).values())
    leases = Lease.objects.select_related("holder").filter(under, expires_at__gt=Now())
    return leases.order_by("created_at").first()


def write_leases(items: Mapping[UUID, UUID], holder: Holder) -> list[UUID]:
    """Write leases for detections whose locks are held; of two who see the same free item, one gets it.

    items : what each detection stands for, the key of its object or its own. Returns the detections that are leased.
    """
    until = lease_end()
    own = {"holder": holder.user, "window": holder.window, "expires_at": until}
    Lease.objects.bulk_create(
        [Lease(detection_id=pk, item=item, **own) for pk, item in items.items()], ignore_conflicts=True
    )
    mine = Lease.objects.filter(detection__in=items, holder=holder.user, window=holder.window)
    got = set(mine.values_list("detection", flat=True))
    waiting = Detection.objects.filter(pk__in=got, status=DetectionStatus.PENDING)
    waiting.update(status=DetectionStatus.VALIDATING)
    return [pk for pk in items if pk in got]


def _put_back(rows: dict[UUID, Detection], leases: QuerySet[Lease]) -> int:
    count, _ = leases.filter(detection__in=rows).delete()
    left = Exists(Lease.objects.filter(detection=OuterRef("pk")))
    looked_at = Detection.objects.filter(~left, pk__in=rows, status=DetectionStatus.VALIDATING)
    looked_at.update(status=DetectionStatus.PENDING)
    return count


def put_back_of_gone_windows(holder: Holder) -> None:
    """Give back what a person's other windows held that have been silent; the caller is in a transaction."""
    silent = Now() - Value(dt.timedelta(seconds=_SILENT_SECONDS))
    gone = Lease.objects.filter(holder=holder.user, seen_at__lt=silent).exclude(window=holder.window)
    keys = list(gone.values_list("detection", flat=True))
    if keys:
        _put_back(locked(keys), gone)


def locked(keys: Iterable[UUID]) -> dict[UUID, Detection]:
    """Return detections by key, locked in the order of their keys."""
    rows = Detection.objects.filter(pk__in=list(keys)).order_by("pk")
    return {row.pk: row for row in rows.only("pk", "status", "queue_score").select_for_update()}


def _lapsed() -> QuerySet[Lease]:
    return Lease.objects.filter(expires_at__lt=Now())


def lease_end() -> CombinedExpression:
    """Return when a lease that is given now ends."""
    return Now() + Value(dt.timedelta(seconds=lease_seconds()))
