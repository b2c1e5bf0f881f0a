"""The nightly look at the scores, and what it found: kept in the AuditLog, and told on the first page."""

from __future__ import annotations

from django.db import transaction

from catalog.models import AuditLog
from catalog.people import audit
from curation.rates.drift import alarms_among, drift_of
from detection.models import Model, ModelType

_ACTION = "watch_scores"


def watch() -> int:
    """Look at the scores of the active model; return how many things are different.

    What was found is written down where it is not what was found last.
    """
    model = _active()
    if model is None:
        return 0
    found = alarms_among(drift_of(model))
    with transaction.atomic():
        if found != told_of(model):
            audit.record(model, _ACTION, new={"alarms": found}, summary=found[0] if found else "Nothing is different.")
    return len(found)


def alarms() -> list[str]:
    """Return what was found different last about the scores of the active model."""
    model = _active()
    return [] if model is None else told_of(model)


def told_of(model: Model) -> list[str]:
    """Return what was found different last about the scores of a model."""
    rows = AuditLog.objects.filter(entity_type="model", entity_id=str(model.pk), action=_ACTION)
    last = rows.order_by("-created_at", "-id").first()
    return list(last.new_values.get("alarms", ())) if last is not None else []


def _active() -> Model | None:
    return Model.objects.filter(model_type=ModelType.CLASSIFIER, is_active=True).first()
