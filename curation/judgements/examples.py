"""Detections that show what a label means: those that experts have chosen, then what people called so lately."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from catalog.models import User
from catalog.people import audit
from curation.judgements import visibility
from curation.models import EventKind, GoldItem, LabelDefinition, LabelExample
from detection.models import Detection

# A label is learnt from a few; a page of fifteen labels shows sixty cutouts then.
MOST_SHOWN = 4
# Among so many of the latest verdicts what people called so is looked for.
_LOOKED_AT = 2_000


class ExampleRefused(ValueError):
    """This cannot be an example; the text says why."""


@dataclass(frozen=True)
class Shown:
    """A label with its examples; the first so many were chosen."""

    label: LabelDefinition
    examples: Sequence[Detection]
    chosen: int


@transaction.atomic
def choose(detection: Detection, user: User, actor: audit.Actor) -> LabelExample:
    """Show a detection to everybody as an example of what people decided that it is."""
    label = LabelDefinition.objects.filter(label=detection.human_label).first()
    if detection.status not in visibility.DECIDED or label is None:
        raise ExampleRefused("It has no label that people have decided on: review it first.")
    example, is_new = LabelExample.objects.get_or_create(label=label, detection=detection, defaults={"chosen_by": user})
    if is_new:
        audit.record(detection, "choose_example", actor=actor, new={"label": label.label})
    return example


@transaction.atomic
def leave_out(detection: Detection, actor: audit.Actor) -> None:
    """Show a detection as an example no more."""
    gone, _ = LabelExample.objects.filter(detection=detection).delete()
    if gone:
        audit.record(detection, "end_example", actor=actor)


def labels_with_examples(user: User) -> list[Shown]:
    """Return the labels that people may give, with what this person may see of each.

    What experts have chosen everybody sees, also who judges blind: it is decided, and awaits nobody's answer.
    """
    labels = list(LabelDefinition.objects.visible_to(user).filter(is_active=True))
    chosen, lately = _chosen(), _lately(user)
    keys = {key for several in (*chosen.values(), *lately.values()) for key in several}
    rows = Detection.objects.visible_to(user).exclude(cutouts_path="").in_bulk(keys)
    # Of these the person may know what they are; of the chosen ones everybody may.
    hidden = visibility.hidden_from(user, keys)
    shown = []
    for label in labels:
        first = [rows[key] for key in chosen[label.label] if key in rows][:MOST_SHOWN]
        found = [rows[key] for key in lately[label.label] if key in rows and key not in hidden]
        more = [row for row in found if row.human_label == label.label and row not in first]
        shown.append(Shown(label, [*first, *more][:MOST_SHOWN], len(first)))
    return shown


def _chosen() -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = defaultdict(list)
    for label, key in LabelExample.objects.values_list("label__label", "detection"):
        found[label].append(key)
    return found


def _lately(user: User) -> dict[str, list[UUID]]:
    """Return what was called so lately, without what is known: who is given that must not have seen it here."""
    verdicts = visibility.judgements_for(user).filter(kind=EventKind.VERDICT).order_by("-created_at", "-id")
    latest = list(verdicts.values_list("label", "detection")[:_LOOKED_AT])
    known = set(GoldItem.objects.filter(is_active=True).values_list("detection", flat=True))
    found: dict[str, dict[UUID, None]] = defaultdict(dict)
    for label, key in latest:
        if label and key not in known and len(found[label]) < 2 * MOST_SHOWN:
            found[label][key] = None
    return defaultdict(list, {label: list(keys) for label, keys in found.items()})
