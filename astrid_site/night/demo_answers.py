"""A few answers in the demo, so that it has alerts: a score alone raises none before people have answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from astrid_site.night.cells import Place, best_first
from catalog.ids import uuid7
from catalog.models import User
from catalog.people import audit
from curation.judgements.verdicts import OPEN, Judgement, record_group
from curation.models import ValidationEvent
from detection.models import Detection

# The role that nobody takes up first: whoever logs in as curator finds a queue of their own.
ACCOUNT = "expert"
# Enough to see what an alert is; the rest awaits review.
_MOST_REAL, _MOST_FALSE = 3, 1
_NOTE = "Answered by the demo, from the truth of the simulation: nobody has looked."
_ON_HOST = " on a galaxy"


def answer_from_truth(detections: Iterable[Detection], names: Mapping[Place, str]) -> tuple[int, int]:
    """Answer as the demo's expert about the best objects whose truth is known; return how many are real and false.

    `names` are what detections truly are, by place. Answers that were given before are not given again.
    """
    person = User.objects.filter(username=ACCOUNT).first()
    if person is None or ValidationEvent.objects.filter(validator=person).exists():
        return 0, 0
    objects: dict[UUID, list[tuple[Detection, str]]] = {}
    for row in best_first(detections):
        name = names.get((row.observation.original_name, row.pixel_x, row.pixel_y), "")
        if name and row.status in OPEN and row.source_id is not None:
            objects.setdefault(row.source_id, []).append((row, name))
    told = [(rows, _what(rows[0][1])) for rows in objects.values()]
    real = [(rows, what) for rows, what in told if what][:_MOST_REAL]
    # The true sources that move are another source in each frame: they are left to people.
    false = [(rows, "") for rows, what in told if what == "" and not rows[0][1].startswith("asteroid")][:_MOST_FALSE]
    for rows, label in [*real, *false]:
        _answer([row for row, _ in rows], person, label)
    return len(real), len(false)


def _what(name: str) -> str:
    """Return the label of what is truly there; "" where it is nothing, or moves."""
    if name.startswith("variable"):
        return "variable_star"
    if name.startswith("transient"):
        return "supernova_candidate" if name.endswith(_ON_HOST) else "unknown_real"
    return ""


def _answer(rows: list[Detection], person: User, label: str) -> None:
    group = uuid7()
    judgements = [
        Judgement(
            uuid7(), row.pk, bool(label), label=label, confidence_level="high", notes=_NOTE, group=group,
            visible_context={"by": "demo"},
        )
        for row in rows
    ]  # fmt: skip
    record_group(judgements, person, audit.Actor(person))
