"""New detections of objects about which people have decided: they inherit nothing by themselves, and are confirmed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.ids import uuid7
from catalog.models import User, Visitor
from catalog.people import audit
from curation.judgements import visibility
from curation.judgements.objects import keys_of, members_of
from curation.judgements.verdicts import OPEN, Judgement, answers_about, record_group
from curation.models import Shown, ValidationEvent
from detection.models import Detection, DetectionStatus
from differencing.models import Tracklet

# One answer in bulk is about so many detections at most, and one list about so many.
MOST_AT_ONCE = 500
_CONTEXT = {"confirmed": "known object"}


@dataclass(frozen=True)
class Settled:
    """An object whose decided detections all say the same, and its detections that wait.

    by : the names of those who said so.
    """

    key: UUID
    is_valid: bool
    label: str
    by: Sequence[str]
    decided: Sequence[Detection]
    waiting: Sequence[Detection]

    @property
    def sentence(self) -> str:
        """Return what is known of it, in words."""
        label = self.label.replace("_", " ") or ("real" if self.is_valid else "not real")
        return f"known, labelled {label}" + (f" by {', '.join(self.by)}" if self.by else "")


def settled_by(
    key: UUID, own: Sequence[Detection], answers: Mapping[UUID, Sequence[ValidationEvent]]
) -> Settled | None:
    """Return what is settled about an object by its own detections as a person sees them, if anything is.

    answers : about those that are decided.
    """
    decided = [row for row in own if row.status in visibility.DECIDED]
    said = {(row.status != DetectionStatus.REJECTED, row.human_label) for row in decided}
    if len(said) != 1:
        return None
    [(is_valid, label)] = said
    events = [event for row in decided for event in answers.get(row.pk, []) if event.is_valid is is_valid]
    by = sorted({event.validator.get_username() for event in events})
    return Settled(key, is_valid, label, by, decided, [row for row in own if row.status == DetectionStatus.PENDING])


def settled(keys: Collection[UUID], user: Visitor) -> dict[UUID, Settled]:
    """Return those of some objects that are settled, by what this person may see of them."""
    members = _with_decided(members_of(set(keys), user))
    every = [pk for several in members.values() for pk in several]
    hidden = visibility.hidden_from(user, every)
    related = Detection.objects.visible_to(user).select_related("observation", "candidate")
    # What others decided and this person may not see yet counts neither as decided nor as waiting.
    rows = {row.pk: row for row in related.filter(pk__in=every) if row.pk not in hidden or row.status in OPEN}
    answers = answers_about([pk for pk, row in rows.items() if row.status in visibility.DECIDED])
    found = {
        key: settled_by(key, [rows[pk] for pk in several if pk in rows], answers) for key, several in members.items()
    }
    return {key: one for key, one in found.items() if one is not None}


def _with_decided(members: Mapping[UUID, Sequence[UUID]]) -> dict[UUID, Sequence[UUID]]:
    """Return those objects of which anything is decided: of most that wait nothing is, and their rows stay unread."""
    every = [pk for several in members.values() for pk in several]
    rows = Detection.objects.filter(pk__in=every, status__in=visibility.DECIDED)
    decided = set(rows.values_list("pk", flat=True))
    return {key: several for key, several in members.items() if not decided.isdisjoint(several)}


def settled_of(rows: Sequence[Detection], user: Visitor) -> dict[UUID, Settled]:
    """Return of some detections that wait, by their keys, what is settled about their objects."""
    keys = keys_of([row.pk for row in rows if row.status == DetectionStatus.PENDING])
    known = settled(set(keys.values()), user) if keys else {}
    return {pk: known[key] for pk, key in keys.items() if key in known}


def waiting_of_settled(user: Visitor) -> list[Settled]:
    """Return settled objects with new detections, the newest first: those of the latest so many detections."""
    decided = Detection.objects.not_hidden_from(user).filter(status__in=visibility.DECIDED)
    beside = Exists(decided.filter(source=OuterRef("source")))
    moving = Tracklet.objects.moving().filter(members=OuterRef("candidate"))
    of_mover = Exists(moving.filter(Exists(decided.filter(candidate__tracklets=OuterRef("pk")))))
    rows: QuerySet[Detection] = Detection.objects.visible_to(user).filter(status=DetectionStatus.PENDING)
    latest = rows.filter(Q(beside) | Q(of_mover)).order_by("-created_at", "-id").values_list("pk", flat=True)
    newest = list(latest[:MOST_AT_ONCE])
    keys = keys_of(newest)
    known = settled(set(keys.values()), user)
    in_order = dict.fromkeys(keys[pk] for pk in newest if pk in keys)
    return [known[key] for key in in_order if key in known and known[key].waiting]


def confirm(keys: Collection[UUID], group: UUID, user: User, actor: audit.Actor) -> int:
    """Answer for the waiting detections of settled objects as was answered before; return for how many.

    All answers are one group, each marked as given unseen: what is trained with passes them over.
    """
    judgements = [
        Judgement(
            id=uuid7(), detection_id=row.pk, is_valid=one.is_valid, label=one.label, group=group, shown=Shown.UNSEEN,
            visible_context={**_CONTEXT, "object": str(one.key)},
        )
        for one in settled(keys, user).values()
        for row in one.waiting
    ][:MOST_AT_ONCE]  # fmt: skip
    if judgements:
        record_group(judgements, user, actor)
    return len(judgements)
