"""The model registry: which weights exist, which are active, and that they are what the row says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.people import audit
from catalog.work import jobs
from detection.models import DataSet, Model, ModelType
from detection.numerics.guard import Comparison
from detection.registry import golden

_SHIPPED = Path(__file__).parent.parent / "weights"
DEFAULT_CARD = _SHIPPED / "realbogus-3.json"
# What is shipped with the code, by type of model.
DEFAULT_CARDS = {ModelType.CLASSIFIER: DEFAULT_CARD, ModelType.UNET: _SHIPPED / "trails-2.json"}
MEASURE = "measure"
_CARD_FIELDS = ("name", "version", "model_type", "architecture", "weights", "sha256")


class ModelRefused(ValueError):
    """A model cannot be registered or put to use; the sentence says why."""


@dataclass(frozen=True)
class Card:
    """What training wrote beside the weights, and the weights themselves.

    What is not known of a model is empty.
    """

    name: str
    version: str
    model_type: str
    architecture: str
    sha256: str
    training_dataset: str
    hyperparameters: dict[str, object]
    metrics: dict[str, float | None]
    share_called_real_by_kind: dict[str, float | None]
    report: dict[str, object]
    weights: bytes


def read_card(path: Path) -> Card:
    """Read a card and the weights it names, and make sure that they belong together."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelRefused(f"{path.name} is not a readable model card: {error}") from error
    missing = [name for name in _CARD_FIELDS if not isinstance(values, dict) or not values.get(name)]
    if missing:
        raise ModelRefused(f"{path.name} lacks {', '.join(missing)}")
    if values["model_type"] not in ModelType.values:
        raise ModelRefused(f"{values['model_type']!r} is not a model type; choose one of {', '.join(ModelType.values)}")
    weights_path = path.parent / Path(values["weights"]).name
    try:
        weights = weights_path.read_bytes()
    except OSError as error:
        raise ModelRefused(f"the weights {weights_path.name} beside {path.name} cannot be read: {error}") from error
    if hashlib.sha256(weights).hexdigest() != values["sha256"]:
        raise ModelRefused(f"{weights_path.name} is not the file that {path.name} describes: the sha256 differ")
    return Card(
        name=values["name"],
        version=values["version"],
        model_type=values["model_type"],
        architecture=values["architecture"],
        sha256=values["sha256"],
        training_dataset=values.get("training_dataset") or "",
        hyperparameters=values.get("hyperparameters") or {},
        metrics=values.get("metrics") or {},
        share_called_real_by_kind=values.get("share_called_real_by_kind") or {},
        report=values.get("report") or {},
        weights=weights,
    )


def register(
    card: Card, *, actor: audit.Actor = audit.MACHINE, activate: bool = False, mlflow_run_id: str = ""
) -> Model:
    """Copy the weights under the data root and make or complete their row; repeating it changes nothing.

    activate : without asking the golden set, as the first model of a site is. A name and version stand for one set of
    weights for ever: others under the same version are refused.
    """
    path = f"models/{card.name}-{card.version}-{card.sha256[:12]}.safetensors"
    with transaction.atomic():
        model, is_new = Model.objects.select_for_update().get_or_create(
            name=card.name, version=card.version, defaults=_row(card, path) | {"mlflow_run_id": mlflow_run_id}
        )
        if model.weights_sha256 != card.sha256:
            raise ModelRefused(f"{model} is registered with other weights; give the new ones another version")
        storage.write_atomically(model.model_path or path, card.weights)
        if is_new:
            audit.record(model, "register_model", actor=actor, new={"sha256": card.sha256}, summary=str(model))
        if activate:
            _activate(model, actor)
    return model


def active_model(model_type: str = ModelType.CLASSIFIER) -> Model | None:
    """Return the model of a type that is in use, if there is one."""
    return Model.objects.filter(model_type=model_type, is_active=True).first()


def ensure_default_model(model_type: str = ModelType.CLASSIFIER) -> Model:
    """Return the active model of a type; where there is none, register and activate the one shipped with the code."""
    active = active_model(model_type)
    if active is not None:
        return active
    card = DEFAULT_CARDS.get(ModelType(model_type))
    if card is None or not card.is_file():
        raise StageFailure(
            FailureCode.MODEL_MISSING,
            f"There is no active {model_type} model. Train one with train_model and give its card to register_model.",
        )
    return register(read_card(card), activate=True)


