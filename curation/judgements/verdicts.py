"""What people say of detections: kept, and weighed against each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from catalog.configuration.values import Snapshot, snapshot
from catalog.models import User
from catalog.people import audit
from catalog.roles import MAY_SETTLE_CONFLICTS
from catalog.work import jobs
from curation.judgements.around import Around, lock
from curation.judgements.checking import EventRefused, OtherEvent, check_events
from curation.judgements.consensus import Answer, Consensus, Event, Outcome, Rule, consensus, outcome, standing
from curation.judgements.leases import end_leases, leased_among
from curation.models import (
    ConfidenceLevel,
    Conflict,
    Contradiction,
    Deferral,
    DeferralKind,
    EventKind,
    LabelDefinition,
    ValidationEvent,
)
from detection.models import Detection, DetectionStatus, DetectionType
from differencing.models import Tracklet

__all__ = [
    "ALERTS", "OPEN", "REAL", "EventRefused", "Judgement", "OtherEvent", "answers_about", "appending", "conflicts_of",
    "consensus_of", "lock_for", "outcome_of", "record_group", "record_locked", "record_validation", "rule",
    "sources_of", "standing_of_group",
]  # fmt: skip
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
# What answers come to, of a detection.
_DERIVED = ("status", "is_validated", "validation_confidence", "human_label", "detection_type")
_STATES = {True: DetectionStatus.VALIDATED, False: DetectionStatus.REJECTED, None: DetectionStatus.PENDING}
# Of what was visible: whether the detection was another one already when the answer came.
_MOVED_ON = "had_moved_on"


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
    with appending(judgements):
        return record_locked(lock_for(judgements, user), judgements, user, actor, seen)


@contextmanager
def appending(judgements: Sequence[Judgement]) -> Iterator[None]:
    """Append what is said within the block as a whole; see `record_validation` for what it raises."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        # The same key at the same time, about another detection, whose lock was not the one held here.
        if ValidationEvent.objects.filter(pk__in=[one.id for one in judgements]).exists():
            raise OtherEvent(_TAKEN) from error
        raise


def lock_for(judgements: Sequence[Judgement], user: User) -> Around:
    """Lock the detections that an answer of a person is about."""
    return lock([one.detection_id for one in judgements], [one.id for one in judgements], user)


def record_locked(
    around: Around, judgements: Sequence[Judgement], user: User, actor: audit.Actor, seen: Collection[str] = ()
) -> list[tuple[ValidationEvent, bool]]:
    """Do what `record_group` does, where the locks are held."""
    if any(one.detection_id not in around.detections for one in judgements):
        raise EventRefused("There is no such detection.")
    keys = [one.id for one in judgements] if around.is_repeated else []
    known = ValidationEvent.objects.in_bulk(keys)
    recorded = [_kept_or_new(_event(judgement, user), known) for judgement in judgements]
    new = [event for event, is_new in recorded if is_new]
    if new:
        _take(new, around, actor, seen)
    return recorded


def _kept_or_new(event: ValidationEvent, known: Mapping[UUID, ValidationEvent]) -> tuple[ValidationEvent, bool]:
    """Return the event that was kept under the same key, or this one, and whether it is new."""
    kept = known.get(event.pk)
    if kept is not None and any(getattr(kept, name) != getattr(event, name) for name in _CONTENT):
        raise OtherEvent(_TAKEN)
    return (event, True) if kept is None else (kept, False)


def _take(events: Sequence[ValidationEvent], around: Around, actor: audit.Actor, seen: Collection[str]) -> None:
    """Append the events of one answer of a person and derive what follows; the detections' locks are held."""
    user, config = events[0].validator, snapshot()
    detections = [around.detections[pk] for pk in dict.fromkeys(event.detection_id for event in events)]
    check_events(events, user)
    _weigh(events, user, config, is_said=around.is_said)
    if seen:
        revisions = {row.pk: row.revision for row in detections}
        for event in events:
            moved_on = revisions[event.detection_id] not in seen
            event.visible_context = {**event.visible_context, _MOVED_ON: moved_on}
    ValidationEvent.objects.bulk_create(events)
    before = {row.pk: _verdict(row) for row in detections}
    end_leases([row.pk for row in detections], user)
    said = _events_about([row.pk for row in detections]) if around.is_said else _by_detection(events)
    _note_contradictions(events, _derive(detections, config, said, is_put_off=around.is_put_off))
    _order_joining(detections)
    rows = around.detections
    audit.record_changes(
        [
            (rows[event.detection_id], before[event.detection_id], _verdict(rows[event.detection_id]))
            for event in events
        ],
        f"validation_{events[0].kind}",
        actor=actor,
    )
    _order_looks(_sources_concerned(detections, may_move=around.may_move))


