"""What became of each image of a delivered file, as its row keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.json_classes import as_json, read_as
from observations.delivery.ingest import IngestResult
from observations.models import IncomingFile


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
