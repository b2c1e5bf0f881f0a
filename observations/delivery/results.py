"""What became of each image of a delivered file, as its row keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from catalog.hiding import hidden_from
from catalog.json_classes import as_json, read_as
from catalog.models import Visitor
from observations.delivery.ingest import IngestResult
from observations.models import IncomingFile, Observation


@dataclass(frozen=True)
class ImageResult:
    """What became of one image: the row that it is now, or why it was refused; `hdu` is None for a whole file."""

    hdu: int | None
    entity_type: str | None
    entity_id: str | None
    is_new: bool | None
    failure_code: str | None
    error_message: str | None


def written(result: IngestResult) -> object:
    """Return one line of `IncomingFile.results`."""
    return as_json(
        ImageResult(
            hdu=result.hdu_index,
            entity_type=result.entity_type,
            entity_id=str(result.entity_id) if result.entity_id else None,
            is_new=result.is_new,
            failure_code=result.failure_code,
            error_message=result.error_message,
        )
    )


def results_of(row: IncomingFile) -> list[ImageResult]:
    """Return the lines of a row, also those that former versions wrote."""
    return [read_as(ImageResult, line) for line in row.results]


def results_shown(row: IncomingFile, user: Visitor) -> list[ImageResult]:
    """Return the lines of a row without the keys of frames that are hidden from a person: their file was known."""
    lines = results_of(row)
    keys = {line.entity_id for line in lines if line.entity_type == "observation" and line.entity_id}
    if not keys or not hidden_from(user):
        return lines
    rows = Observation.objects.filter(pk__in=keys).not_hidden_from(user)
    shown = {str(key) for key in rows.values_list("pk", flat=True)}
    return [replace(line, entity_id=None) if line.entity_id in keys - shown else line for line in lines]
