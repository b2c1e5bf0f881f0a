"""Score the candidates of one observation by the model in shadow: kept beside the active one's, and nothing follows."""

from __future__ import annotations

from itertools import compress
from uuid import UUID

import numpy as np

from catalog.failures import FailureCode
from catalog.models import RunStatus
from catalog.work import jobs
from detection.models import Model, ModelRun
from detection.registry.shadow import shadow_of
from detection.registry.weights import weights_path
from detection.stage.detect import candidates_in, infer, keep_scores, newest_difference
from detection.stage.disagreement import note_disagreement
from differencing.models import DifferenceRun
from observations.models import Observation


def run(observation_id: UUID | str) -> None:
    """Score the candidates of the observation's newest difference by the shadow, where there is one.

    A job of its own: what fails here is told and holds up nothing. Raises StageFailure `model_missing` where the
    weights are gone or changed.
    """
    model = shadow_of()
    if model is None:
        return
    observation = Observation.objects.get(pk=observation_id)
    difference = newest_difference(observation)
    row = _open(model, observation, difference)
    if row is None:
        return
    candidates = candidates_in(difference)
    scored = infer(observation, difference, candidates, str(weights_path(model)))
    with jobs.writing(last=True):
        # Some may be gone by now: the frame was compared again.
        left = candidates_in(difference)
        by_key = {candidate.pk: candidate for candidate in left}
        chosen = np.array([candidate.pk in by_key for candidate in candidates], dtype=bool)
        judged = scored.judged.select(chosen)
        keep_scores(row, [by_key[candidate.pk] for candidate in compress(candidates, chosen)], judged)
        row.inference_time_ms, row.memory_usage_mb = scored.time_ms, scored.memory_mb
        row.total_predictions = int(np.isfinite(judged.confidence).sum())
        row.complete()
        row.save()
        note_disagreement(observation)


def abandon(observation_id: str, code: FailureCode, sentence: str) -> None:
    """Close the shadow's run that was at work, in the caller's transaction."""
    ModelRun.objects.filter(observation=UUID(str(observation_id)), is_shadow=True).give_up(code, sentence)


@jobs.writing()
def _open(model: Model, observation: Observation, difference: DifferenceRun) -> ModelRun | None:
    """Make or take up the run's row; None where all candidates have its score."""
    row, _ = ModelRun.objects.select_for_update().get_or_create(
        model=model, observation=observation, input_image_path=difference.difference_image_path
    )
    if row.status == RunStatus.COMPLETED and not difference.candidates.exclude(scores__model=model).exists():
        return None
    row.is_shadow, row.config_hash, row.threshold, row.calibration = True, "", None, None
    row.begin()
    row.save()
    return row