def activate(model: Model, actor: audit.Actor, *, reason: str = "") -> Model:
    """Make a model the active one of its type, from the next frame on.

    Its weights must be what was registered, and on the golden set it must not be worse than the one in use: beyond
    chance, or by so much that chance does not matter. With a written reason it is put to use all the same; the audit
    log keeps it, and what was known. Raises ModelRefused; where a model was not measured yet, that is ordered.
    """
    try:
        weights_path(model)
    except StageFailure as failure:
        raise ModelRefused(failure.sentence) from failure
    before = active_model(model.model_type)
    known = _compared(model, before, is_needed=not reason)
    if known is not None and known.reasons and not reason:
        raise ModelRefused(
            f"{model} is worse on the golden set: {'; '.join(known.reasons)}. Its page shows both side by side, and "
            "takes a reason for putting it to use all the same."
        )
    with transaction.atomic():
        # All of a type at once and in one order: two activations at the same time wait for each other.
        same = Model.objects.select_for_update().filter(model_type=model.model_type).order_by("pk")
        row = {known.pk: known for known in same}[model.pk]
        if row.is_active:
            raise ModelRefused(f"{row} is already active.")
        if before != next((other for other in same if other.is_active), None):
            raise ModelRefused("Another model was put to use in this moment: compare them first.")
        worse = list(known.reasons) if known else []
        _activate(
            row, actor, reason, {"worse_on_golden_set": worse, "was_measured": known is not None} if reason else {}
        )
    return row


def compared(model: Model) -> Comparison | None:
    """Return a model beside the one in use of its type, on the golden set; None where that is not known."""
    return _compared(model, active_model(model.model_type), is_needed=False)


def _compared(model: Model, active: Model | None, *, is_needed: bool) -> Comparison | None:
    """Return the comparison, None where there is nothing to compare with; order it where it is lacking."""
    if model.model_type != ModelType.CLASSIFIER or active is None or active.pk == model.pk:
        return None
    of_all = DataSet.objects.golden().first()
    found = None if of_all is None else golden.comparison(model, active, of_all)
    if found is None and is_needed:
        job = jobs.enqueue(MEASURE, "model", model.pk)
        raise ModelRefused(
            f"{model} was not measured on the golden set yet. That is ordered (job {job.pk}): try again in a minute."
        )
    return found


def weights_path(model: Model) -> Path:
    """Return where the model's weights lie, having made sure that they are the registered ones."""
    try:
        path = storage.open_stored(model.model_path)
        is_same = hashlib.sha256(path.read_bytes()).hexdigest() == model.weights_sha256
    except (FileNotFoundError, storage.OutsideStorage) as error:
        raise StageFailure(FailureCode.MODEL_MISSING, _advice(model, "are missing")) from error
    if not is_same:
        raise StageFailure(FailureCode.MODEL_MISSING, _advice(model, "have changed since they were registered"))
    return path


def _advice(model: Model, what: str) -> str:
    return f"The weights of {model} {what}. Give the model's card to register_model to put them back."


def _row(card: Card, path: str) -> dict[str, object]:
    return {
        "model_type": card.model_type,
        "architecture": card.architecture,
        "hyperparameters": card.hyperparameters,
        "training_dataset": card.training_dataset,
        "training_metrics": {**card.metrics, "share_called_real_by_kind": card.share_called_real_by_kind},
        **{name: card.metrics.get(name) for name in ("precision", "recall", "f1_score", "accuracy")},
        "report": card.report,
        "data_set": _data_set(card),
        "model_path": path,
        "weights_sha256": card.sha256,
    }


def _data_set(card: Card) -> DataSet | None:
    """Return the data set that the card names, where this site has the same one."""
    told = card.hyperparameters.get("data_set")
    if not isinstance(told, dict):
        return None
    return DataSet.objects.filter(name=told.get("name"), version=told.get("version"), sha256=told.get("sha256")).first()


def _activate(model: Model, actor: audit.Actor, reason: str = "", against: Mapping[str, object] | None = None) -> None:
    """Make the model the active one of its type, in the caller's transaction."""
    if model.is_active:
        return
    others = Model.objects.select_for_update().filter(model_type=model.model_type, is_active=True)
    for other in others:
        other.is_active = False
        other.save(update_fields=["is_active", "updated_at"])
        audit.record(other, "deactivate_model", actor=actor, old={"is_active": True}, new={"is_active": False})
    model.is_active, model.is_shadow, model.deployment_date = True, False, timezone.now()
    model.save(update_fields=["is_active", "is_shadow", "deployment_date", "updated_at"])
    new = {"is_active": True, **(against or {})}
    audit.record(model, "activate_model", actor=actor, old={"is_active": False}, new=new, summary=reason)
