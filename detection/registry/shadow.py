"""A model in shadow: it scores what the active one scores, and decides nothing; and the way back to the one before."""

from __future__ import annotations

from django.db import transaction

from catalog.failures import StageFailure
from catalog.people import audit
from detection.models import Model, ModelType
from detection.registry.weights import ModelRefused, activate, weights_path


def shadow_of(model_type: str = ModelType.CLASSIFIER) -> Model | None:
    """Return the model of a type that scores in shadow."""
    return Model.objects.filter(model_type=model_type, is_shadow=True).first()


def has_shadow() -> bool:
    """Tell whether a model scores candidates in shadow."""
    return shadow_of() is not None


def begin_shadow(model: Model, actor: audit.Actor) -> Model:
    """Let a model score beside the active one of its type from the next frame on, in place of another shadow.

    Raises ModelRefused where it is active or in shadow, or its weights are not what was registered.
    """
    try:
        weights_path(model)
    except StageFailure as failure:
        raise ModelRefused(failure.sentence) from failure
    with transaction.atomic():
        row = _locked(model)
        if row.is_active:
            raise ModelRefused(f"{row} is in use: it cannot be its own shadow.")
        if row.is_shadow:
            raise ModelRefused(f"{row} is in shadow already.")
        for other in Model.objects.filter(model_type=row.model_type, is_shadow=True):
            _set(other, actor, is_shadow=False)
        _set(row, actor, is_shadow=True)
    return row


@transaction.atomic
def end_shadow(model: Model, actor: audit.Actor) -> Model:
    """End a model's shadow; what it has scored is kept. Raises ModelRefused where it is in none."""
    row = _locked(model)
    if not row.is_shadow:
        raise ModelRefused(f"{row} is not in shadow.")
    _set(row, actor, is_shadow=False)
    return row


def previous_of(model: Model) -> Model | None:
    """Return the model that was in use before this one: of the others of its type, the one that was activated last."""
    others = Model.objects.filter(model_type=model.model_type, deployment_date__isnull=False).exclude(pk=model.pk)
    return others.order_by("-deployment_date", "-pk").first()


@transaction.atomic
def roll_back(model: Model, actor: audit.Actor) -> Model:
    """Put back into use the model before the active one, and return it.

    Raises ModelRefused where this one is not active, there is none before it, or the weights of that one are not what
    was registered: then the active one stays.
    """
    if not _locked(model).is_active:
        raise ModelRefused(f"{model} is not in use any more.")
    before = previous_of(model)
    if before is None:
        raise ModelRefused(f"No other model was in use before {model}.")
    # It was in use before: it is not measured anew where the one after it turned out wrong.
    back = activate(before, actor, reason=f"Back from {model}.")
    audit.record(model, "roll_back_model", actor=actor, new={"active": str(back)}, summary=f"{model} → {back}")
    return back


def _locked(model: Model) -> Model:
    """Return the row as it is, held; all of its type in one order, so that two never wait for each other."""
    same = Model.objects.select_for_update().filter(model_type=model.model_type).order_by("pk")
    return {row.pk: row for row in same}[model.pk]


def _set(model: Model, actor: audit.Actor, *, is_shadow: bool) -> None:
    model.is_shadow = is_shadow
    model.save(update_fields=["is_shadow", "updated_at"])
    action = "begin_shadow" if is_shadow else "end_shadow"
    audit.record(model, action, actor=actor, old={"is_shadow": not is_shadow}, new={"is_shadow": is_shadow})
