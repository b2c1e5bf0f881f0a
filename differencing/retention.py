"""How long images of subtractions and candidates are kept, and which frames references are made of."""

from __future__ import annotations

from catalog.retention.rules import FileRule, Keep, RowRule
from observations.retention import jobs_of_frame


def in_a_reference(observation: str) -> Keep:
    """Return that frames of references stay; `observation` is SQL for the frame's key."""
    return Keep(
        "it is in a reference",
        f"EXISTS (SELECT 1 FROM differencing_reference_members member WHERE member.observation_id = {observation}) "  # noqa: S608
        f"OR EXISTS (SELECT 1 FROM differencing_reference r WHERE r.best_member_id = {observation})",
    )


DIFFERENCES = FileRule(
    name="images of subtractions",
    told="The images were",
    key="retention.difference_days",
    entity_type="differencerun",
    table="differencing_differencerun",
    joins="JOIN observations_observation frame ON frame.id = line.observation_id",
    paths=("difference_image_path", "significance_map_path", "reference_aligned_path"),
    made_of_them=("previews/differences/{}",),
    written_at="line.completed_at",
    only="line.status = 'completed'",
    keeps=(
        Keep("it is not searched yet", "frame.status IN ('preprocessing', 'preprocessed', 'differencing')"),
        jobs_of_frame("frame"),
    ),
)

CANDIDATES = RowRule(
    name="candidates",
    key="retention.candidate_days",
    # The calibration of scores looks at all candidates of the nights before.
    at_least="detection.calibration_days",
    table="differencing_candidate",
    written_at="line.created_at",
    only="line.status IN ('pending', 'rejected', 'duplicate')",
    keeps=(
        Keep(
            "it is in a tracklet",
            "EXISTS (SELECT 1 FROM differencing_tracklet_members m WHERE m.candidate_id = line.id)",
        ),
        Keep("it was injected", "line.is_injected"),
        # Asked for with each detection near it.
        Keep("it tells what of a reference has moved", "line.is_reference_ghost"),
    ),
)
