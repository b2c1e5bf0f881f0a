"""What is no answer: what clients and pages send is looked at before it is kept."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError

from catalog.models import User
from curation.models import EventKind, LabelDefinition, ValidationEvent

_TAG_LENGTH = 64


class EventRefused(ValueError):
    """This judgement cannot be taken; the text says why."""


class OtherEvent(EventRefused):
    """Another event with this key is there already."""


def check_events(events: Sequence[ValidationEvent], user: User) -> None:
    """Refuse what cannot be kept of one answer of a person, with EventRefused."""
    named = _named(events)
    rows = LabelDefinition.objects.filter(label__in=named, is_active=True) if named else ()
    labels = {row.label: row for row in rows}
    superseded = ValidationEvent.objects.in_bulk({event.supersedes_id for event in events if event.supersedes_id})
    for event in events:
        _check_fields(event)
        _check_verdict(event, labels)
        if event.supersedes_id is not None:
            old = superseded.get(event.supersedes_id)
            if old is None or old.detection_id != event.detection_id or old.validator_id != user.pk:
                raise EventRefused("You can withdraw only your own answers about the same detection.")


def _named(events: Sequence[ValidationEvent]) -> set[str]:
    """Return the labels that are given, as far as the database can be asked for them."""
    return {event.label for event in events if event.label and _is_storable(event.label)}


def _check_fields(event: ValidationEvent) -> None:
    if not _is_storable([event.label, event.notes, event.tags, event.visible_context]):
        raise EventRefused("It contains characters or numbers that cannot be stored: enter it again.")
    if not all(isinstance(tag, str) and 0 < len(tag) <= _TAG_LENGTH for tag in event.tags):
        raise EventRefused(f"A tag is a text of at most {_TAG_LENGTH} characters.")
    try:
        # The database is asked about each constraint by itself: eight queries, for what is known without it.
        event.full_clean(
            exclude=["id", "detection", "validator", "supersedes"], validate_unique=False, validate_constraints=False
        )
    except ValidationError as error:
        raise EventRefused(" ".join(error.messages)) from error
    if event.seconds_taken is not None and not 0.0 <= event.seconds_taken < math.inf:
        raise EventRefused("seconds_taken must be 0 or a number above it.")


def _check_verdict(event: ValidationEvent, labels: Mapping[str, LabelDefinition]) -> None:
    if event.kind == EventKind.VERDICT and event.is_valid is None:
        raise EventRefused("A verdict must say whether the detection is real: give `is_valid`.")
    if event.kind == EventKind.WITHDRAWAL and (event.is_valid is not None or event.supersedes_id is None):
        raise EventRefused("A withdrawal names in `supersedes` the event that it withdraws, and omits `is_valid`.")
    if event.label:
        definition = labels.get(event.label)
        if definition is None:
            raise EventRefused(f"There is no label {event.label!r}: choose one of those offered.")
        if event.is_valid is not None and definition.is_valid != event.is_valid:
            raise EventRefused(
                f"{definition.title} is {_verdict_word(definition.is_valid)}; the verdict says otherwise."
            )


def _verdict_word(is_valid: bool) -> str:
    return "astrophysical" if is_valid else "not astrophysical"


def _is_storable(value: object) -> bool:
    """Tell whether the database can hold this: no character zero, no halves of characters, no NaN."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\\\\", "")
    except ValueError:
        return False
    return "\\u0000" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