def _note_contradictions(events: Sequence[ValidationEvent], answers: Mapping[UUID, Sequence[ValidationEvent]]) -> None:
    """Keep whom an answer contradicts, so that they are told of it; `answers` are those that stand now."""
    Contradiction.objects.bulk_create(
        Contradiction(person=earlier.validator, event=event)
        for event in events
        if event.kind == EventKind.VERDICT
        for earlier in answers.get(event.detection_id, [])
        if earlier.validator_id != event.validator_id and earlier.is_valid is not event.is_valid
    )


def _order_joining(detections: Sequence[Detection]) -> None:
    """Order the stage that joins detections to sources where people call real what has none."""
    without = [row.pk for row in detections if row.source_id is None]
    if not without:
        return
    rows = Detection.objects.filter(pk__in=without).without_their_source()
    for observation_id in sorted(set(rows.values_list("observation", flat=True))):
        jobs.enqueue(DETECT, "observation", observation_id, priority=_PRIORITY)


def _weigh(events: Sequence[ValidationEvent], user: User, config: Snapshot, *, is_said: bool) -> None:
    """Note how much answers count: an expert's ends a conflict of others, one to which they are no party."""
    verdicts = [event for event in events if event.kind == EventKind.VERDICT]
    if not verdicts or not user.has_perm(MAY_SETTLE_CONFLICTS):
        return
    said = answers_about([event.detection_id for event in verdicts]) if is_said else {}
    for event in verdicts:
        event.weight = float(config["curation.expert_weight"])
        others = _answers(answer for answer in said.get(event.detection_id, []) if answer.validator_id != user.pk)
        found = outcome([replace(answer, settles=False) for answer in others], rule(config))
        event.settles = found == Outcome.CONFLICT


def answers_about(detections: Collection[UUID]) -> dict[UUID, list[ValidationEvent]]:
    """Return the standing answers about each of these detections, in order of time: one for each person."""
    return {key: _standing(rows) for key, rows in _events_about(detections).items()}


def _events_about(detections: Collection[UUID]) -> dict[UUID, list[ValidationEvent]]:
    about = ValidationEvent.objects.filter(detection__in=detections).select_related("validator")
    return _by_detection(about.order_by("created_at", "id"))


def _by_detection(events: Iterable[ValidationEvent]) -> dict[UUID, list[ValidationEvent]]:
    found: dict[UUID, list[ValidationEvent]] = defaultdict(list)
    for event in events:
        found[event.detection_id].append(event)
    return found


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
    asked_by = _asked_by([answers[0].detection_id]) if answers else {}
    return _outcome(answers, config, asked_by)


def derive_again(keys: Collection[UUID]) -> None:
    """Write anew what answers come to into detections that were answered: another opinion is asked for, or no more."""
    with transaction.atomic():
        answered = Detection.objects.filter(pk__in=keys, validation_events__isnull=False).values("pk")
        rows = list(Detection.objects.filter(pk__in=answered).order_by("pk").select_for_update())
        if not rows:
            return
        before = {row.pk: _verdict(row) for row in rows}
        _derive(rows, snapshot(), _events_about([row.pk for row in rows]))
        changed = [(row, before[row.pk], _verdict(row)) for row in rows if _verdict(row) != before[row.pk]]
        audit.record_changes(changed, "validation_reopened", actor=audit.MACHINE)
        _order_looks(_sources_concerned(rows))


def _outcome(answers: Sequence[ValidationEvent], config: Snapshot, asked_by: Mapping[UUID, set[UUID]]) -> Outcome:
    # Somebody who asks for another opinion and has not answered is not counted anyway.
    asks = any(answer.validator_id in asked_by.get(answer.detection_id, ()) for answer in answers)
    return outcome(_answers(answers), rule(config), asked_for=int(asks))


