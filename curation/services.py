"""What people and clients may do: judge detections, and read what was published."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from catalog import audit, jobs
from catalog.models import User
from curation.models import AlertPublication, ConfidenceLevel, EventKind, LabelDefinition, ValidationEvent
from curation.numerics.agreement import Answer, Consensus, consensus
from detection.models import Detection, DetectionStatus, DetectionType

ALERTS = "alerts"
# What a client says of an event; the same key with other words is another event, and refused.
_SAID = (
    "detection_id", "validator_id", "kind", "is_valid", "label", "confidence_level", "notes", "tags", "image_quality",
    "detection_quality", "supersedes_id",
)  # fmt: skip


class EventRefused(ValueError):
    """This judgement cannot be taken; the text says why."""


class OtherEvent(EventRefused):
    """Another event with this key is there already."""


class CursorRefused(ValueError):
    """This is no cursor of the feed."""


@dataclass(frozen=True)
class Judgement:
    """What a person says of a detection; `id` is made by the client, so that sending it again does nothing."""

    id: UUID
    detection_id: UUID
    is_valid: bool | None = None
    label: str = ""
    confidence_level: str = ConfidenceLevel.MEDIUM
    notes: str = ""
    tags: tuple[str, ...] = ()
    image_quality: str = ""
    detection_quality: str = ""
    supersedes_id: UUID | None = None
    kind: str = EventKind.VERDICT
    seconds_taken: float | None = None
    visible_context: dict[str, Any] = field(default_factory=dict)


def record_validation(judgement: Judgement, user: User, actor: audit.Actor) -> tuple[ValidationEvent, bool]:
    """Append a judgement, derive what all answers come to, and let the alert rule look at it.

    Returns the event and whether it is new: the same again is the stored one. A withdrawal names in `supersedes_id`
    what it takes back. Raises OtherEvent where the key was used for something else, EventRefused for what does not fit.
    """
    with transaction.atomic():
        detection = Detection.objects.select_for_update().filter(pk=judgement.detection_id).first()
        if detection is None:
            raise EventRefused("There is no such detection.")
        known = ValidationEvent.objects.filter(pk=judgement.id).first()
        event = _event(judgement, user)
        if known is not None:
            if any(getattr(known, name) != getattr(event, name) for name in _SAID):
                raise OtherEvent("An event with this id says something else already: make a new id.")
            return known, False
        _check(event, user)
        event.save(force_insert=True)
        before = _verdict(detection)
        _derive(detection)
        audit.record(detection, f"validation_{event.kind}", actor=actor, old=before, new=_verdict(detection))
        if detection.source_id is not None:
            jobs.enqueue(ALERTS, "source", detection.source_id, priority=5)
    return event, True


def standing_answers(detection: Detection) -> list[ValidationEvent]:
    """Return each person's latest verdict that was neither superseded nor withdrawn, in order of time."""
    events = list(ValidationEvent.objects.filter(detection=detection).order_by("created_at", "id"))
    gone = {event.supersedes_id for event in events if event.supersedes_id}
    standing = {e.validator_id: e for e in events if e.kind == EventKind.VERDICT and e.pk not in gone}
    return sorted(standing.values(), key=lambda event: (event.created_at, event.pk))


def verdict_of(detection: Detection) -> Consensus:
    """Return what the standing answers come to."""
    answers = standing_answers(detection)
    return consensus([Answer(bool(e.is_valid), e.label, e.confidence_level) for e in answers])


def feed_page(since: str, page_size: int) -> tuple[list[AlertPublication], str]:
    """Return what was published after a cursor, in order, and the cursor after it; "" is the beginning.

    Raises CursorRefused for what is no cursor.
    """
    rows = list(AlertPublication.objects.filter(sequence__gt=_sequence(since)).order_by("sequence")[:page_size])
    return rows, _cursor(rows[-1].sequence) if rows else since


def _event(judgement: Judgement, user: User) -> ValidationEvent:
    values = {name: getattr(judgement, name) for name in judgement.__dataclass_fields__}
    return ValidationEvent(**{**values, "tags": list(judgement.tags)}, validator=user)


def _check(event: ValidationEvent, user: User) -> None:
    event.full_clean(exclude=["id", "detection", "validator", "supersedes"], validate_unique=False)
    if event.label and not LabelDefinition.objects.filter(label=event.label, is_active=True).exists():
        raise EventRefused(f"There is no label {event.label!r}.")
    if event.supersedes_id is not None:
        old = ValidationEvent.objects.filter(pk=event.supersedes_id).first()
        if old is None or old.detection_id != event.detection_id or old.validator_id != user.pk:
            raise EventRefused("Only one's own answer about the same detection can be taken back.")


def _verdict(detection: Detection) -> dict[str, Any]:
    names = ("status", "is_validated", "validation_confidence", "human_label", "detection_type")
    return {name: getattr(detection, name) for name in names}


def _derive(detection: Detection) -> None:
    """Write what the answers come to into the detection; one that is confirmed or archived keeps its state."""
    found = verdict_of(detection)
    detection.is_validated = found.is_valid is True
    detection.validation_confidence, detection.human_label = found.share, found.label
    definition = LabelDefinition.objects.filter(label=found.label).first()
    detection.detection_type = definition.detection_type if definition else DetectionType.UNKNOWN
    if detection.status not in (DetectionStatus.CONFIRMED, DetectionStatus.ARCHIVED):
        state = {True: DetectionStatus.VALIDATED, False: DetectionStatus.REJECTED, None: DetectionStatus.PENDING}
        detection.status = state[found.is_valid]
    detection.save()


def _cursor(sequence: int) -> str:
    return base64.urlsafe_b64encode(f"s{sequence}".encode()).decode().rstrip("=")


def _sequence(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise CursorRefused("This is no cursor of the feed: use `next_since` of an earlier answer.") from error
    if not text.startswith("s") or not text[1:].isdecimal() or len(text) > 19:
        raise CursorRefused("This is no cursor of the feed: use `next_since` of an earlier answer.")
    return int(text[1:])
