"""What a curator's answer does besides being kept: its lease ends or comes back, and what others said is told."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from catalog.people import audit
from curation.judgements import visibility
from curation.judgements.verdicts import Judgement, answers_about, record_validation
from curation.models import EventKind, ValidationEvent
from curation.triage import queue
from curation.triage.queue import Holder


@dataclass(frozen=True)
class Recorded:
    """An answer that is kept.

    is_new : False where it was sent before. has_lapsed : the person no longer held the detection. is_held : they hold
    it now, after taking an answer back. others : what other people say of it, as far as
    this person may see it.
    """

    event: ValidationEvent
    is_new: bool
    has_lapsed: bool
    is_held: bool
    others: list[ValidationEvent]


def answer(judgement: Judgement, holder: Holder, actor: audit.Actor, *, was_held: bool) -> Recorded:
    """Record a judgement; `was_held`: the page believed that its person held the detection.

    A lease that has lapsed is told, and the answer is kept all the same. Whoever takes an answer back holds the
    detection again where it waits again. Raises what `record_validation` raises.
    """
    with transaction.atomic():
        held_before = queue.is_held(judgement.detection_id, holder.user)
        event, is_new = record_validation(judgement, holder.user, actor)
        is_held = event.kind == EventKind.WITHDRAWAL and event.detection_id in queue.hold([event.detection_id], holder)
    answers = answers_about([event.detection_id]).get(event.detection_id, [])
    return Recorded(
        event=event,
        is_new=is_new,
        has_lapsed=is_new and was_held and not held_before,
        is_held=is_held,
        others=visibility.others_for(holder.user, answers),
    )
