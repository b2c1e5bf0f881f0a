"""What a curator's answer does besides being kept: its lease ends or comes back, and what others said is told.

An answer in triage is about what was on screen: without its images nothing is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from catalog.models import User
from catalog.people import audit
from curation.judgements import visibility
from curation.judgements.deferrals import end_of_answered
from curation.judgements.verdicts import (
    EventRefused,
    Judgement,
    answers_about,
    appending,
    lock_for,
    record_locked,
)
from curation.models import EventKind, ValidationEvent
from curation.triage import gold, queue
from curation.triage.queue import Holder
from detection.cutouts.pictures import PARTS

# Of what was visible: the images that were painted.
_IMAGES = "images"


@dataclass(frozen=True)
class Recorded:
    """An answer that is kept.

    is_new : False where it was sent before. has_lapsed : the person no longer held the detection. is_held : they hold
    it now, after taking an answer back. others : what other people say of it, as far as
    this person may see it. feedback : what only they are told, of an item whose answer is known.
    """

    event: ValidationEvent
    is_new: bool
    has_lapsed: bool
    is_held: bool
    others: list[ValidationEvent]
    feedback: str = ""

    @property
    def opposed(self) -> list[ValidationEvent]:
        """Return what others say who say the opposite; nothing is opposed to an answer that was taken back."""
        is_verdict = self.event.kind == EventKind.VERDICT
        return [said for said in self.others if is_verdict and said.is_valid is not self.event.is_valid]


def answer(judgements: Sequence[Judgement], holder: Holder, actor: audit.Actor, *, was_held: bool) -> Recorded:
    """Record what one key says of an object; `was_held`: the page believed that its person held it.

    The first judgement is of the detection that was large on screen, and what is returned is of that. A lease that has
    lapsed is told, and the answer is kept all the same. Whoever takes an answer back holds the item again where it
    waits again. Raises what `record_group` raises, and EventRefused for a verdict that does not say that all images
    were on screen.
    """
    first = judgements[0]
    if first.kind == EventKind.VERDICT and not _has_shown(first):
        raise EventRefused("Its images were not on screen: look at the detection again, and answer once they are.")
    with appending(judgements):
        around = lock_for(judgements, holder.user)
        if around.is_known and (known := gold.kept(first, holder)) is not None:
            is_taken_back = first.kind == EventKind.WITHDRAWAL
            said = ValidationEvent(id=first.id, kind=first.kind, is_valid=first.is_valid)
            return Recorded(said, known[0], has_lapsed=False, is_held=is_taken_back, others=[], feedback=known[1])
        held_before = around.is_leased or queue.is_held(first.detection_id, holder.user)
        event, is_new = record_locked(around, judgements, holder.user, actor)[0]
        if event.kind == EventKind.VERDICT and around.is_put_off:
            end_of_answered(around.detections, holder.user)
        is_held = event.kind == EventKind.WITHDRAWAL and event.detection_id in queue.hold([event.detection_id], holder)
    return Recorded(
        event=event,
        is_new=is_new,
        has_lapsed=is_new and was_held and not held_before,
        is_held=is_held,
        others=_others(around.detections, holder.user) if around.is_said else [],
    )


def _others(detections: Collection[UUID], user: User) -> list[ValidationEvent]:
    """Return what other people say of detections, as far as this person may see it."""
    answers = [said for several in answers_about(detections).values() for said in several]
    return visibility.others_for(user, answers)


def _has_shown(judgement: Judgement) -> bool:
    images = judgement.visible_context.get(_IMAGES)
    return isinstance(images, list) and all(part in images for part in PARTS)
