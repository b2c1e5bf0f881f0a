"""How long cutouts are kept, and what detections keep: their candidates."""

from __future__ import annotations

from catalog.retention.rules import FileRule, Keep
from observations.retention import jobs_of_frame

CUTOUTS = FileRule(
    name="cutouts",
    told="The cutouts were",
    key="retention.cutouts_days",
    entity_type="detection",
    table="detection_detection",
    joins="JOIN detection_modelrun run ON run.id = line.model_run_id",
    paths=("cutouts_path",),
    made_of_them=("previews/context/{}",),
    written_at="coalesce(run.completed_at, line.created_at)",
    keeps=(
        Keep("it awaits review", "line.status IN ('pending', 'validating')"),
        Keep("it was injected", "line.is_injected"),
    ),
)

TRAILS = FileRule(
    name="maps of trails",
    told="The maps of trails were",
    key="retention.difference_days",
    entity_type="modelrun",
    table="detection_modelrun",
    joins="JOIN observations_observation frame ON frame.id = line.observation_id",
    paths=("output_mask_path", "confidence_map_path"),
    written_at="line.completed_at",
    only="line.status = 'completed'",
    keeps=(
        Keep("it is not searched yet", "frame.status IN ('preprocessing', 'preprocessed', 'differencing')"),
        jobs_of_frame("frame"),
    ),
)

IS_DETECTION = Keep("it is a detection", "EXISTS (SELECT 1 FROM detection_detection d WHERE d.candidate_id = line.id)")
# What a candidate leaves behind.
OF_CANDIDATES = (("detection_candidatescore", "candidate_id"),)
