"""Injected sources as people are shown them before they answer: as if the pipeline had found them.

What else is found has a source with a history of measurements. An injected one has neither in the database, so that it
is no science: they are made for the page, from what was measured when it was injected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from uuid import UUID

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from catalog.models import Visitor
from curation.models import GoldItem
from detection.models import Detection, ForcedPhotometry, Source
from detection.sources.association import source_of_one
from differencing.models import Reference
from observations.models import Observation

_LEFT_OUT = ("id", "created_at", "updated_at")


def as_found(rows: Iterable[Detection]) -> None:
    """Give injected ones among rows, which are shown and never saved, the source that they would have."""
    for row in rows:
        if row.is_injected:
            source = source_of_one(row)
            source.pk = source_key(row.pk)
            row.source = source


def source_key(key: UUID) -> UUID:
    """Return the key of the source that a detection would have, and of such a source that of its detection.

    It looks like any other, and nobody outside can tell that it follows from the other one.
    """
    mask = int.from_bytes(hashlib.sha256(f"source {settings.SECRET_KEY}".encode()).digest()[:7])
    return UUID(int=key.int ^ mask)


def source_shown(user: Visitor, key: UUID) -> tuple[Source, list[Detection]] | None:
    """Return the source of this key that an injected detection would have, and that detection; None without one."""
    rows = Detection.with_injected.visible_to(user).filter(pk=source_key(key), is_injected=True)
    found = list(rows.select_related("candidate", "observation"))
    as_found(found)
    return (found[0].source, found) if found and found[0].source else None


def histories_of(keys: Collection[UUID], user: Visitor) -> dict[UUID, dict[UUID, ForcedPhotometry]]:
    """Return what other frames that a person may see hold at the places of injected detections, by source and frame:
    rows never saved."""
    stored = dict(GoldItem.objects.filter(detection__in=keys).exclude(kind="").values_list("detection", "history"))
    every = [one for history in stored.values() for one in history]
    frames = Observation.objects.not_hidden_from(user).in_bulk({UUID(one["observation_id"]) for one in every})
    references = Reference.objects.in_bulk({UUID(one["reference_id"]) for one in every})
    found: dict[UUID, dict[UUID, ForcedPhotometry]] = {}
    for key, history in stored.items():
        for one in history:
            frame = frames.get(UUID(one["observation_id"]))
            reference = references.get(UUID(one["reference_id"]))
            if frame is not None and reference is not None:
                row = ForcedPhotometry(**one | {"observation": frame, "reference": reference})
                found.setdefault(source_key(key), {})[frame.pk] = row
    return found


def as_stored(row: ForcedPhotometry) -> dict[str, object]:
    """Return a measurement, not saved, as JSON that it can be made from again."""
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.name not in _LEFT_OUT}
    told: dict[str, object] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return told
