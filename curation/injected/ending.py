"""Injected sources do not stay: after a while nobody is given them, and what nobody spoke of is deleted."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from catalog.files import removals, storage
from curation.models import GoldAnswer, GoldItem

# Longer than anybody leaves a queue, short enough that cutouts do not pile up.
KEPT = dt.timedelta(days=14)
_AT_ONCE = 200


def end_old() -> int:
    """End what was injected long ago; return how many. Answers and notes of people are kept, without the cutouts."""
    with removals.allowed() as is_allowed:
        return _end_some() if is_allowed else 0


def _end_some() -> int:
    old = GoldItem.objects.filter(created_at__lt=timezone.now() - KEPT, is_active=True).exclude(kind="")
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    for key in keys:
        _end(key)
    return len(keys)


@transaction.atomic
def _end(key: UUID) -> None:
    item = GoldItem.objects.select_for_update(of=("self",)).select_related("detection__candidate").get(pk=key)
    detection = item.detection
    candidate, path = detection.candidate, detection.cutouts_path
    GoldAnswer.objects.filter(item=item, is_valid__isnull=True).delete()
    if item.answers.exists() or detection.people_notes.exists():
        item.is_active, item.history = False, []
        item.save(update_fields=["is_active", "history", "updated_at"])
        detection.cutouts_path = ""
        detection.save(update_fields=["cutouts_path", "updated_at"])
    else:
        item.delete()
        detection.delete()
        if candidate is not None:
            candidate.delete()
    if path:
        transaction.on_commit(lambda: storage.remove(path))
