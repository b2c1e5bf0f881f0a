"""Make a new version of a field's reference, of the frames that are there now."""

from __future__ import annotations

from uuid import UUID

from catalog.configuration.values import snapshot
from catalog.failures import FailureCode, StageFailure
from differencing.models import Reference
from differencing.references import ReferenceChoice, material
from differencing.stage.reference import made_reference


def run(reference_id: UUID | str) -> None:
    """Stack what would replace a reference today, as a version that waits to be looked at and promoted.

    The same frames in the same state leave everything as it is.
    """
    config = snapshot()
    old = Reference.objects.select_related("field").get(pk=reference_id)
    found = material(old.field_id, old.filter_band, config)
    if not found:
        raise StageFailure(
            FailureCode.WAITING_FOR_REFERENCE,
            f"There are too few frames in {old.filter_band} from before the newest night for a new reference.",
        )
    made_reference(ReferenceChoice(old.field, old.filter_band, tuple(run.observation for run in found)), config)
