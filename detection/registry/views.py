"""Pages of the registered models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalog.people.actors import actor_of
from catalog.roles import MAY_ACTIVATE_MODELS
from catalog.web.access import requires
from detection.models import DataSet, Model, ModelRun
from detection.registry import ordering, weights
from detection.registry.shadow import begin_shadow, end_shadow, previous_of, roll_back
from detection.shown import without_frames

# More than this has no registry that people keep by hand and by training.
_MOST_MODELS, _LATEST_RUNS, _MOST_SUSPECTS = 200, 20, 100
# What is done to a model by the last part of its address, and what is said then.
_CHANGES: Mapping[str, tuple[Callable[..., Model], str]] = {
    "shadow": (begin_shadow, "{} scores beside the active model from the next frame on, and decides nothing."),
    "end-shadow": (end_shadow, "{} scores no more. What it has scored is kept."),
    "roll-back": (roll_back, "{} is in use again, from the next frame on."),
}
# What the registry keeps beside the document that training wrote.
_COLUMNS = ("precision", "recall", "f1_score", "accuracy")


@requires("detection.view_model")
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """Show the registered models, those in use first."""
    rows = Model.objects.visible_to(request.user).order_by("-is_active", "model_type", "name", "-created_at")
    sets = DataSet.objects.visible_to(request.user).order_by("-made_at", "-id").defer("manifest")
    return render(request, "detection/models.html", {"models": rows[:_MOST_MODELS], "data_sets": sets[:_MOST_MODELS]})


@requires("detection.view_model")
@require_safe
def model(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Show one model: how good it is by its own account, what it was made from, and what it did lately."""
    row = get_object_or_404(Model.objects.visible_to(request.user), pk=model_id)
    runs = ModelRun.objects.visible_to(request.user).filter(model=row).select_related("observation")
    runs = runs.defer("observation__header", "observation__facts", "observation__footprint")
    measured = {name: value for name, value in row.training_metrics.items() if name not in _COLUMNS}
    context = {
        "model": row,
        "runs": runs.order_by("-created_at", "-id")[:_LATEST_RUNS],
        "measured": list(_lines(measured)),
        "hyperparameters": list(_lines(row.hyperparameters)),
        "previous": previous_of(row) if row.is_active else None,
        "comparison": weights.compared(row),
    }
    return render(request, "detection/model.html", context)


@requires(MAY_ACTIVATE_MODELS)
@require_POST
def change_model(request: HttpRequest, model_id: UUID, change: str) -> HttpResponse:
    """Begin or end a model's shadow, or put back into use the one before it."""
    if change not in _CHANGES:
        raise Http404
    row = get_object_or_404(Model.objects.visible_to(request.user), pk=model_id)
    work, said = _CHANGES[change]
    try:
        done = work(row, actor_of(request))
    except weights.ModelRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("detection:model", model_id)
    messages.success(request, said.format(done))
    return redirect("detection:model", done.pk)


@requires(MAY_ACTIVATE_MODELS)
@require_POST
def activate(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Put a model to use; one that is worse on the golden set only with a written reason."""
    row = get_object_or_404(Model.objects.visible_to(request.user), pk=model_id)
    try:
        weights.activate(row, actor_of(request), reason=request.POST.get("reason", "").strip())
        messages.success(request, f"{row} scores candidates from the next frame on.")
    except weights.ModelRefused as refusal:
        messages.warning(request, str(refusal))
    return redirect("detection:model", model_id)


@requires(MAY_ACTIVATE_MODELS)
@require_POST
def order_training(request: HttpRequest) -> HttpResponse:
    """Order the training of a new version on a data set, or on newly simulated nights; lead to its job."""
    asked = ordering.Asked(ordering.DEFAULT_NAME, ordering.new_version(), request.POST.get("data_set", ""))
    try:
        job = ordering.order_training(asked, actor_of(request))
    except ordering.OrderRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("detection:models")
    return redirect("catalog:job", job.pk)


@requires("detection.view_dataset")
@require_safe
def data_set(request: HttpRequest, data_set_id: UUID) -> HttpResponse:
    """Show one data set: what it is made of, how it is divided, and which labels are likely wrong."""
    row = get_object_or_404(DataSet.objects.visible_to(request.user), pk=data_set_id)
    without_frames([row], request.user)
    manifest = row.manifest
    context = {
        "data_set": row,
        "parts": manifest.get("parts", {}),
        "kinds": manifest.get("kinds", {}),
        "cameras": manifest.get("cameras", {}),
        "origins": [list(_lines(origin)) for origin in manifest.get("origins", [])],
        "suspects": manifest.get("suspects", [])[:_MOST_SUSPECTS],
        "suspect_count": len(manifest.get("suspects", [])),
        "normalisation": manifest.get("normalisation", ""),
        "models": Model.objects.visible_to(request.user).filter(data_set=row).order_by("name", "-created_at"),
    }
    return render(request, "detection/data_set.html", context)


def _lines(values: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield each value of a nested document with its name, "training set: pairs"; numbers of few digits."""
    for name, value in values.items():
        title = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _lines(value, f"{title}: ")
        else:
            yield title, f"{value:.4g}" if isinstance(value, float) else value
