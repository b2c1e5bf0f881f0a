"""What people say of detections: kept, and weighed against each other."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from catalog.configuration.values import Snapshot, snapshot
from catalog.models import JobStatus, ProcessingJob, User
from catalog.people import audit
from catalog.roles import MAY_SETTLE_CONFLICTS
from catalog.work import jobs
from curation.judgements.consensus import Answer, Consensus, Event, Outcome, Rule, consensus, outcome, standing
from curation.judgements.leases import end_lease, is_leased
from curation.models import (
    ConfidenceLevel,
    Conflict,
    Deferral,
    DeferralKind,
    EventKind,
    LabelDefinition,
    ValidationEvent,
)
from detection.models import Detection, DetectionStatus, DetectionType
from differencing.models import Tracklet

ALERTS, DETECT = "alerts", "detect"
# People wait for what follows from their verdict.
_PRIORITY = 5
REAL = (DetectionStatus.VALIDATED, DetectionStatus.CONFIRMED)
OPEN = (DetectionStatus.PENDING, DetectionStatus.VALIDATING)
# What a client says of an event; the same key with other words is another event, and refused.
_CONTENT = (
    "detection_id", "validator_id", "kind", "is_valid", "label", "confidence_level", "notes", "tags", "image_quality",
    "detection_quality", "supersedes_id", "group", "shown",
)  # fmt: skip
_TAKEN = "An event with this id already says something else: choose a new id."
_TAG_LENGTH = 64
# Of what was visible: whether the detection was another one already when the answer came.
_MOVED_ON = "had_moved_on"


class EventRefused(ValueError):
    """This judgement cannot be taken; the text says why."""


class OtherEvent(EventRefused):
    """Another event with this key is there already."""


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
    visible_context: dict[str, object] = field(default_factory=dict)
    group: UUID | None = None
    shown: str = ""


def record_validation(
    judgement: Judgement, user: User, actor: audit.Actor, *, seen: Collection[str] = ()
) -> tuple[ValidationEvent, bool]:
    """Append a judgement, derive what all answers come to, and let the alert rule look at it.

    Returns the event and whether it is new: the same again is the stored one. A withdrawal names in `supersedes_id`
    what it takes back. `seen`: the revisions of the detection that the person may have had before them, one of which
    was it; see `conflicts_of`. Raises OtherEvent where the key was used for something else, EventRefused for what does
    not fit.
    """
    [recorded] = record_group([judgement], user, actor, seen=seen)
    return recorded


def record_group(
    judgements: Sequence[Judgement], user: User, actor: audit.Actor, *, seen: Collection[str] = ()
) -> list[tuple[ValidationEvent, bool]]:
    """Append the judgements of one answer, about one object in the sky: all of them, or none.

    Returns for each its event and whether it is new. Otherwise as `record_validation`.
    """
    with transaction.atomic():
        rows = Detection.objects.filter(pk__in=[one.detection_id for one in judgements]).order_by("pk")
        detections = {row.pk: row for row in rows.select_for_update()}
        if any(one.detection_id not in detections for one in judgements):
            raise EventRefused("There is no such detection.")
        known = {event.pk: event for event in ValidationEvent.objects.filter(pk__in=[one.id for one in judgements])}
        recorded, concerned, config = [], set(), snapshot()
        for judgement in judgements:
            event, detection = _event(judgement, user), detections[judgement.detection_id]
            if (stored := known.get(judgement.id)) is not None:
                if any(getattr(stored, name) != getattr(event, name) for name in _CONTENT):
                    raise OtherEvent(_TAKEN)
                recorded.append((stored, False))
                continue
            _take(event, detection, actor, seen, config)
            concerned |= _sources_concerned(detection)
            recorded.append((event, True))
        _order_looks(concerned)
    return recorded


def _take(
    event: ValidationEvent, detection: Detection, actor: audit.Actor, seen: Collection[str], config: Snapshot
) -> None:
    """Append an event and derive what follows; the detection's lock is held."""
    user = event.validator
    _check(event, user)
    _weigh(event, user, config)
    if seen:
        event.visible_context = {**event.visible_context, _MOVED_ON: detection.revision not in seen}
    _append(event)
    before = _verdict(detection)
    end_lease(detection, user)
    _derive(detection, config)
    if Detection.objects.filter(pk=detection.pk).without_their_source().exists():
        # The stage that joins detections to sources does the rest.
        jobs.enqueue(DETECT, "observation", detection.observation_id, priority=_PRIORITY)
    audit.record(detection, f"validation_{event.kind}", actor=actor, old=before, new=_verdict(detection))


