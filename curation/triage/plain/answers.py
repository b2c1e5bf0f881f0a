"""What the page without scripts says, under keys that follow from its own key and from what is said.

A form that is sent twice says one thing once; sent again with other words it says another thing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from django.db import transaction

from catalog.models import User
from catalog.people import audit
from curation.judgements.deferrals import Deferment, defer, resume
from curation.judgements.frames import take_back_frame
from curation.judgements.verdicts import EventRefused, Judgement, standing_of_group
from curation.models import Deferral, EventKind, Shown, ValidationEvent
from curation.triage import gold
from curation.triage.answers import Recorded, answer
from curation.triage.queue import Holder

_TAKEN_BACK = "You said this before, and have taken it back or replaced it since: say it again, if you still mean it."

# The kind of what is done about a whole frame.
FRAME = "frame"


@dataclass(frozen=True)
class Done:
    """What can be taken back: an answer, what was put off, or the rejection of a frame.

    group : the key of the whole. detection : the one that was large on screen. name, said : in words.
    """

    group: UUID
    detection: UUID
    kind: str
    name: str
    said: str


@transaction.atomic
def say(
    first: Judgement, others: Mapping[UUID, str], holder: Holder, actor: audit.Actor, *, was_held: bool
) -> tuple[Recorded, UUID]:
    """Keep an answer about a detection and other epochs of its object; return it and the key of the whole.

    first : its `id` is the key of the page. others : how each was shown. Raises what `answer` raises, and EventRefused
    for what was said and taken back before.
    """
    group = uuid5(first.id, _words(first, others))
    common = replace(first, group=group)
    judgements = [replace(common, id=uuid5(group, str(first.detection_id)), shown=Shown.LARGE)]
    judgements += [
        replace(common, id=uuid5(group, str(key)), detection_id=key, shown=shown, supersedes_id=None)
        for key, shown in others.items()
    ]
    kept = answer(judgements, holder, actor, was_held=was_held)
    # A known item has an answer that is kept elsewhere, and stands for good.
    is_old = not kept.is_new and ValidationEvent.objects.filter(group=group).exists()
    if is_old and not standing_of_group(group, holder.user):
        raise EventRefused(_TAKEN_BACK)
    return kept, group


@transaction.atomic
def put_off(asked: Deferment, words: str, user: User, actor: audit.Actor) -> UUID:
    """Put an item off, "for a day" in words; return the key of that.

    asked : its `group` is the key of the page. Raises what `defer` raises, and EventRefused as `say`.
    """
    group = uuid5(asked.group, json.dumps([asked.kind, words, asked.note, *map(str, asked.detections)]))
    if gold.is_injected(asked.detections[0]):
        return group
    is_new = defer(replace(asked, group=group), user, actor)
    if not is_new and not Deferral.objects.filter(group=group, ended_at__isnull=True).exists():
        raise EventRefused(_TAKEN_BACK)
    return group


@transaction.atomic
def take_back(done: Done, holder: Holder, actor: audit.Actor) -> None:
    """Take back what was said with one press; a second time, nothing more happens."""
    if done.kind == FRAME:
        take_back_frame(done.group, holder.user, actor)
        return
    if done.kind != EventKind.VERDICT:
        resume(done.group, holder.user, actor)
        return
    events = ValidationEvent.objects.filter(group=done.group, validator=holder.user, kind=EventKind.VERDICT)
    about = dict(events.order_by("id").values_list("detection", "pk"))
    # Of a known item there is no event; the one on screen leads all the same.
    about = {done.detection: about.pop(done.detection, uuid5(done.group, str(done.detection))), **about}
    answer([_withdrawal(key, event, done.group) for key, event in about.items()], holder, actor, was_held=False)


def _withdrawal(detection: UUID, event: UUID, group: UUID) -> Judgement:
    return Judgement(
        id=uuid5(event, "taken back"), detection_id=detection, kind=EventKind.WITHDRAWAL, supersedes_id=event,
        group=uuid5(group, "taken back"),
    )  # fmt: skip


def _words(said: Judgement, others: Mapping[UUID, str]) -> str:
    told: Sequence[object] = (
        str(said.detection_id), said.is_valid, said.label, said.confidence_level, said.notes, said.tags,
        said.image_quality, said.detection_quality, sorted(map(str, others)),
    )  # fmt: skip
    return json.dumps(told)
