"""What is in doubt about frames: put down by the looks at them, settled by people, by profiles, or by the sky."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from catalog.failures import NotPossible
from catalog.people import audit
from catalog.work import jobs
from observations.models import Doubt, DoubtOrigin, InstrumentProfile, Observation
from observations.numerics.doubts import Doubt as Found

# What a frame's own stars answer, once a plate solution has found them: where it looked, and at what scale.
ANSWERED_BY_SKY = ("position", "scale", "pixel_scale_arcsec")
SKY = "plate solution"
EXAMINE = "examine"


def store_doubts(observation: Observation | UUID, origin: DoubtOrigin, found: Iterable[Found]) -> None:
    """Put down what one kind of look at a frame found doubtful now, in the caller's transaction.

    What it no longer finds goes, unless somebody has settled it. A settled doubt stays settled while its value is the
    same.
    """
    pk = observation.pk if isinstance(observation, Observation) else observation
    known = {_key(row): row for row in Doubt.objects.filter(observation=pk, origin=origin)}
    profile = InstrumentProfile.objects.filter(observation=pk).first()
    new, changed = [], []
    for doubt in {_key(doubt): doubt for doubt in found}.values():
        row = known.pop(_key(doubt), None)
        if row is None:
            row = Doubt(observation_id=pk, origin=origin, **_fields(doubt), **_identity(doubt))
            new.append(_settled_by(profile, row))
        elif (row.value, row.message, row.blocks_publication) != tuple(_fields(doubt).values()):
            if row.value != doubt.value:
                row.settled_at, row.settled_by, row.settled_note = None, "", ""
            for name, value in _fields(doubt).items():
                setattr(row, name, value)
            changed.append(row)
    Doubt.objects.filter(pk__in=[row.pk for row in known.values()], settled_at__isnull=True).delete()
    Doubt.objects.bulk_create(new)
    for row in changed:
        row.save()


def _settled_by(profile: InstrumentProfile | None, row: Doubt) -> Doubt:
    """The row, settled where the instrument's profile says that such a doubt is of no consequence."""
    if profile is not None and row.code in profile.rules.get("settles", ()):
        row.settled_at, row.settled_by = timezone.now(), f"profile {profile.name}"[:150]
    return row


def _key(doubt: Doubt | Found) -> tuple[str, str, str]:
    return (doubt.code, doubt.fact, doubt.keyword)


def _identity(doubt: Found) -> dict[str, str]:
    return {"code": doubt.code, "fact": doubt.fact, "keyword": doubt.keyword}


def _fields(doubt: Found) -> dict[str, object]:
    return {"value": doubt.value, "message": doubt.message, "blocks_publication": doubt.blocks_publication}


def settle_by_sky(observation_ids: Iterable[UUID]) -> None:
    """Settle what headers left open about the place of frames that a plate solution has found on the sky."""
    rows = Doubt.objects.standing().filter(
        observation__in=list(observation_ids), origin=DoubtOrigin.HEADER, fact__in=ANSWERED_BY_SKY
    )
    rows.update(settled_at=timezone.now(), settled_by=SKY, settled_note="The stars of the frame were found on the sky.")


@transaction.atomic
def settle(doubt: Doubt, note: str, actor: audit.Actor) -> Doubt:
    """Settle a doubt for good: the claim is right, or wrong without consequence."""
    row = Doubt.objects.select_for_update().get(pk=doubt.pk)
    if row.settled_at is not None:
        raise NotPossible(f"This doubt is settled already, by {row.settled_by}.")
    row.settled_at, row.settled_by, row.settled_note = timezone.now(), _name(actor), note
    return _changed(row, "settle_doubt", actor)


@transaction.atomic
def reopen(doubt: Doubt, actor: audit.Actor) -> Doubt:
    """Take back that a doubt is settled."""
    row = Doubt.objects.select_for_update().get(pk=doubt.pk)
    if row.settled_at is None:
        raise NotPossible("This doubt is not settled.")
    row.settled_at, row.settled_by, row.settled_note = None, "", ""
    return _changed(row, "reopen_doubt", actor)


def _changed(row: Doubt, action: str, actor: audit.Actor) -> Doubt:
    row.save()
    new = {"code": row.code, "settled_by": row.settled_by, "settled_note": row.settled_note}
    audit.record(row.observation, action, actor=actor, new=new, summary=row.message)
    if row.blocks_publication:
        # What it held back is looked at again.
        jobs.enqueue(EXAMINE, "observation", row.observation_id)
    return row


def _name(actor: audit.Actor) -> str:
    return actor.user.get_username() if actor.user is not None else "the system"
