"""What others have said meanwhile against what a person said before: told as soon as their page asks, each once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Now

from catalog.models import User
from curation.judgements import visibility
from curation.judgements.verdicts import answers_about
from curation.models import Contradiction, ValidationEvent

# So many are looked through at once: of one answer about many detections there is one for each.
_MOST = 200


@dataclass(frozen=True)
class News:
    """What somebody has said of one object, against what the person had said.

    keys : of all that is told with it. event : what was said. own : what the person had said. count : of detections.
    """

    keys: list[UUID]
    event: ValidationEvent
    own: ValidationEvent
    count: int


def next_for(user: User) -> News | None:
    """Return what a person is to be told next, as far as they may see it; None as a rule.

    What does not stand any more, or is no contradiction any more, is forgotten.
    """
    untold = Contradiction.objects.not_hidden_from(user).filter(person=user, told_at__isnull=True)
    rows = list(untold.select_related("event__validator", "event__detection").order_by("created_at", "id")[:_MOST])
    if not rows:
        return None
    about = {row.event.detection_id for row in rows}
    answers, hidden = answers_about(about), visibility.hidden_from(user, about)
    own = {pk: event for pk, events in answers.items() for event in events if event.validator_id == user.pk}
    over = [row for row in rows if not _still_is(row, answers, own) or _was_told(row, own[row.event.detection_id])]
    if over:
        Contradiction.objects.filter(pk__in=[row.pk for row in over]).delete()
    left = [row for row in rows if row not in over and row.event.detection_id not in hidden]
    if not left:
        return None
    event = left[0].event
    same = [row for row in left if row.event == event or (event.group and row.event.group == event.group)]
    return News([row.pk for row in same], event, own[event.detection_id], len(same))


def mark_told(keys: Collection[UUID], user: User) -> None:
    """Note that a person has been told."""
    Contradiction.objects.filter(pk__in=keys, person=user, told_at__isnull=True).update(told_at=Now())


def _still_is(
    row: Contradiction, answers: Mapping[UUID, Sequence[ValidationEvent]], own: Mapping[UUID, ValidationEvent]
) -> bool:
    """Tell whether both answers stand, the person's own is the earlier one, and they are opposed."""
    event, mine = row.event, own.get(row.event.detection_id)
    stands = any(one.pk == event.pk for one in answers.get(event.detection_id, []))
    return mine is not None and stands and mine.is_valid is not event.is_valid and mine.created_at <= event.created_at


def _was_told(row: Contradiction, own: ValidationEvent) -> bool:
    """Tell whether the person knows already, since that answer of theirs, that this one says the opposite."""
    event = row.event
    same = Contradiction.objects.filter(
        person=row.person_id, event__detection=event.detection_id, event__validator=event.validator_id,
        event__is_valid=event.is_valid,
    )  # fmt: skip
    return same.filter(told_at__gt=own.created_at).exists()
