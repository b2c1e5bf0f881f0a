"""Pages of the registered models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from catalog.web.access import requires
from detection.models import Model, ModelRun

# More than this has no registry that people keep by hand and by training.
_MOST_MODELS, _LATEST_RUNS = 200, 20
# What the registry keeps beside the document that training wrote.
_COLUMNS = ("precision", "recall", "f1_score", "accuracy")


@requires("detection.view_model")
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """Show the registered models, those in use first."""
    rows = Model.objects.visible_to(request.user).order_by("-is_active", "model_type", "name", "-created_at")
    return render(request, "detection/models.html", {"models": rows[:_MOST_MODELS]})


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
    }
    return render(request, "detection/model.html", context)


def _lines(values: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield each value of a nested document with its name, "training set: pairs"; numbers of few digits."""
    for name, value in values.items():
        title = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _lines(value, f"{title}: ")
        else:
            yield title, f"{value:.4g}" if isinstance(value, float) else value
