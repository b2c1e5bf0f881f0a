"""Training as a job: a registered, inactive model, the log of its making, and no second version of one name."""

from __future__ import annotations

from functools import partial

import pytest
from django.core.management import CommandError, call_command

from catalog.models import JobStatus, ProcessingJob
from catalog.work import jobs
from detection.models import Model
from detection.stage import retrain
from detection.stage.training import Order
from tests.factories import ModelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(retrain, "Order", partial(Order, pairs=4, epochs=1))


def train() -> ProcessingJob:
    """Do the waiting job as the training worker does."""
    held = jobs.claim_next(["train"], "me")
    assert held is not None
    jobs.do(held)
    held.refresh_from_db()
    return held


def test_an_ordered_training_ends_in_the_registry_and_scores_nothing_yet(empty_data_root):
    call_command("train_model", "--queue", "--name", "mine", "--model-version", "7")
    job = train()
    assert job.status == JobStatus.COMPLETED
    model = Model.objects.get(name="mine", version="7")
    assert not model.is_active
    assert (empty_data_root / model.model_path).is_file()
    assert "epoch 1" in job.attempts.get().log


def test_a_version_that_is_taken_is_refused_in_words(empty_data_root):
    ModelFactory(name="mine", version="7")
    with pytest.raises(CommandError, match="another version"):
        call_command("train_model", "--queue", "--name", "mine", "--model-version", "7")
    jobs.enqueue("train", "model", "mine 7")  # or taken after it was ordered
    job = train()
    assert job.status == JobStatus.FAILED
    assert "another version" in job.error_message
