"""What people and clients may do: judge detections, and read what was published."""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q

from catalog.configuration.values import snapshot
from catalog.models import JobStatus, ProcessingJob, User
from catalog.people import audit
from catalog.work import jobs
from curation.judgements.consensus import Answer, Consensus, Said, consensus, standing
from curation.models import Alert, AlertPublication, ConfidenceLevel, EventKind, LabelDefinition, ValidationEvent
from curation.triage import queue
from detection.models import Detection, DetectionStatus, DetectionType

ALERTS = "alerts"
# People wait for what follows from their verdict.
_PRIORITY = 5
REAL = (DetectionStatus.VALIDATED, DetectionStatus.CONFIRMED)
OPEN = (DetectionStatus.PENDING, DetectionStatus.VALIDATING)
# What a client says of an event; the same key with other words is another event, and refused.
_SAID = (
    "detection_id", "validator_id", "kind", "is_valid", "label", "confidence_level", "notes", "tags", "image_quality",
    "detection_quality", "supersedes_id",
)  # fmt: skip
_TAKEN = "An event with this id says something else already: make a new id."
_TAG_LENGTH = 64
# Of what was visible: whether the detection was another one already when the answer came.
_MOVED_ON = "had_moved_on"
# Of publications that are read at once.
_MOST_PUBLICATIONS = 1000


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


def record_validation(
    judgement: Judgement, user: User, actor: audit.Actor, *, seen: Collection[str] = ()
) -> tuple[ValidationEvent, bool]:
    """Append a judgement, derive what all answers come to, and let the alert rule look at it.

    Returns the event and whether it is new: the same again is the stored one. A withdrawal names in `supersedes_id`
    what it takes back. `seen`: the revisions of the detection that the person may have had before them, one of which
    was it; see `conflicts_of`. Raises OtherEvent where the key was used for something else, EventRefused for what does
    not fit.
    """
    with transaction.atomic():
        detection = Detection.objects.select_for_update().filter(pk=judgement.detection_id).first()
        if detection is None:
            raise EventRefused("There is no such detection.")
        event = _event(judgement, user)
        known = ValidationEvent.objects.filter(pk=judgement.id).first()
        if known is not None:
            if any(getattr(known, name) != getattr(event, name) for name in _SAID):
                raise OtherEvent(_TAKEN)
            return known, False
        _check(event, user)
        if seen:
            event.visible_context = {**event.visible_context, _MOVED_ON: detection.revision not in seen}
        _append(event)
        before = _verdict(detection)
        queue.end(detection, user)
        _derive(detection)
        audit.record(detection, f"validation_{event.kind}", actor=actor, old=before, new=_verdict(detection))
        _order_looks(_sources_concerned(detection))
    return event, True


def answers_about(detections: Collection[UUID]) -> dict[UUID, list[ValidationEvent]]:
    """Return the standing answers about each of these detections, in order of time: one for each person."""
    events: dict[UUID, list[ValidationEvent]] = defaultdict(list)
    about = ValidationEvent.objects.filter(detection__in=detections).select_related("validator")
    for event in about.order_by("created_at", "id"):
        events[event.detection_id].append(event)
    return {key: _standing(rows) for key, rows in events.items()}


def standing_answers(detection: Detection) -> list[ValidationEvent]:
    """Return each person's latest verdict that was not withdrawn, in order of time."""
    return answers_about([detection.pk]).get(detection.pk, [])


def conflicts_of(event: ValidationEvent) -> list[ValidationEvent]:
    """Return the standing answers of others that a person had not seen: none where nothing had changed meanwhile."""
    if not event.visible_context.get(_MOVED_ON):
        return []
    standing = answers_about([event.detection_id]).get(event.detection_id, [])
    return [answer for answer in standing if answer.validator_id != event.validator_id]


def consensus_of(answers: Iterable[ValidationEvent]) -> Consensus:
    """Return what standing answers come to."""
    return consensus([Answer(bool(e.is_valid), e.label, e.confidence_level) for e in answers])


def verdict_of(detection: Detection) -> Consensus:
    """Return what the standing answers about a detection come to."""
    return consensus_of(standing_answers(detection))


def sources_to_consider(observation_id: UUID | str) -> list[UUID]:
    """Return the sources of a frame that the alert rule should look at: judged real, scored high, or told about before.

    The others would be looked at in vain, each by a job of its own.
    """
    config = snapshot()
    worth = Q(status__in=REAL) | Q(Exists(Alert.objects.filter(detection__source=OuterRef("source"))))
    if config["alerts.automatic"]:
        worth |= Q(confidence_score__gte=config["alerts.automatic_threshold"])
    return _sources(Q(observation=observation_id) & worth)


def sources_of_night(field_id: UUID | str, night: date) -> list[UUID]:
    """Return the sources of a field's night that may mean something else once its tracklets have been found anew."""
    told = Q(Exists(Alert.objects.filter(detection__source=OuterRef("source"))))
    moving = Q(candidate__tracklets__isnull=False)
    return _sources(Q(observation__field=field_id, observation__night=night) & (told | moving))


