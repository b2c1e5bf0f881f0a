"""What people put off in place of an answer: that concerns them alone, and others are offered it all the same.

A snooze ends at its time, or with the next detection of its object, which nobody has put off. Whoever asks for a second
opinion leaves the object to others; if they have answered themselves, another answer is needed before it is settled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from catalog.models import User
from catalog.people import audit
from curation.judgements.verdicts import EventRefused, derive_again
from curation.models import Deferral, DeferralKind
from detection.models import Detection

_LONGEST = dt.timedelta(days=400)


@dataclass(frozen=True)
class Deferment:
    """What one key puts off; `group` is made by the client, so that sending it again does nothing."""

    group: UUID
    detections: tuple[UUID, ...]
    kind: str
    until: dt.datetime | None = None
    note: str = ""


@transaction.atomic
def defer(asked: Deferment, user: User, actor: audit.Actor) -> bool:
    """Put detections off, the one on screen first; return whether that is new.

    Raises EventRefused where the key was used for something else, for detections that are gone, and for a time that is
    too far away: it would be forgotten.
    """
    stored = Deferral.objects.filter(group=asked.group)
    if first := stored.first():
        if first.person_id != user.pk or first.kind != asked.kind:
            raise EventRefused("A deferral with this key already says something else: choose a new key.")
        return False
    if asked.until and asked.until > dt.datetime.now(dt.UTC) + _LONGEST:
        raise EventRefused(f"That is more than {_LONGEST.days} days away: choose an earlier day.")
    rows = Detection.objects.not_hidden_from(user).in_bulk(asked.detections)
    if asked.detections[0] not in rows:
        raise EventRefused("There is no such detection.")
    Deferral.objects.bulk_create(
        Deferral(detection=row, person=user, kind=asked.kind, until=asked.until, note=asked.note, group=asked.group)
        for row in rows.values()
    )
    said = {"kind": asked.kind, "until": asked.until, "note": asked.note, "detections": len(rows)}
    audit.record(rows[asked.detections[0]], "deferred", actor=actor, new=said)
    if asked.kind == DeferralKind.OPINION:
        derive_again(rows)
    return True


@transaction.atomic
def resume(group: UUID, user: User, actor: audit.Actor) -> bool:
    """Take back what a person has put off with one key; return whether there was something."""
    rows = Deferral.objects.filter(group=group, person=user, ended_at__isnull=True).select_related("detection")
    first = rows.order_by("id").first()
    if first is None:
        return False
    keys = list(rows.values_list("detection", flat=True))
    rows.update(ended_at=Now())
    if first.kind == DeferralKind.OPINION:
        derive_again(keys)
    audit.record(first.detection, "deferral_taken_back", actor=actor, old={"kind": first.kind})
    return True


def end_of_answered(detections: Collection[UUID], user: User) -> None:
    """End what a person had put off and has answered after all."""
    standing().filter(detection__in=detections, person=user).update(ended_at=Now())


def standing() -> QuerySet[Deferral]:
    """Return what is put off just now."""
    return Deferral.objects.filter(Q(until__isnull=True) | Q(until__gt=Now()), ended_at__isnull=True)


def put_off_by(user: User) -> Exists:
    """Return, for a query of detections, whether this person has put each of them off."""
    return Exists(standing().filter(detection=OuterRef("pk"), person=user))


def is_asked_about() -> Exists:
    """Return, for a query of detections, whether somebody asks for the opinion of others about each."""
    return Exists(standing().filter(detection=OuterRef("pk"), kind=DeferralKind.OPINION))


def about(detections: Collection[UUID]) -> list[Deferral]:
    """Return what is put off of some detections, the latest first, with the names of the people."""
    return list(standing().filter(detection__in=detections).select_related("person").order_by("-created_at"))
