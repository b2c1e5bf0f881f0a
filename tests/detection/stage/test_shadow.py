"""A model in shadow scores the same candidates, decides nothing, and its failure is its own."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from astrid_site.night.foreground import run_stage
from astrid_site.night.stages import STAGES
from catalog.failures import FailureCode
from catalog.files import storage
from catalog.models import JobStatus, ProcessingJob, RunStatus
from detection.models import CandidateScore, Detection, Model, ModelRun
from detection.numerics.infer import Judged
from detection.stage import shadow
from detection.stage.detect import Scored
from differencing.models import CandidateStatus
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]
SCORES = (0.9, np.nan, 0.2)


@pytest.fixture
def difference(monkeypatch):
    """A frame of three candidates that the active model has scored; the shadow gives SCORES."""
    run = factories.DifferenceRunFactory()
    active = factories.ModelFactory(is_active=True)
    scored = factories.ModelRunFactory(model=active, observation=run.observation)
    for k in range(3):
        candidate = factories.CandidateFactory(
            difference_run=run, significance=30.0 - k, pixel_x=100.0 * k, status=CandidateStatus.REJECTED
        )
        factories.CandidateScoreFactory(candidate=candidate, model_run=scored, score=0.4)
    model = factories.ModelFactory(is_shadow=True, weights_sha256=hashlib.sha256(b"weights").hexdigest())
    storage.write_atomically(model.model_path, b"weights")
    judged = Judged(np.array(SCORES), *(np.full(shape, np.nan) for shape in ((3, 3), 3, (3, 48))))
    given = Scored(judged, np.zeros((3, 4, 63, 63), dtype=np.float32), 12.0, 300.0)
    monkeypatch.setattr(shadow, "infer", lambda *_: given)
    return run


def score(difference) -> ProcessingJob:
    run_stage("shadow", "observation", [(difference.observation_id, "frame")], lambda line: None)
    return ProcessingJob.objects.filter(job_type="shadow").latest("created_at")


def test_its_scores_stand_beside_the_active_ones_and_nothing_else_changes(difference):
    assert score(difference).status == JobStatus.COMPLETED
    run = ModelRun.objects.get(is_shadow=True)
    assert (run.status, run.total_predictions, run.threshold) == (RunStatus.COMPLETED, 2, None)
    kept = CandidateScore.objects.filter(model=run.model).order_by("-score").values_list("score", flat=True)
    assert list(kept) == [0.9, 0.2]
    assert CandidateScore.objects.filter(score=0.4).count() == 3
    assert not Detection.objects.exists()
    assert set(difference.candidates.values_list("status", flat=True)) == {CandidateStatus.REJECTED}


@pytest.mark.parametrize("harm", ["missing", "altered"])
def test_missing_or_altered_weights_are_told_by_its_own_job_alone(difference, harm):
    path = Model.objects.get(is_shadow=True).model_path
    storage.remove(path) if harm == "missing" else storage.write_atomically(path, b"others")
    job = score(difference)
    assert job.failure_code == FailureCode.MODEL_MISSING
    assert "missing" in job.error_message if harm == "missing" else "have changed" in job.error_message
    assert ModelRun.objects.get(is_shadow=False).status == RunStatus.COMPLETED
    assert not CandidateScore.objects.exclude(score=0.4).exists()


def test_without_a_shadow_there_is_nothing_to_do(difference):
    Model.objects.update(is_shadow=False)
    assert score(difference).status == JobStatus.COMPLETED
    assert ModelRun.objects.count() == 1


def test_no_stage_waits_for_it():
    assert not [stage.name for stage in STAGES if "shadow" in stage.waits_for]
