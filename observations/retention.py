"""How long raw frames are kept. Calibration frames stay: masters are made of them again."""

from __future__ import annotations

from catalog.retention.rules import FileRule, Keep, at_work


def jobs_of_frame(frame: str) -> Keep:
    """Return that what jobs of a frame, its night or its field are about stays; `frame` is an alias of its table."""
    return at_work(
        f"{frame}.id::text", f"{frame}.night::text", f"{frame}.field_id::text",
        f"{frame}.field_id || '/' || {frame}.night",
    )  # fmt: skip


RAW = FileRule(
    name="raw frames",
    told="The raw file was",
    key="retention.raw_days",
    entity_type="observation",
    table="observations_observation",
    paths=("fits_file_path",),
    also_named=(("observations_calibrationframe", "fits_file_path"),),
    written_at="line.created_at",
    keeps=(
        Keep("it is not processed yet", "line.status IN ('ingested', 'preprocessing', 'preprocessed', 'differencing')"),
        Keep("its field is placed by it", "EXISTS (SELECT 1 FROM observations_field f WHERE f.anchor_id = line.id)"),
        jobs_of_frame("line"),
    ),
)
