"""When a model is calibrated anew: each night where people have answered something, and when somebody asks for it."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.models import ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from curation.models import ValidationEvent
from detection.models import Model, ModelType

RECALIBRATE = "recalibrate"
# Less than a day, so that it stays at about the same time of day however late a beat comes.
_EVERY = timedelta(hours=22)


def order_nightly() -> int:
    """Order the calibration of the models that score, where there are answers since the last; return how many."""
    since = timezone.now() - _EVERY
    ordered = 0
    for model in Model.objects.filter(Q(is_active=True) | Q(is_shadow=True), model_type=ModelType.CLASSIFIER):
        same = ProcessingJob.objects.filter(job_type=RECALIBRATE, entity_id=str(model.pk))
        last = same.order_by("-created_at").values_list("created_at", flat=True).first()
        if last is not None and last > since:
            continue
        answers = ValidationEvent.objects.all() if last is None else ValidationEvent.objects.filter(created_at__gt=last)
        if answers.exists():
            with transaction.atomic():
                order(model)
            ordered += 1
    return ordered


def order(model: Model) -> ProcessingJob:
    """Order the calibration of a model, in the caller's transaction."""
    return jobs.enqueue(RECALIBRATE, "model", model.pk)


@transaction.atomic
def order_for(model: Model, actor: audit.Actor) -> ProcessingJob:
    """Order it for a person, with the line in the AuditLog."""
    job = order(model)
    audit.record(model, "order_recalibration", actor=actor, summary=str(model))
    return job
