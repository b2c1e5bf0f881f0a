"""Training anew: proposed when enough answers have come, ordered by a button, and told before and after."""

from __future__ import annotations

import datetime as dt
import json
from functools import partial

import pytest
from django.urls import reverse

from catalog.configuration.values import set_value
from catalog.models import AuditLog, JobStatus, ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from curation.labels.proposal import proposal, retrain
from detection.models import DataSet, DetectionStatus, Model
from detection.registry.ordering import Asked, OrderRefused, asked_by
from detection.registry.weights import ensure_default_model
from detection.stage import retrain as stage
from detection.stage.datasets import origins
from detection.stage.training import Order
from observations.models import Observation
from tests.browsers import client_of
from tests.curation.cutouts import detection_with_cutouts
from tests.detection.numerics.gathering import independent
from tests.factories import DataSetFactory, ModelFactory, PreprocessRunFactory, ValidationEventFactory

pytestmark = pytest.mark.django_db


def answered(*, is_valid: bool, seed: int):
    row = detection_with_cutouts(
        seed=seed, status=DetectionStatus.VALIDATED if is_valid else DetectionStatus.REJECTED, is_validated=is_valid
    )
    # Each in a night of its own: what hangs together is not divided.
    Observation.objects.filter(pk=row.observation_id).update(night=dt.date(2024, 3, 1) + dt.timedelta(days=seed))
    PreprocessRunFactory(observation=row.observation, fwhm_px=3.0)
    ValidationEventFactory(detection=row, is_valid=is_valid)
    return row


def test_it_is_due_from_so_many_answers_on_that_the_model_in_use_has_not_learned_from(empty_data_root):
    answered(is_valid=True, seed=1)
    assert not proposal().is_due
    set_value("curation.answers_until_retraining", 1, audit.MACHINE)
    assert proposal().is_due
    ModelFactory(is_active=True, data_set=DataSetFactory(name="answers"))
    assert proposal().answers == 0


def test_the_page_of_models_says_how_many_and_only_an_administrator_is_offered_the_button(empty_data_root):
    answered(is_valid=True, seed=1)
    address = reverse("curation:retraining")
    text = client_of("administrator").get(address).content.decode()
    assert "1 detection" in text
    assert reverse("curation:order_retraining") in text
    assert reverse("curation:order_retraining") not in client_of("curator").get(address).content.decode()
    assert address in client_of("viewer").get(reverse("detection:models")).content.decode()


def test_without_an_answer_nothing_is_ordered(empty_data_root):
    with pytest.raises(OrderRefused, match="Nobody"):
        retrain(audit.MACHINE)
    assert not ProcessingJob.objects.exists()


def test_the_button_ends_in_a_model_of_the_answers_that_is_told_before_and_after(empty_data_root, monkeypatch):
    monkeypatch.setattr(stage, "Order", partial(Order, epochs=1))
    simulated = independent(240)
    monkeypatch.setattr(
        origins, "simulated", lambda pairs, seed, say: origins.Origin(simulated, {"origin": "simulated"})
    )
    before = ensure_default_model()
    for k in range(24):
        answered(is_valid=k % 2 == 0, seed=k)
    answer = client_of("administrator").post(reverse("curation:order_retraining"))
    job = ProcessingJob.objects.get(job_type="train")
    assert answer.headers["Location"] == reverse("catalog:job", args=[job.pk])
    assert AuditLog.objects.filter(action="order_training").exists()
    held = jobs.claim_next(["train"], "me")
    assert held is not None
    jobs.do(held)
    held.refresh_from_db()
    assert held.status == JobStatus.COMPLETED, held.error_message
    data_set = DataSet.objects.get(name="answers")
    assert sum(data_set.manifest["kinds"]["answers"].values()) == 24
    model = Model.objects.get(data_set=data_set)
    assert not model.is_active
    # It goes on from what the shipped model knows, and the few answers are heard among all that is simulated.
    assert str(model.hyperparameters["begins_with"]).startswith(str(before))
    assert float(model.hyperparameters["each_answer_weighs"]) > 3.0
    assert model.report["held_out_answers"]["model_before"] == str(before)
    assert {"found", "falsely_real"} <= set(model.report["held_out_answers"]["before"])
    assert "▁" in job.attempts.get().log
    # It is compared with the one in use before anybody asks.
    assert ProcessingJob.objects.filter(job_type="measure", entity_id=str(model.pk)).exists()
    text = client_of("administrator").get(reverse("detection:model", args=[model.pk])).content.decode()
    assert "held-out answers" in text
    assert "What this says little about" in text


@pytest.mark.parametrize("asked", [Asked("realbogus", "7"), Asked("my own", "7", "answers:20261129-180000")])
def test_what_is_ordered_is_what_the_key_of_the_job_says(asked):
    assert asked_by(asked.key) == asked


def test_the_page_of_a_data_set_leads_to_the_labels_that_are_likely_wrong(empty_data_root):
    row = answered(is_valid=True, seed=3)
    suspect = {"detection": str(row.pk), "is_real": True, "label": "real", "score": 0.01}
    data_set = DataSetFactory(manifest={"suspects": [suspect], "parts": {}, "origins": [{"origin": "answers"}]})
    text = client_of("curator").get(reverse("detection:data_set", args=[data_set.pk])).content.decode()
    assert f"{reverse('curation:triage')}?detection={row.pk}" in text
    assert json.dumps(0.01) in text
