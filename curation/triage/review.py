"""All that a person looks at to judge a detection, read with a few queries for several of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from catalog.models import User
from curation.detections.epochs import Epoch, epochs_of_each
from curation.detections.light_curve import Drawing, drawing_of
from curation.judgements import visibility
from curation.judgements.verdicts import answers_about
from curation.models import ValidationEvent
from detection.cutouts.overlay import turn_of
from detection.cutouts.pictures import version_of
from detection.models import Detection
from detection.numerics.orientation import Turn

# Of one source's history the latest so many detections, and measurements without one, are drawn.
_MOST_EPOCHS = 60


@dataclass(frozen=True)
class Review:
    """One detection with its evidence.

    epochs : of its place, by time, this one among them, and what was measured without a detection. answers : what
    people say, by time; None where it is hidden until the person has answered. version : of the file of cutouts, None
    where it is gone.
    """

    detection: Detection
    turn: Turn
    version: str | None
    epochs: list[Epoch]
    answers: list[ValidationEvent] | None
    own: ValidationEvent | None

    @property
    def now(self) -> Epoch:
        """Return this detection among the epochs."""
        return next(epoch for epoch in self.epochs if epoch.detection == self.detection)

    @property
    def curve(self) -> Drawing | None:
        """Return the light curve; None for a first and only look."""
        return drawing_of(self.epochs) if len(self.epochs) > 1 else None


def reviews(keys: Collection[UUID], user: User) -> list[Review]:
    """Return the evidence about detections that this person may see, in the order of the keys."""
    related = ("observation__field", "candidate__difference_run", "source")
    rows = {row.pk: row for row in Detection.objects.visible_to(user).filter(pk__in=keys).select_related(*related)}
    found = [rows[key] for key in keys if key in rows]
    epochs = epochs_of_each([(row.source or row, _history(row)) for row in found], _MOST_EPOCHS)
    answers = answers_about([row.pk for row in found])
    hidden = visibility.veil(found, user)
    return [
        _review(row, past, _shown(answers.get(row.pk, []), user, is_hidden=row.pk in hidden))
        for row, past in zip(found, epochs, strict=True)
    ]


_Shown = tuple[list[ValidationEvent] | None, ValidationEvent | None]


def _shown(answers: list[ValidationEvent], user: User, *, is_hidden: bool) -> _Shown:
    """Return the answers that a person may see, and their own."""
    own = next((event for event in answers if event.validator_id == user.pk), None)
    return (None if is_hidden else answers), own


def _review(row: Detection, epochs: list[Epoch], shown: _Shown) -> Review:
    answers, own = shown
    return Review(
        detection=row,
        turn=turn_of(row),
        version=version_of(row.cutouts_path),
        epochs=epochs,
        answers=answers,
        own=own,
    )


def _history(row: Detection) -> list[Detection]:
    """Return the latest detections of a source, the given one among them."""
    if row.source_id is None:
        return [row]
    others = (
        Detection.objects.filter(source=row.source_id).exclude(pk=row.pk).select_related("observation", "candidate")
    )
    return [row, *others.order_by("-created_at")[:_MOST_EPOCHS]]
