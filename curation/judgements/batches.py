"""One answer about many detections at once: of a whole frame, or of what was chosen in a list; and one way back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from django.db import transaction

from catalog.models import User
from catalog.people import audit
from curation.judgements.verdicts import EventRefused, Judgement, answers_about, record_group, standing_of_group
from curation.models import EventKind, Shown, ValidationEvent

# One transaction: more than that is no answer of a person who has looked.
MOST_AT_ONCE = 2000


@dataclass(frozen=True)
class BatchAnswer:
    """What a person says of many detections; `group` is made by the client, `context` is what was on screen."""

    group: UUID
    is_valid: bool
    label: str = ""
    notes: str = ""
    context: dict[str, object] = field(default_factory=dict)


@transaction.atomic
def answer_batch(
    keys: Collection[UUID], shown: Mapping[UUID, str], said: BatchAnswer, user: User, actor: audit.Actor
) -> tuple[list[UUID], bool]:
    """Answer about detections; return which, and whether that is new: the same group again does nothing more.

    keys : at most `MOST_AT_ONCE`. shown : how those were seen that were; the others are stored as unseen. What the
    person has said of them before is superseded. Raises what `record_group` raises, and EventRefused for none or too
    many.
    """
    if already := standing_of_group(said.group, user):
        return [event.detection_id for event in already], False
    if not keys:
        raise EventRefused("There is nothing left to answer about.")
    if len(keys) > MOST_AT_ONCE:
        raise EventRefused(f"One answer is about at most {MOST_AT_ONCE} detections: narrow the selection.")
    answers = answers_about(keys)
    own = {pk: event.pk for pk, events in answers.items() for event in events if event.validator_id == user.pk}
    judgements = [
        Judgement(
            id=uuid5(said.group, str(pk)),
            detection_id=pk,
            is_valid=said.is_valid,
            label=said.label,
            notes=said.notes,
            group=said.group,
            supersedes_id=own.get(pk),
            shown=shown.get(pk, Shown.UNSEEN),
            visible_context=said.context,
        )
        for pk in keys
    ]
    record_group(judgements, user, actor)
    return list(keys), True


@transaction.atomic
def take_back_batch(group: UUID, user: User, actor: audit.Actor) -> list[ValidationEvent]:
    """Withdraw what stands of one answer about many detections; return the answers that stood."""
    events = standing_of_group(group, user)
    undone = uuid5(group, "taken back")
    withdrawals = [
        Judgement(
            id=uuid5(event.pk, "taken back"),
            detection_id=event.detection_id,
            kind=EventKind.WITHDRAWAL,
            supersedes_id=event.pk,
            group=undone,
        )
        for event in events
    ]
    if withdrawals:
        record_group(withdrawals, user, actor)
    return events