def _asked_by(detections: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return of each of these detections who asks for the opinion of another."""
    asked: dict[UUID, set[UUID]] = defaultdict(set)
    standing_ones = Deferral.objects.filter(kind=DeferralKind.OPINION, ended_at__isnull=True, detection__in=detections)
    for detection, person in standing_ones.values_list("detection", "person"):
        asked[detection].add(person)
    return asked


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


def _standing(events: list[ValidationEvent]) -> list[ValidationEvent]:
    keys = set(standing([Event(e.pk, e.validator_id, e.kind == EventKind.VERDICT, e.supersedes_id) for e in events]))
    return [event for event in events if event.pk in keys]


def _verdict(detection: Detection) -> dict[str, object]:
    return {name: getattr(detection, name) for name in _DERIVED}


def _derive(
    detections: Sequence[Detection],
    config: Snapshot,
    events: Mapping[UUID, list[ValidationEvent]],
    *,
    is_put_off: bool = True,
) -> Mapping[UUID, Sequence[ValidationEvent]]:
    """Write what the answers come to into detections, and return the answers that stand.

    Detections that are confirmed or archived keep their state. events : what was ever said of them.
    """
    answers = {key: _standing(rows) for key, rows in events.items()}
    asked_by = _asked_by([row.pk for row in detections]) if is_put_off else {}
    enough = {row.pk: _outcome(answers.get(row.pk, []), config, asked_by) for row in detections}
    found = {
        row.pk: consensus_of(answers.get(row.pk, [])) if enough[row.pk] == Outcome.SETTLED else Consensus()
        for row in detections
    }
    types = _types_of({one.label for one in found.values() if one.label})
    leased = leased_among([pk for pk, one in found.items() if one.is_valid is None])
    for row in detections:
        consensus = found[row.pk]
        row.validation_confidence, row.human_label = consensus.share, consensus.label
        untold = DetectionType.UNKNOWN if consensus.is_valid is False else row.predicted_type
        row.detection_type = types.get(consensus.label, untold)
        if row.status not in (DetectionStatus.CONFIRMED, DetectionStatus.ARCHIVED):
            is_looked_at = consensus.is_valid is None and row.pk in leased
            row.status = DetectionStatus.VALIDATING if is_looked_at else _STATES[consensus.is_valid]
        row.is_validated = consensus.is_valid is True or row.status == DetectionStatus.CONFIRMED
    _write(detections)
    conflicts = [row for row in detections if enough[row.pk] == Outcome.CONFLICT]
    Conflict.objects.bulk_create([Conflict(detection=row) for row in conflicts], ignore_conflicts=True)
    # Where one person has ever said something, nobody disagrees.
    of_several = [key for key, rows in events.items() if len({event.validator_id for event in rows}) > 1]
    if of_several:
        Conflict.objects.filter(detection__in=of_several).exclude(detection__in=conflicts).delete()
    return answers


def _types_of(labels: Collection[str]) -> dict[str, str]:
    if not labels:
        return {}
    return dict(LabelDefinition.objects.filter(label__in=labels).values_list("label", "detection_type"))


def _write(detections: Iterable[Detection]) -> None:
    """Write what was derived, with one query for all that are derived alike: as a rule, all of an object."""
    alike: dict[tuple[object, ...], list[UUID]] = defaultdict(list)
    for row in detections:
        alike[tuple(_verdict(row).values())].append(row.pk)
    for values, keys in alike.items():
        Detection.objects.filter(pk__in=keys).update(**dict(zip(_DERIVED, values, strict=True)))


def _sources_concerned(detections: Sequence[Detection], *, may_move: bool = True) -> set[UUID]:
    """Return the sources of detections, and those that are the same moving object."""
    concerned = {row.source_id for row in detections if row.source_id}
    if not may_move:
        return concerned
    candidates = [row.candidate_id for row in detections if row.candidate_id is not None]
    if candidates:
        moving = Tracklet.objects.moving().filter(members__in=candidates)
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
        jobs.enqueue(ALERTS, "source", source_id, priority=_PRIORITY)
