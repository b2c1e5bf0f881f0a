"""The rejection of a whole frame: one answer about everything that awaits review in it, and one way back.

The frame itself stays what it is, and what people have decided stays decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from catalog.models import User
from catalog.people import audit
from curation.judgements.batches import MOST_AT_ONCE, BatchAnswer, answer_batch, take_back_batch
from curation.judgements.objects import keys_of
from curation.judgements.verdicts import OPEN, EventRefused, standing_of_group
from curation.models import GoldAnswer, Lease, Shown
from detection.models import Detection
from observations.models import Observation


@dataclass(frozen=True)
class Rejection:
    """What rejecting a frame would be about: detections that await review, of how many objects, and held by others.

    unmarked : items of the frame whose answer is known, that the person was given: they count, and go, with the others,
    and nothing is kept of that.
    """

    observation: Observation
    detections: list[UUID]
    unmarked: list[UUID]
    objects: int
    held_by_others: int

    @property
    def count(self) -> int:
        """Return how many detections that is, as the person is told."""
        return len(self.detections) + len(self.unmarked)

    @property
    def is_too_much(self) -> bool:
        """Tell whether there is more than one answer is about."""
        return len(self.detections) > MOST_AT_ONCE


def rejection_of(observation: Observation, user: User) -> Rejection:
    """Return what rejecting a frame would be about now."""
    rows = Detection.objects.visible_to(user).filter(observation=observation, status__in=OPEN)
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    others = Lease.objects.filter(detection__in=keys).exclude(holder=user)
    given = GoldAnswer.objects.filter(person=user, is_valid__isnull=True, item__detection__observation=observation)
    unmarked = list(given.exclude(item__detection__in=keys).values_list("item__detection", flat=True))
    return Rejection(observation, keys, unmarked, len(set(keys_of(keys).values())) + len(unmarked), others.count())


@transaction.atomic
def reject_frame(seen: Detection, said: BatchAnswer, user: User, actor: audit.Actor) -> list[UUID]:
    """Answer about everything that awaits review in the frame of a detection; return what goes with it.

    `seen` is the one that was large on screen. Sent again, it does nothing more. Raises EventRefused where nothing
    awaits review, or too much.
    """
    found = rejection_of(seen.observation, user)
    if found.is_too_much:
        raise EventRefused(
            f"More than {MOST_AT_ONCE} detections of this frame await review: archive the frame, and find out why."
        )
    if found.unmarked and not found.detections and not standing_of_group(said.group, user):
        return found.unmarked
    done, is_new = answer_batch(found.detections, {seen.pk: Shown.LARGE}, said, user, actor)
    if is_new:
        audit.record(seen.observation, "reject_frame", actor=actor, new={"detections": len(done), "label": said.label})
    return [*done, *found.unmarked]


@transaction.atomic
def take_back_frame(group: UUID, user: User, actor: audit.Actor) -> int:
    """Withdraw what stands of the rejection of a frame; return how many answers."""
    events = take_back_batch(group, user, actor)
    if events:
        observation = events[0].detection.observation
        audit.record(observation, "take_back_frame", actor=actor, old={"detections": len(events)})
    return len(events)
