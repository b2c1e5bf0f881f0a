"""How long raw frames are kept. Calibration frames stay: masters are made of them again."""

from __future__ import annotations

from catalog.retention.rules import FileRule, Keep, at_work

# Of a row that names its observation: what jobs of its frame, its night and its field are about.
JOBS_OF_FRAME = at_work(
    "line.id::text", "line.night::text", "line.field_id::text", "line.field_id || '/' || line.night"
)

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
        JOBS_OF_FRAME,
    ),
)
