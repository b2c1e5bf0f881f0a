"""All that a person looks at to judge an item of triage, read with a few queries for several of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from catalog.models import User
from catalog.roles import MAY_SETTLE_CONFLICTS
from curation.detections.epochs import Epoch, epochs_of_each
from curation.detections.light_curve import Drawing, drawing_of
from curation.injected.rows import as_found
from curation.judgements import deferrals, visibility
from curation.judgements.objects import keys_of, members_of, motion_of
from curation.judgements.verdicts import OPEN, answers_about
from curation.models import Deferral, Note, ValidationEvent
from curation.notes.notes import notes_on
from detection.context.surroundings import Context, context_of_each
from detection.cutouts.overlay import turn_of
from detection.cutouts.pictures import version_of
from detection.known.comparing import Known, known_near_each
from detection.models import Detection
from detection.numerics.orientation import Turn
from detection.shown import shown_among
from differencing.models import Tracklet

# Of one history the latest so many detections, and measurements without one, are drawn.
MOST_EPOCHS = 60
# So many nights stand side by side in the small light curve.
_MOST_NIGHTS = 6
# What is long and nobody looks at here.
_LONG = (
    *(f"observation__{name}" for name in ("header", "given", "facts", "profile", "footprint", "error_message")),
    *(f"candidate__difference_run__{name}" for name in ("parameters", "doubts", "error_message")),
)
# One answer is about so many detections of an object at most: those that are left come again.
MOST_COVERED = 200


@dataclass(frozen=True)
class Member:
    """A detection of the object: whether an answer about the object is about it, and its pixels.

    version : of the file of cutouts, None where it is gone.
    """

    detection: Detection
    is_open: bool
    turn: Turn
    version: str | None


@dataclass(frozen=True)
class Review:
    """One item with its evidence.

    detection : the one that is shown first. members : the latest of its object's detections that are shown, by time,
    that one among them. unseen : further ones that an answer is about. motion : of what moves. known : what orbits say
    of the detection that is shown first. context : what else is known around it. epochs : by time, with what was
    measured without a detection. answers : what people say of any of the members, by time; None where it is hidden
    until the person has answered. own : their own about the detection that is shown first. deferrals : what stands of
    those of any of the members, the latest first. notes : on any of the members, as far as this person may read them,
    the latest first.
    """

    detection: Detection
    members: Sequence[Member]
    unseen: Sequence[UUID]
    motion: Tracklet | None
    known: Known
    context: Context
    epochs: list[Epoch]
    answers: list[ValidationEvent] | None
    own: ValidationEvent | None
    deferrals: list[Deferral]
    notes: list[Note]

    @property
    def shown(self) -> Member:
        """Return the detection that is shown first, with its pixels."""
        return next(member for member in self.members if member.detection == self.detection)

    @property
    def now(self) -> Epoch:
        """Return this detection among the epochs."""
        return next(epoch for epoch in self.epochs if epoch.detection == self.detection)

    @property
    def curve(self) -> Drawing | None:
        """Return the light curve; None for a first and only look."""
        return drawing_of(self.epochs, most_nights=_MOST_NIGHTS) if len(self.epochs) > 1 else None


def reviews(keys: Collection[UUID], user: User, *, by_detection: bool = False) -> list[Review]:
    """Return the evidence about items that this person may see, in the order of the keys.

    keys : of the detections that are shown first. by_detection : each of them is an item by itself.
    """
    objects = keys_of(shown_among(keys, user))
    members = members_of(set(objects.values()), user)
    of_item = {pk: members.get(objects[pk], [pk]) for pk in keys if pk in objects}
    shown = {pk: _latest(several, pk) for pk, several in of_item.items()}
    rows = _rows({pk for several in shown.values() for pk in several}, user)
    found = [rows[pk] for pk in of_item if pk in rows]
    answers = answers_about([pk for several in of_item.values() for pk in several])
    waiting = set() if by_detection else _waiting(answers, of_item.values(), user)
    hidden = visibility.veil(rows.values(), user)
    put_off = deferrals.about([pk for several in of_item.values() for pk in several])
    notes = notes_on([pk for several in of_item.values() for pk in several], user)
    motions = motion_of(set(objects.values()))
    known = known_near_each(found)
    contexts = context_of_each(found, known)
    histories = [
        (motions.get(objects[row.pk]) or row.source or row, [rows[pk] for pk in shown[row.pk] if pk in rows])
        for row in found
    ]
    of_each = epochs_of_each(histories, user, MOST_EPOCHS)
    return [
        Review(
            detection=row,
            members=[_member(each, each.pk == row.pk or each.pk in waiting) for each in several],
            unseen=[pk for pk in of_item[row.pk] if pk in waiting and pk not in rows][:MOST_COVERED],
            motion=motions.get(objects[row.pk]),
            known=known[row.pk],
            context=contexts[row.pk],
            epochs=epochs,
            answers=None if row.pk in hidden else _told(answers, of_item[row.pk], hidden),
            own=next((event for event in answers.get(row.pk, []) if event.validator_id == user.pk), None),
            notes=[note for note in notes if note.detection_id in of_item[row.pk]],
            deferrals=[one for one in put_off if one.detection_id in of_item[row.pk]],
        )
        for row, (_, several), epochs in zip(found, histories, of_each, strict=True)
    ]


def _latest(members: Sequence[UUID], first: UUID) -> list[UUID]:
    """Return the latest members of an object, the one that is shown first among them."""
    latest = list(members[-MOST_EPOCHS:])
    return latest if first in latest else [first, *latest[1:]]


def _rows(keys: Collection[UUID], user: User) -> dict[UUID, Detection]:
    related = ("observation__field", "observation__survey", "candidate__difference_run", "source")
    found = Detection.with_injected.visible_to(user).filter(pk__in=keys).select_related(*related).defer(*_LONG)
    rows = {row.pk: row for row in found}
    as_found(rows.values())
    return rows


_Answers = Mapping[UUID, Sequence[ValidationEvent]]


def _waiting(answers: _Answers, items: Iterable[Sequence[UUID]], user: User) -> set[UUID]:
    """Return of all members those that wait for this person's answer."""
    rows = Detection.objects.filter(pk__in=[pk for several in items for pk in several], status__in=OPEN)
    if not user.has_perm(MAY_SETTLE_CONFLICTS):
        rows = rows.exclude(conflict__isnull=False)
    waiting = rows.values_list("pk", flat=True)
    return {pk for pk in waiting if all(event.validator_id != user.pk for event in answers.get(pk, []))}


def _told(answers: _Answers, members: Sequence[UUID], hidden: Collection[UUID]) -> list[ValidationEvent]:
    """Return what people say of those members of which this person may see it, by time."""
    events = [event for pk in members if pk not in hidden for event in answers.get(pk, [])]
    return sorted(events, key=lambda event: event.created_at)


def _member(row: Detection, is_open: bool) -> Member:
    return Member(detection=row, is_open=is_open, turn=turn_of(row), version=version_of(row.cutouts_path))
