"""Fetch what catalogues hold of one field, where services are set: evidence that nothing waits for."""

from __future__ import annotations

from catalog.failures import FailureCode, StageFailure
from catalog.work import hold
from detection.context.fields import kinds_served, parts_lacking
from detection.context.services import fetch_area
from observations.models import Field
from preprocessing.star_service import ServiceFailed


def run(field_id: str) -> None:
    """Ask each service for the field's circle, unless it was asked not long ago; one that fails stops no other."""
    field = Field.objects.get(pk=field_id)
    failures = []
    for kind in kinds_served():
        for part in parts_lacking(kind, [field]):
            hold.check()
            try:
                fetch_area(kind, part)
            except ServiceFailed as failure:
                failures.append(str(failure))
    if failures:
        raise StageFailure(FailureCode.NETWORK_FAULT, " ".join(failures))
