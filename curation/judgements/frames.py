"""The rejection of a whole frame: one answer about everything that awaits review in it, and one way back.

The frame itself stays what it is, and what people have decided stays decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid5

from django.db import transaction

from catalog.models import User
from catalog.people import audit
from curation.judgements.objects import keys_of
from curation.judgements.verdicts import OPEN, EventRefused, Judgement, record_group, standing_of_group
from curation.models import EventKind, Lease, Shown
from detection.models import Detection
from observations.models import Observation

# More than a night's work of people: who has such a frame asks why the pipeline let it pass.
MOST_REJECTED = 2000
_WAY = "frame"


@dataclass(frozen=True)
class Rejection:
    """What rejecting a frame would be about: detections that await review, of how many objects, and held by others."""

    observation: Observation
    detections: list[UUID]
    objects: int
    held_by_others: int

    @property
    def is_too_much(self) -> bool:
        """Tell whether there is more than one answer is about."""
        return len(self.detections) > MOST_REJECTED


@dataclass(frozen=True)
class FrameAnswer:
    """What a person says of a whole frame; `group` is made by the client, `context` is what was on screen."""

    group: UUID
    label: str = ""
    notes: str = ""
    context: dict[str, object] = field(default_factory=dict)


def rejection_of(observation: Observation, user: User) -> Rejection:
    """Return what rejecting a frame would be about now."""
    rows = Detection.objects.visible_to(user).filter(observation=observation, status__in=OPEN)
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_REJECTED + 1])
    others = Lease.objects.filter(detection__in=keys).exclude(holder=user)
    return Rejection(observation, keys, len(set(keys_of(keys).values())), others.count())


@transaction.atomic
def reject_frame(seen: Detection, said: FrameAnswer, user: User, actor: audit.Actor) -> list[UUID]:
    """Call everything bogus that awaits review in the frame of a detection; return the detections.

    `seen` is the one that was large on screen. Sent again, it does nothing more.
    Raises EventRefused where nothing awaits review, or too much.
    """
    if already := standing_of_group(said.group, user):
        return [event.detection_id for event in already]
    found = rejection_of(seen.observation, user)
    if found.is_too_much:
        raise EventRefused(
            f"More than {MOST_REJECTED} detections of this frame await review: archive the frame, and find out why."
        )
    if not found.detections:
        raise EventRefused("Nothing in this frame awaits review any more.")
    judgements = [
        Judgement(
            id=uuid5(said.group, str(pk)),
            detection_id=pk,
            is_valid=False,
            label=said.label,
            notes=said.notes,
            group=said.group,
            shown=Shown.LARGE if pk == seen.pk else Shown.UNSEEN,
            visible_context={**said.context, "answered_by": _WAY},
        )
        for pk in found.detections
    ]
    record_group(judgements, user, actor)
    audit.record(
        seen.observation, "reject_frame", actor=actor, new={"detections": len(judgements), "label": said.label}
    )
    return found.detections


@transaction.atomic
def take_back_frame(group: UUID, user: User, actor: audit.Actor) -> int:
    """Withdraw what stands of the rejection of a frame; return how many answers."""
    events = standing_of_group(group, user)
    if not events:
        return 0
    undone = uuid5(group, "taken back")
    record_group(
        [
            Judgement(
                id=uuid5(event.pk, "taken back"),
                detection_id=event.detection_id,
                kind=EventKind.WITHDRAWAL,
                supersedes_id=event.pk,
                group=undone,
            )
            for event in events
        ],
        user,
        actor,
    )
    observation = events[0].detection.observation
    audit.record(observation, "take_back_frame", actor=actor, old={"detections": len(events)})
    return len(events)