def _weigh(event: ValidationEvent, user: User, config: Snapshot) -> None:
    """Note how much the answer counts: an expert's ends a conflict of others, one to which they are no party."""
    if event.kind != EventKind.VERDICT or not user.has_perm(MAY_SETTLE_CONFLICTS):
        return
    event.weight = float(config["curation.expert_weight"])
    said = answers_about([event.detection_id]).get(event.detection_id, [])
    others = _answers(answer for answer in said if answer.validator_id != user.pk)
    found = outcome([replace(answer, settles=False) for answer in others], rule(config))
    event.settles = found == Outcome.CONFLICT


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


def standing_of_group(group: UUID, user: User) -> list[ValidationEvent]:
    """Return the verdicts of one answer of a person that stand."""
    events = ValidationEvent.objects.filter(group=group, validator=user, kind=EventKind.VERDICT)
    found = list(events.select_related("detection__observation", "validator").order_by("id"))
    answers = answers_about([event.detection_id for event in found])
    stand = {event.pk for several in answers.values() for event in several}
    return [event for event in found if event.pk in stand]


def conflicts_of(event: ValidationEvent) -> list[ValidationEvent]:
    """Return the standing answers of others that a person had not seen: none where nothing had changed meanwhile."""
    if not event.visible_context.get(_MOVED_ON):
        return []
    standing = answers_about([event.detection_id]).get(event.detection_id, [])
    return [answer for answer in standing if answer.validator_id != event.validator_id]


def consensus_of(answers: Iterable[ValidationEvent]) -> Consensus:
    """Return what standing answers come to."""
    return consensus(_answers(answers))


def outcome_of(answers: Sequence[ValidationEvent], config: Snapshot) -> Outcome:
    """Tell whether the standing answers about a detection are enough."""
    return outcome(_answers(answers), rule(config), asked_for=int(_is_another_asked_for(answers)))


def derive_again(keys: Collection[UUID]) -> None:
    """Write anew what answers come to into detections that were answered: another opinion is asked for, or no more."""
    config = snapshot()
    with transaction.atomic():
        answered = Detection.objects.filter(pk__in=keys, validation_events__isnull=False).values("pk")
        for detection in Detection.objects.filter(pk__in=answered).order_by("pk").select_for_update():
            before = _verdict(detection)
            _derive(detection, config)
            if _verdict(detection) != before:
                audit.record(detection, "validation_reopened", actor=audit.MACHINE, old=before, new=_verdict(detection))
        _order_looks({key for row in Detection.objects.filter(pk__in=answered) for key in _sources_concerned(row)})


def _is_another_asked_for(answers: Sequence[ValidationEvent]) -> bool:
    """Tell whether somebody who has answered asks for the opinion of another; who has not is not counted anyway."""
    if not answers:
        return False
    asked = Deferral.objects.filter(kind=DeferralKind.OPINION, ended_at__isnull=True, detection=answers[0].detection_id)
    return asked.filter(person__in=[answer.validator_id for answer in answers]).exists()


def rule(config: Snapshot) -> Rule:
    """Return when answers are enough, as it is configured."""
    return Rule(
        required=int(config["curation.required_answers"]),
        least_agreement=float(config["curation.least_agreement"]),
        conflict_after=int(config["curation.conflict_after"]),
    )


def _answers(events: Iterable[ValidationEvent]) -> list[Answer]:
    return [Answer(bool(e.is_valid), e.label, e.confidence_level, e.weight, e.settles) for e in events]


