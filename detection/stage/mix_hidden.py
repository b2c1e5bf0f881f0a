"""Draw some of what the model hides for review, unmarked among the detections: what it misses is measured so."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import compress

from catalog.configuration.values import snapshot
from catalog.work import jobs
from detection.below_cut.promotion import against_the_model, rejected
from detection.models import CandidateScore, Detection, DetectionOrigin, ModelRun, ModelType
from detection.numerics.mixture import STRATA, draw, places
from detection.sources.telling import tell_types
from detection.stage.disagreement import note_disagreement
from detection.stage.ranking import rank
from detection.thresholds.in_force import of_run
from differencing.ids import field_and_night
from differencing.models import Candidate
from observations.models import Observation

SHARE = "detection.hidden_share"
_REASON = "It was drawn at random from what the model or a veto had rejected."


def run(key: str) -> None:
    """Draw from what is hidden in the frames of "<field id>/<date>" from which nothing was drawn yet.

    A frame that was compared or scored anew, by another model or another subtraction, is drawn from anew. A repeat
    does nothing: what the runs of the model keep is the draw, with its seed.
    """
    field_id, night = field_and_night(key)
    config = snapshot()
    with jobs.writing(last=True):
        share = config[SHARE]
        if not share:
            return
        runs = ModelRun.objects.completed().select_for_update().filter(
            model__is_active=True, model__model_type=ModelType.CLASSIFIER, is_shadow=False, hidden_draw__isnull=True,
            observation__field=field_id, observation__night=night,
        )  # fmt: skip
        rows = list(runs.order_by("pk"))
        if rows:
            _mix(rows, share, min(map(of_run, rows)), secrets.randbits(48))


def _mix(runs: Sequence[ModelRun], share: float, least: float, seed: int) -> None:
    """Draw from all of these runs together, and keep with each how that was done."""
    hidden = list(
        rejected(CandidateScore.objects.filter(model_run__in=runs))
        .select_related("candidate", "model", "model_run")
        .order_by("candidate")
    )
    kinds = [_stratum_of(row) for row in hidden]
    drawn = draw(kinds, len(STRATA), share, seed)
    shown = Detection.objects.filter(model_run__in=runs, origin=DetectionOrigin.PIPELINE)
    scores = list(shown.order_by("confidence_score").values_list("confidence_score", flat=True))
    at = places(scores, least, drawn.indices.size, seed)
    Detection.objects.bulk_create(
        against_the_model(
            hidden[k], DetectionOrigin.SAMPLED, _REASON,
            drawn_score=float(place), inclusion_probability=float(drawn.probabilities[kinds[k]]),
        )
        for k, place in zip(drawn.indices, at, strict=True)
    )  # fmt: skip
    chosen = {hidden[k].pk for k in drawn.indices}
    for observation in Observation.objects.filter(model_runs__in=runs).distinct():
        rank(observation)
        tell_types(observation)
        note_disagreement(observation)
    for run_ in runs:
        own = [(row.pk in chosen, kind) for row, kind in zip(hidden, kinds, strict=True) if row.model_run_id == run_.pk]
        run_.hidden_draw = {
            "seed": seed,
            "share": share,
            "strata": [
                {
                    "stratum": stratum.name,
                    "hidden": sum(kind == k for _, kind in own),
                    "drawn": sum(is_chosen and kind == k for is_chosen, kind in own),
                    "probability": float(drawn.probabilities[k]),
                }
                for k, stratum in enumerate(STRATA)
            ],
        }
        run_.save(update_fields=["hidden_draw", "updated_at"])


def _stratum_of(row: CandidateScore) -> int:
    candidate: Candidate = row.candidate
    is_vetoed = bool(candidate.vetoes or candidate.is_reference_ghost or candidate.is_dipole)
    holding = (stratum.holds(row.score, is_vetoed=is_vetoed) for stratum in STRATA)
    return next(compress(range(len(STRATA)), holding))
