"""Where two versions of a model do not agree about a detection."""

from __future__ import annotations

from detection.models import CandidateScore, Detection, DetectionStatus
from observations.models import Observation


def note_disagreement(observation: Observation) -> None:
    """Note with the detections of a frame that await review how far another version's score is from their own.

    Of several others the one that scored last counts; where there is none, nothing is known. Whoever scores candidates
    by another model calls this afterwards.
    """
    waiting = Detection.objects.filter(observation=observation, status=DetectionStatus.PENDING)
    rows = list(waiting.select_related("model_run__model").order_by("pk"))
    said: dict[object, list[CandidateScore]] = {}
    scores = CandidateScore.objects.filter(candidate__in=[row.candidate_id for row in rows if row.candidate_id])
    for score in scores.select_related("model").defer("features").order_by("created_at", "id"):
        said.setdefault(score.candidate_id, []).append(score)
    changed = []
    for row in rows:
        own = row.model_run.model
        others = [
            score.score
            for score in said.get(row.candidate_id, ())
            if score.model_id != own.pk and score.model.model_type == own.model_type
        ]
        apart = abs(others[-1] - row.confidence_score) if others else None
        if row.disagreement != apart:
            row.disagreement = apart
            changed.append(row)
    Detection.objects.bulk_update(changed, ["disagreement"])
