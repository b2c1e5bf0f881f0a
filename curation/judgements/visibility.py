"""Who may see what others say of a detection: one rule, for pages, clients and exports.

With `curation.blind`, whoever may judge is shown nothing of what others say of a detection until an answer of their own
stands: no judgement, nothing that is derived from one (state, label, type, share of the answers), no alert that tells
of one, and no filter, order or count that depends on one. That somebody has answered is no secret, what they said is.
Without it, only experts are shown nothing of what others say of a conflict, until they have answered it on their own.
Who judges nothing sees everything, as do the audit log and the admin, which are for those who run the system.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from types import MappingProxyType
from uuid import UUID

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When

from catalog.configuration.values import snapshot
from catalog.models import Visitor
from catalog.roles import MAY_CONFIGURE, MAY_JUDGE, MAY_SETTLE_CONFLICTS
from curation.judgements import unmarked
from curation.judgements.verdicts import answers_about
from curation.models import Alert, AlertType, Conflict, EventKind, ValidationEvent
from detection.models import Detection, DetectionStatus, DetectionType

# What is derived from answers, and what is shown in its place.
DERIVED: Mapping[str, object] = MappingProxyType(
    {
        "status": DetectionStatus.PENDING,
        "is_validated": False,
        "validation_confidence": None,
        "human_label": "",
        "detection_type": DetectionType.UNKNOWN,
    }
)
# States that say what people answered; the others tell of work, and are shown.
DECIDED = (DetectionStatus.VALIDATED, DetectionStatus.REJECTED, DetectionStatus.CONFIRMED)


def is_blind(user: Visitor) -> bool:
    """Tell whether a person is bound by the rule."""
    return bool(user.has_perm(MAY_JUDGE) and snapshot()["curation.blind"])


def settles_conflicts(user: Visitor) -> bool:
    """Tell whether there can be conflicts, and this person is one of those who are given them."""
    return bool(user.has_perm(MAY_SETTLE_CONFLICTS) and snapshot()["curation.conflict_after"])


def may_open_admin(user: Visitor) -> bool:
    """Tell whether the admin, which shows everything, is open to a person as far as the rule goes."""
    return bool(user.has_perm(MAY_CONFIGURE)) or not is_blind(user)


def hidden_from(user: Visitor, keys: Collection[UUID]) -> set[UUID]:
    """Return those of some detections of which a person may not see yet what others say."""
    if not keys or not (is_blind(user) or settles_conflicts(user)):
        return set()
    hidden = Detection.with_injected.filter(pk__in=keys).exclude(pk__in=_answered(user))
    if not is_blind(user):
        hidden = hidden.filter(Exists(Conflict.objects.filter(detection=OuterRef("pk"))))
    return set(hidden.values_list("pk", flat=True))


def veil(rows: Iterable[Detection], user: Visitor) -> set[UUID]:
    """Replace in rows, which are shown and never saved, what a person may not see yet; return the keys of those."""
    shown = list(rows)
    unmarked.cover(shown, user)
    hidden = hidden_from(user, [row.pk for row in shown])
    for row in shown:
        if row.pk in hidden:
            for name, value in DERIVED.items():
                if name != "status" or row.status in DECIDED:
                    setattr(row, name, value)
    return hidden


def shown_as(user: Visitor, field: str, lookup: str, value: object) -> Q:
    """Return what finds the detections whose derived field is shown to a person with this value.

    lookup : "exact", or "in" with several values.
    """
    asked = Q(**{f"{field}__{lookup}": value})
    if not is_blind(user):
        return asked
    veiled = ~Q(pk__in=_answered(user))
    if field == "status":
        veiled &= Q(status__in=DECIDED)
    is_shown = DERIVED[field] in (value if lookup == "in" and isinstance(value, Container) else [value])
    return (asked & ~veiled) | veiled if is_shown else asked & ~veiled


def judgements_for(user: Visitor) -> QuerySet[ValidationEvent]:
    """Return the judgements that a person may read."""
    rows: QuerySet[ValidationEvent] = ValidationEvent.objects.visible_to(user)
    if not is_blind(user):
        return rows
    return rows.filter(Q(validator=user.pk) | Q(detection__in=_answered(user)))


def others_for(user: Visitor, answers: Iterable[ValidationEvent]) -> list[ValidationEvent]:
    """Return those of some answers that others gave, as far as a person may see them."""
    others = [answer for answer in answers if answer.validator_id != user.pk]
    hidden = hidden_from(user, {answer.detection_id for answer in others})
    return [answer for answer in others if answer.detection_id not in hidden]


def alerts_for(user: Visitor) -> QuerySet[Alert]:
    """Return the alerts that a person may read.

    An alert tells what people said of any detection of its source, and what comes after such a one follows from it: all
    of these are hidden while there is a detection of the source that was judged, and not by this person. What the score
    alone has made is shown.
    """
    rows: QuerySet[Alert] = Alert.objects.visible_to(user)
    if not is_blind(user):
        return rows
    by_score = Q(
        alert_type__in=(AlertType.NEW, AlertType.UPDATE),
        alert_metadata__basis="automatic",
        alert_metadata__judged_by=[],
    )
    about_it = Q(detection=OuterRef("detection")) | Q(detection__source=OuterRef("detection__source"))
    earlier = Alert.objects.filter(about_it, created_at__lte=OuterRef("created_at"))
    telling = earlier.alias(tells=Case(When(by_score, then=Value(False)), default=Value(True))).filter(tells=True)
    others = ValidationEvent.objects.filter(detection=OuterRef("pk")).exclude(validator=user.pk)
    of_it = Q(pk=OuterRef("detection")) | Q(source=OuterRef("detection__source"))
    judged = Detection.objects.filter(of_it, Q(status__in=DECIDED) | Exists(others))
    unseen = judged.exclude(pk__in=_answered(user))
    return rows.exclude(Exists(telling) & Exists(unseen))


def _answered(user: Visitor) -> QuerySet[ValidationEvent, object]:
    """Return the keys of the detections about which an answer of this person stands."""
    verdicts = ValidationEvent.objects.filter(validator=user.pk, kind=EventKind.VERDICT)
    return verdicts.exclude(detection__in=_taken_back(user)).values("detection")


def _taken_back(user: Visitor) -> list[UUID]:
    """Return the detections about which this person has taken every answer back: few, those of the last undo."""
    own = ValidationEvent.objects.filter(validator=user.pk)
    same_time = Q(created_at=OuterRef("created_at"), pk__gt=OuterRef("pk"))
    later = own.filter(Q(created_at__gt=OuterRef("created_at")) | same_time, detection=OuterRef("detection"))
    last_taken_back = own.filter(~Exists(later), kind=EventKind.WITHDRAWAL)
    keys = list(last_taken_back.values_list("detection", flat=True))
    standing = answers_about(keys) if keys else {}
    return [key for key in keys if all(event.validator_id != user.pk for event in standing.get(key, []))]
