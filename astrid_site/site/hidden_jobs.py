"""Which jobs are about what is hidden with some surveys: what the keys of jobs name, the site knows."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import (
    BooleanField,
    Case,
    DateField,
    Exists,
    OuterRef,
    Q,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast, Left, Right

from catalog.hiding import Jobs
from catalog.models import RecordQuerySet
from detection.models import Detection
from differencing.models import DifferenceRun
from observations.models import IncomingFile, Observation
from preprocessing.models import PreprocessRun

_KEY = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NIGHT = r"\d{4}-\d\d-\d\d"
_KEY_LENGTH, _NIGHT_LENGTH = 36, 10


def outside(jobs: Jobs, surveys: Collection[UUID], *, wholly: bool = False) -> Jobs:
    """Return the jobs about what is not hidden with some surveys; those about several frames, where one of them is not.

    wholly : only where none of them is hidden. A file that a command takes in has no survey yet: its job is hidden.
    """
    key = Cast(OuterRef("entity_id"), UUIDField())
    night = Cast(Right(OuterRef("entity_id"), _NIGHT_LENGTH), DateField())
    field = Cast(Left(OuterRef("entity_id"), _KEY_LENGTH), UUIDField())
    of_several = {
        ("night", _NIGHT): Observation.objects.filter(night=night),
        ("field", _KEY): Observation.objects.filter(field=key),
        ("field_night", f"{_KEY}/{_NIGHT}"): Observation.objects.filter(field=field, night=night),
        ("reference", _KEY): Observation.objects.filter(references=key),
        ("source", _KEY): Detection.objects.filter(source=key),
    }
    shown = [
        When(_named("observation", _KEY), then=_any(Observation.objects.filter(pk=key), surveys, True)),
        When(_named("incoming_file", _KEY), then=Exists(IncomingFile.objects.filter(pk=key).outside(surveys))),
        When(entity_type="file", then=Value(False)),
        *(When(_named(kind, shape), then=_any(rows, surveys, wholly)) for (kind, shape), rows in of_several.items()),
    ]
    return jobs.filter(Case(*shown, default=Value(True), output_field=BooleanField()))


def files_outside(files: Jobs, surveys: Collection[UUID]) -> Jobs:
    """Return which removed files are of rows that are shown, or that are gone themselves."""
    for model in (Observation, PreprocessRun, DifferenceRun, Detection):
        hidden = model.objects.filter(pk=OuterRef("entity_id"), **{f"{model.way_to_survey}__in": surveys})
        files = files.exclude(Exists(hidden), entity_type=str(model._meta.model_name))
    return files


def _named(kind: str, shape: str) -> Q:
    """Return which jobs are about things of a kind, with keys that are such: only these may be cast."""
    return Q(entity_type=kind, entity_id__regex=rf"^{shape}$")


def _any(rows: RecordQuerySet, surveys: Collection[UUID], wholly: bool) -> Q:
    """Return whether one of the rows that a job is about is shown, or there are none; `wholly`: all that there are."""
    hidden = rows.filter(**{f"{rows.model.way_to_survey}__in": surveys})
    return Q(~Exists(hidden)) if wholly else Q(~Exists(rows)) | Q(Exists(rows.outside(surveys)))
