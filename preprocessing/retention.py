"""How long calibrated frames are kept, and which raw frames masters are made of."""

from __future__ import annotations

from catalog.retention.rules import FileRule, Keep
from observations.retention import jobs_of_frame

PROCESSED = FileRule(
    name="calibrated frames",
    told="The calibrated frame was",
    key="retention.processed_days",
    entity_type="preprocessrun",
    table="preprocessing_preprocessrun",
    joins="JOIN observations_observation frame ON frame.id = line.observation_id",
    paths=("processed_fits_path",),
    written_at="line.completed_at",
    only="line.status = 'completed'",
    keeps=(
        Keep("it is not subtracted yet", "frame.status IN ('preprocessing', 'preprocessed', 'differencing')"),
        Keep("its field is placed by it", "EXISTS (SELECT 1 FROM observations_field f WHERE f.anchor_id = frame.id)"),
        jobs_of_frame("frame"),
    ),
)

# A sky flat is made of lights.
IN_A_MASTER = Keep(
    "it is in a master",
    "EXISTS (SELECT 1 FROM preprocessing_calibrationmaster_light_members member WHERE member.observation_id = line.id)",
)