def feed_page(since: str, page_size: int, user: User) -> tuple[list[AlertPublication], str]:
    """Return what was published after a cursor, in order, and the cursor after it; "" is the beginning.

    Each row knows in `alert_status` how far its alert has come. Raises CursorRefused for what is no cursor.
    """
    after = AlertPublication.objects.visible_to(user).filter(sequence__gt=_sequence(since)).order_by("sequence")
    rows: list[Any] = list(after.annotate(alert_status=F("alert__status"))[: min(page_size, _MOST_PUBLICATIONS)])
    return rows, cursor_at(rows[-1].sequence) if rows else since


def _event(judgement: Judgement, user: User) -> ValidationEvent:
    values = {name: getattr(judgement, name) for name in judgement.__dataclass_fields__}
    return ValidationEvent(**{**values, "tags": list(judgement.tags)}, validator=user)


def _check(event: ValidationEvent, user: User) -> None:
    if not _is_storable([event.label, event.notes, event.tags, event.visible_context]):
        raise EventRefused("It holds characters or numbers that cannot be stored: write it anew.")
    if not all(isinstance(tag, str) and 0 < len(tag) <= _TAG_LENGTH for tag in event.tags):
        raise EventRefused(f"A tag is a text of at most {_TAG_LENGTH} characters.")
    try:
        event.full_clean(exclude=["id", "detection", "validator", "supersedes"], validate_unique=False)
    except ValidationError as error:
        raise EventRefused(" ".join(error.messages)) from error
    if event.kind == EventKind.VERDICT and event.is_valid is None:
        raise EventRefused("A verdict says whether the detection is valid: give `is_valid`.")
    if event.kind == EventKind.WITHDRAWAL and (event.is_valid is not None or event.supersedes_id is None):
        raise EventRefused("A withdrawal names in `supersedes` what it takes back and leaves `is_valid` out.")
    if event.label:
        definition = LabelDefinition.objects.filter(label=event.label, is_active=True).first()
        if definition is None:
            raise EventRefused(f"There is no label {event.label!r}: choose one of those that are offered.")
        if event.is_valid is not None and definition.is_valid != event.is_valid:
            raise EventRefused(f"{definition.title} is {_said(definition.is_valid)}, the verdict says otherwise.")
    if event.supersedes_id is not None:
        old = ValidationEvent.objects.filter(pk=event.supersedes_id).first()
        if old is None or old.detection_id != event.detection_id or old.validator_id != user.pk:
            raise EventRefused("Only one's own answer about the same detection can be taken back.")


def _said(is_valid: bool) -> str:
    return "astrophysical" if is_valid else "not astrophysical"


def _is_storable(value: Any) -> bool:
    """Tell whether the database can hold this: no character zero, no halves of characters, no NaN."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\\\\", "")
    except ValueError:
        return False
    return "\\u0000" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _append(event: ValidationEvent) -> None:
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError as error:
        # The same key at the same time, about another detection, whose lock is not the one held here.
        if ValidationEvent.objects.filter(pk=event.pk).exists():
            raise OtherEvent(_TAKEN) from error
        raise


def _standing(events: list[ValidationEvent]) -> list[ValidationEvent]:
    said = [Said(e.pk, e.validator_id, e.kind == EventKind.VERDICT, e.supersedes_id) for e in events]
    keys = set(standing(said))
    return [event for event in events if event.pk in keys]


def _verdict(detection: Detection) -> dict[str, Any]:
    names = ("status", "is_validated", "validation_confidence", "human_label", "detection_type")
    return {name: getattr(detection, name) for name in names}


def _derive(detection: Detection) -> None:
    """Write what the answers come to into the detection; one that is confirmed or archived keeps its state."""
    found = verdict_of(detection)
    detection.validation_confidence, detection.human_label = found.share, found.label
    definition = LabelDefinition.objects.filter(label=found.label).first()
    detection.detection_type = definition.detection_type if definition else DetectionType.UNKNOWN
    state = {True: DetectionStatus.VALIDATED, False: DetectionStatus.REJECTED, None: DetectionStatus.PENDING}
    if detection.status not in (DetectionStatus.CONFIRMED, DetectionStatus.ARCHIVED):
        detection.status = state[found.is_valid]
        if detection.status == DetectionStatus.PENDING and queue.is_leased(detection):
            detection.status = DetectionStatus.VALIDATING
    detection.is_validated = found.is_valid is True or detection.status == DetectionStatus.CONFIRMED
    detection.save()


def _sources_concerned(detection: Detection) -> set[UUID]:
    """Return the source of a detection, and those that are the same moving object."""
    concerned = {detection.source_id} if detection.source_id else set()
    if detection.candidate_id is not None:
        concerned.update(_sources(Q(candidate__tracklets__members=detection.candidate_id)))
    return concerned


def _sources(condition: Q) -> list[UUID]:
    rows = Detection.objects.filter(condition, source__isnull=False)
    return list(rows.order_by("source").values_list("source", flat=True).distinct())


def _order_looks(sources: Iterable[UUID]) -> None:
    """Order the alert rule to look at sources after the caller's transaction; sorted, so that two never wait in a ring.

    An order that waits already is held until then, or it could be carried out before the judgement can be read.
    """
    for source_id in sorted(sources):
        is_held = False
        while not is_held:
            job = jobs.enqueue(ALERTS, "source", source_id, priority=_PRIORITY)
            waiting = ProcessingJob.objects.select_for_update().filter(pk=job.pk, status=JobStatus.PENDING)
            is_held = waiting.values_list("pk").first() is not None


def cursor_at(sequence: int) -> str:
    """Return the cursor after a publication."""
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
