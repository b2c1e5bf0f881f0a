"""What is drawn from the hidden stands unmarked among the detections, until a person has answered about it.

While one that was drawn waits, whoever may judge is shown of what waits for their answer no score, nothing else that
tells what the model or a veto made of it, and no sign of where it comes from; lists and the queue have it at a place
like others'. It holds for all that waits: what is hidden of a few would mark them. Who judges nothing, the audit log
and the admin see everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.configuration.values import snapshot
from catalog.models import Visitor
from catalog.roles import MAY_JUDGE
from curation.judgements.verdicts import OPEN, answers_about
from curation.models import EventKind, ValidationEvent
from detection.models import Detection, DetectionOrigin
from differencing.judges import Asked
from differencing.models import Candidate, CandidateStatus

# What is asked of a detection that would tell, and the field that answers instead; the origin is a rule of its own.
COVERED = {"confidence_score": "queue_score", "origin": "origin"}
# Flags that reject whatever has them.
_REJECTING = ("is_dipole", "is_reference_ghost")
# What clients ask of a candidate that would tell, and what is shown in its place.
_COVERED_OF_CANDIDATES = {"status": CandidateStatus.DETECTED, **dict.fromkeys(_REJECTING, False)}


def is_mixed(user: Visitor) -> bool:
    """Tell whether something drawn is among what this person judges."""
    ever = Detection.objects.filter(origin=DetectionOrigin.SAMPLED)
    return user.has_perm(MAY_JUDGE) and ever.exists() and _drawn().exists()


def cover(rows: Iterable[Detection], user: Visitor) -> set[UUID]:
    """Take out of rows, which are shown and never saved, what would mark what was drawn; return the keys of those."""
    shown = list(rows)
    if not shown or not is_mixed(user):
        return set()
    is_blind = _is_blind()
    waiting = [row for row in shown if is_blind or row.status in OPEN]
    answers = answers_about([row.pk for row in waiting])
    covered = set()
    for row in waiting:
        if any(event.validator_id == user.pk for event in answers.get(row.pk, [])):
            continue
        covered.add(row.pk)
        row.confidence_score = None  # type: ignore[assignment]
        row.inclusion_probability, row.prediction_metadata = None, {}
        if row.origin == DetectionOrigin.SAMPLED:
            row.origin = DetectionOrigin.PIPELINE
        if (candidate := _loaded(row)) is not None:
            _cover_candidate(candidate)
    return covered


def cover_candidates(candidates: Sequence[Candidate], user: Visitor) -> None:
    """Take out of candidates, which are shown and never saved, what would mark that one of them was drawn."""
    if not candidates or not is_mixed(user):
        return
    rows = list(Detection.with_injected.filter(candidate__in=[one.pk for one in candidates]))
    covered = cover(rows, user)
    waiting = {row.candidate_id for row in rows if row.pk in covered}
    for candidate in candidates:
        if candidate.pk in waiting:
            candidate.status = CandidateStatus.DETECTED
            _cover_candidate(candidate)


def _cover_candidate(candidate: Candidate) -> None:
    candidate.vetoes = []
    for flag in _REJECTING:
        setattr(candidate, flag, False)


def is_covered(row: Detection) -> bool:
    """Tell whether that was taken out of a row."""
    score: float | None = row.confidence_score
    return score is None


def shown_as(user: Visitor, asked: Asked, value: object) -> Q:
    """Return what finds the detections that are shown to a person with this value of a covered field."""
    if value in (None, "", []):
        return Q()
    if asked.field_name != "origin":
        return Q(**{f"{COVERED[asked.field_name]}__{asked.lookup_expr}": value})
    found = Q(origin=value)
    if not user.has_perm(MAY_JUDGE) or value not in (DetectionOrigin.SAMPLED, DetectionOrigin.PIPELINE):
        return found
    own = ValidationEvent.objects.filter(validator=user.pk, kind=EventKind.VERDICT).values("detection")
    unmarked = Q(pk__in=_drawn().exclude(pk__in=own).values("pk"))
    return found & ~unmarked if value == DetectionOrigin.SAMPLED else found | unmarked


def candidates_found_as(user: Visitor, asked: Asked, value: object) -> Q | None:
    """Return what finds the candidates that are shown to a person with this value; None where nothing covers it.

    `lookup_expr` is "exact", or "in" with several values.
    """
    if asked.field_name not in _COVERED_OF_CANDIDATES or value in (None, "", []) or not is_mixed(user):
        return None
    covering = _COVERED_OF_CANDIDATES[asked.field_name]
    found = Q(**{f"{asked.field_name}__{asked.lookup_expr}": value})
    waiting = Q(Exists(_waiting(user).filter(candidate=OuterRef("pk"))))
    is_shown = covering in value if asked.lookup_expr == "in" and isinstance(value, Collection) else covering == value
    return found | waiting if is_shown else found & ~waiting


def scores_shown(user: Visitor) -> Q:
    """Return what finds the scores that a person may see.

    What was drawn has a low one, and what was injected has none: while there may be such ones, none is shown of what
    waits for their answer.
    """
    if not _may_be_marked(user):
        return Q()
    return ~Q(Exists(_waiting(user).filter(candidate=OuterRef("candidate"))))


def is_withheld(row: Detection, user: Visitor) -> bool:
    """Tell whether a person may not see yet what models made of one detection.

    The same rule as of `scores_shown`, but also of what is decided: a known item is given as if it waited.
    """
    if not _may_be_marked(user):
        return False
    return all(event.validator_id != user.pk for event in answers_about([row.pk]).get(row.pk, []))


def unanswered_and_unmarked(rows: Collection[Detection], user: Visitor) -> set[UUID]:
    """Return the keys of those of some rows, as they are shown, that wait for a person's answer beside unmarked ones.

    What tells of such a one that it is science, tells of the others that they are not.
    """
    waiting = [row.pk for row in rows if row.status in OPEN]
    if not waiting or not _may_be_marked(user):
        return set()
    answers = answers_about(waiting)
    return {key for key in waiting if all(event.validator_id != user.pk for event in answers.get(key, []))}


def _may_be_marked(user: Visitor) -> bool:
    """Tell whether scores would mark some of what this person is given."""
    return user.has_perm(MAY_JUDGE) and (bool(snapshot()["curation.fake_share"]) or is_mixed(user))


def _waiting(user: Visitor) -> QuerySet[Detection]:
    """Return what is shown to a person as waiting and has no answer of theirs."""
    own = ValidationEvent.objects.filter(validator=user.pk, kind=EventKind.VERDICT, detection=OuterRef("pk"))
    rows = Detection.objects.filter(~Exists(own))
    return rows if _is_blind() else rows.filter(status__in=OPEN)


def _drawn() -> QuerySet[Detection]:
    """Return what was drawn of which not everybody may know that yet."""
    rows = Detection.objects.filter(origin=DetectionOrigin.SAMPLED)
    return rows if _is_blind() else rows.filter(status__in=OPEN)


def _is_blind() -> bool:
    """Tell whether what others have decided is shown as waiting."""
    return bool(snapshot()["curation.blind"])


def _loaded(row: Detection) -> Candidate | None:
    """Return the candidate of a detection where it has been read."""
    return row.candidate if Detection.candidate.is_cached(row) else None
