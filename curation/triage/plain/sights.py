"""What the page without scripts shows of an item.

Nobody can ask such a page whether its pictures have come. So they come within it: where the page is, they are, and they
are of the very files that the answer names.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from curation.models import Shown, ValidationEvent
from curation.triage.items import context_of, epochs_of
from curation.triage.review import Member, Review
from detection.cutouts import pictures
from detection.cutouts.epochs import GONE
from detection.cutouts.pictures import PARTS, version_of


@dataclass(frozen=True)
class Epoch:
    """One epoch in the strip; `key` is None where the object was not detected, `picture` empty where it is gone."""

    key: UUID | None
    when: str
    band: str
    brightness: str
    is_large: bool = False
    is_open: bool = False
    picture: str = ""

    @property
    def can_be_covered(self) -> bool:
        """Tell whether an answer about the large one can be about this one too."""
        return self.is_open and not self.is_large and bool(self.picture)


@dataclass(frozen=True)
class Sight:
    """An item as it is shown.

    large : the detection that is shown large. version : of its file of cutouts. parts : its pictures as addresses, by
    what they show, none where they are gone. epochs : by time, none for an object of one. own : this person's answer
    about the large one.
    """

    review: Review
    large: Member
    version: str | None
    parts: dict[str, str]
    epochs: list[Epoch]
    own: ValidationEvent | None

    @property
    def fault(self) -> str:
        """Return why nothing can be answered; "" where it can."""
        return "" if len(self.parts) == len(PARTS) else GONE

    @property
    def covered(self) -> dict[UUID, str]:
        """Return what an answer may be about beside the large one, and how it is shown."""
        return {epoch.key: Shown.STRIP.value for epoch in self.epochs if epoch.key and epoch.can_be_covered}

    @property
    def imageless(self) -> int:
        """Return how many further epochs await review and cannot be answered about, since they cannot be seen."""
        return sum(epoch.is_open and not epoch.is_large and not epoch.picture for epoch in self.epochs)

    @property
    def context(self) -> dict[str, object]:
        """Return what was on screen, as an answer keeps it."""
        drawn = {"images": list(self.parts), "cutouts": self.version, "drawn": "pictures", "answered_by": "plain page"}
        return {**context_of(self.review), **drawn}


def sight_of(review: Review, own: ValidationEvent | None, large: UUID | None = None) -> Sight:
    """Return what is shown of an item; `large` is the epoch that is asked for, `own` the answer about it."""
    wanted = next((member for member in review.members if member.detection.pk == large), review.shown)
    path = wanted.detection.cutouts_path
    # Before the pictures: of a file that is written anew meanwhile, the former version is named, and never a later one.
    version = version_of(path)
    parts = {name: _inline(picture) for name, picture in pictures.parts(path).items()} if version else {}
    paths = {member.detection.pk: member.detection.cutouts_path for member in review.members}
    epochs = [_epoch(told, wanted, paths) for told in epochs_of(review)]
    return Sight(review, wanted, version, parts, epochs, own)


def _epoch(told: Mapping[str, object], large: Member, paths: dict[UUID, str]) -> Epoch:
    words = (str(told["when"]), str(told["band"]), str(told["brightness"]))
    if told["id"] is None:
        return Epoch(None, *words)
    key = UUID(str(told["id"]))
    picture = pictures.picture(paths[key], is_small=True)
    return Epoch(key, *words, key == large.detection.pk, bool(told["is_open"]), _inline(picture) if picture else "")


def _inline(picture: bytes) -> str:
    return f"data:image/png;base64,{b64encode(picture).decode()}"