def _event(judgement: Judgement, user: User) -> ValidationEvent:
    values = {name: getattr(judgement, name) for name in judgement.__dataclass_fields__}
    return ValidationEvent(**{**values, "tags": list(judgement.tags)}, validator=user)


def _check(event: ValidationEvent, user: User) -> None:
    if not _is_storable([event.label, event.notes, event.tags, event.visible_context]):
        raise EventRefused("It contains characters or numbers that cannot be stored: enter it again.")
    if not all(isinstance(tag, str) and 0 < len(tag) <= _TAG_LENGTH for tag in event.tags):
        raise EventRefused(f"A tag is a text of at most {_TAG_LENGTH} characters.")
    try:
        event.full_clean(exclude=["id", "detection", "validator", "supersedes"], validate_unique=False)
    except ValidationError as error:
        raise EventRefused(" ".join(error.messages)) from error
    if event.kind == EventKind.VERDICT and event.is_valid is None:
        raise EventRefused("A verdict must say whether the detection is real: give `is_valid`.")
    if event.kind == EventKind.WITHDRAWAL and (event.is_valid is not None or event.supersedes_id is None):
        raise EventRefused("A withdrawal names in `supersedes` the event that it withdraws, and omits `is_valid`.")
    if event.label:
        definition = LabelDefinition.objects.filter(label=event.label, is_active=True).first()
        if definition is None:
            raise EventRefused(f"There is no label {event.label!r}: choose one of those offered.")
        if event.is_valid is not None and definition.is_valid != event.is_valid:
            raise EventRefused(
                f"{definition.title} is {_verdict_word(definition.is_valid)}; the verdict says otherwise."
            )
    if event.supersedes_id is not None:
        old = ValidationEvent.objects.filter(pk=event.supersedes_id).first()
        if old is None or old.detection_id != event.detection_id or old.validator_id != user.pk:
            raise EventRefused("You can withdraw only your own answers about the same detection.")


def _verdict_word(is_valid: bool) -> str:
    return "astrophysical" if is_valid else "not astrophysical"


def _is_storable(value: object) -> bool:
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
    keys = set(standing([Event(e.pk, e.validator_id, e.kind == EventKind.VERDICT, e.supersedes_id) for e in events]))
    return [event for event in events if event.pk in keys]


def _verdict(detection: Detection) -> dict[str, object]:
    names = ("status", "is_validated", "validation_confidence", "human_label", "detection_type")
    return {name: getattr(detection, name) for name in names}


def _derive(detection: Detection, config: Snapshot) -> None:
    """Write what the answers come to into the detection; one that is confirmed or archived keeps its state."""
    answers = standing_answers(detection)
    enough = outcome_of(answers, config)
    found = consensus_of(answers) if enough == Outcome.SETTLED else Consensus()
    detection.validation_confidence, detection.human_label = found.share, found.label
    definition = LabelDefinition.objects.filter(label=found.label).first()
    detection.detection_type = definition.detection_type if definition else DetectionType.UNKNOWN
    state = {True: DetectionStatus.VALIDATED, False: DetectionStatus.REJECTED, None: DetectionStatus.PENDING}
    if detection.status not in (DetectionStatus.CONFIRMED, DetectionStatus.ARCHIVED):
        detection.status = state[found.is_valid]
        if detection.status == DetectionStatus.PENDING and is_leased(detection):
            detection.status = DetectionStatus.VALIDATING
    detection.is_validated = found.is_valid is True or detection.status == DetectionStatus.CONFIRMED
    detection.save()
    if enough == Outcome.CONFLICT:
        Conflict.objects.get_or_create(detection=detection)
    else:
        Conflict.objects.filter(detection=detection).delete()


def _sources_concerned(detection: Detection) -> set[UUID]:
    """Return the source of a detection, and those that are the same moving object."""
    concerned = {detection.source_id} if detection.source_id else set()
    if detection.candidate_id is not None:
        moving = Tracklet.objects.moving().filter(members=detection.candidate_id)
        concerned.update(sources_of(Q(candidate__tracklets__in=moving)))
    return concerned


def sources_of(condition: Q) -> list[UUID]:
    """Return the sources of the detections that fulfil a condition."""
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
