"""A person brings before curators what the model has rejected; no stage takes that back."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from catalog.models import AuditLog, ProcessingJob
from catalog.people import audit
from curation.models import Alert
from detection.below_cut.promotion import PromotionRefused, promote, rejected
from detection.cutouts.pictures import path_of
from detection.models import CandidateScore, Detection, Model
from differencing.models import Candidate
from tests.clients import account
from tests.curation.looks import judge
from tests.factories import CandidateFactory, CandidateScoreFactory, DetectionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def candidate() -> Candidate:
    return CandidateScoreFactory(candidate__status="rejected", score=0.2).candidate


def test_a_promoted_candidate_awaits_review_with_its_score_and_no_source(candidate):
    user = UserFactory(username="ada")
    [row] = promote([candidate.pk], account("expert"), audit.Actor(user))
    row = Detection.objects.get(pk=row.pk)
    assert (row.status, row.origin, row.confidence_score, row.source) == ("pending", "promoted", 0.2, None)
    assert row.cutouts_path == path_of(candidate.observation_id, candidate.pk)
    assert (row.ra, row.pixel_x) == (candidate.ra, candidate.pixel_x)
    assert AuditLog.objects.get(action="promoted").user == "ada"
    candidate.refresh_from_db()
    assert candidate.status == "rejected", "what the model said stays"


def test_it_is_said_at_once_what_a_promoted_candidate_is_taken_for():
    scored = CandidateScoreFactory(
        candidate__status="rejected", score=0.2, p_supernova=0.1, p_variable=0.8, p_transient=0.1
    )
    [row] = promote([scored.candidate_id], account("expert"), audit.MACHINE)
    row = Detection.objects.get(pk=row.pk)
    assert row.predicted_type == "variable"
    assert "stamp" in row.prediction_metadata["type_reason"]
    assert row.prediction_metadata["reason"], "why it is there stays"


def test_what_is_a_detection_already_is_left_as_it_is(candidate):
    known = DetectionFactory()
    rows = promote([known.candidate_id, candidate.pk], account("expert"), audit.MACHINE)
    assert {row.origin for row in rows} == {"pipeline", "promoted"}
    assert promote([candidate.pk], account("expert"), audit.MACHINE)[0].pk in {row.pk for row in rows}
    assert Detection.objects.count() == 2


def test_of_several_one_of_which_is_gone_or_has_no_score_none_is_promoted(candidate):
    for other in (uuid4(), CandidateFactory(status="rejected").pk):
        with pytest.raises(PromotionRefused):
            promote([candidate.pk, other], account("expert"), audit.MACHINE)
    assert not Detection.objects.exists()


def test_only_what_is_rejected_and_was_not_promoted_is_listed(candidate):
    Model.objects.update(is_active=True, model_path="models/a.pt", weights_sha256="a" * 64)
    CandidateScoreFactory(candidate__status="detected", model_run__model=Model.objects.get())
    assert [row.candidate for row in rejected(CandidateScore.objects.all())] == [candidate]
    promote([candidate.pk], account("expert"), audit.MACHINE)
    assert not rejected(CandidateScore.objects.all()).exists()


def test_what_is_promoted_has_a_candidate(candidate):
    [row] = promote([candidate.pk], account("expert"), audit.MACHINE)
    with pytest.raises(IntegrityError, match="origin_and_candidate"), transaction.atomic():
        Detection.objects.filter(pk=row.pk).update(candidate=None)


def test_called_real_it_is_joined_to_a_source_by_the_stage_that_does_so(candidate):
    [row] = promote([candidate.pk], account("expert"), audit.MACHINE)
    judge(row, False)
    assert not ProcessingJob.objects.filter(job_type="detect").exists()
    judge(row, True, level="expert")
    job = ProcessingJob.objects.get(job_type="detect")
    assert job.entity_id == str(candidate.observation_id)
    assert not Alert.objects.exists()
