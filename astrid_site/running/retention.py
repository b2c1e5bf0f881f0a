"""The rules of retention, put together: what each app stores, and what the others need of it."""

from __future__ import annotations

from dataclasses import replace

from catalog.retention.rules import Keep, RowRule
from curation.retention import of_detections, of_frames
from detection.retention import CUTOUTS, IS_DETECTION, OF_CANDIDATES, TRAILS
from differencing.retention import CANDIDATES, DIFFERENCES, in_a_reference
from observations.retention import RAW
from preprocessing.retention import IN_A_MASTER, PROCESSED

JOBS = RowRule(
    name="jobs",
    key="retention.job_days",
    table="catalog_processingjob",
    written_at="line.completed_at",
    only="line.status IN ('completed', 'failed', 'cancelled')",
    keeps=(
        # Who delivers the same again is told what became of it.
        Keep("it tells what became of a file", "line.entity_type IN ('incoming_file', 'file')"),
        Keep("its stage has rows to close", "line.needs_abandon"),
    ),
    children=(("catalog_jobattempt", "job_id"),),
)

RULES = (
    RAW.with_keeps(IN_A_MASTER, in_a_reference("line.id"), *of_frames("line.id")),
    PROCESSED.with_keeps(in_a_reference("frame.id"), *of_frames("frame.id")),
    DIFFERENCES.with_keeps(*of_frames("frame.id")),
    TRAILS.with_keeps(*of_frames("frame.id")),
    CUTOUTS.with_keeps(*of_detections()),
    replace(CANDIDATES.with_keeps(IS_DETECTION), children=(*OF_CANDIDATES, *CANDIDATES.children)),
    JOBS,
)
