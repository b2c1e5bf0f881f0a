"""The page of a model's threshold: what is in force, what another would have meant, and who may choose."""

from __future__ import annotations

import numpy as np
import pytest
from django.urls import reverse

from catalog.configuration.values import set_value, snapshot
from catalog.models import AuditLog, ProcessingJob
from catalog.people.audit import MACHINE
from curation.rates import stage
from curation.rates.last_week import last_week
from tests import factories
from tests.browsers import client_of
from tests.curation.rates.nights import answered_night, scores_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def model():
    return factories.ModelFactory(is_active=True)


def page(role, model, **asked):
    return client_of(role).get(reverse("curation:threshold", args=[model.pk]), asked)


def choose(role, model, **asked):
    return client_of(role).post(reverse("curation:choose_threshold", args=[model.pk]), {"reason": "Too many.", **asked})


def test_last_week_is_counted_at_each_threshold_and_by_what_people_said(model):
    scores, is_real = np.array([0.9, 0.7, 0.6, 0.2, 0.95]), np.array([False, False, False, False, True])
    answered_night(model, scores, is_real, 2, share=1.0)
    answered_night(model, scores, is_real, 20, share=1.0)
    now, tried = last_week(model, (0.5, 0.8)).meant
    assert (now.shown, now.shown_real, now.shown_false) == (4, 1, 3)
    assert (now.hidden, now.hidden_real, now.hidden_false) == (1, 0, 1)
    assert (tried.shown, tried.shown_false, tried.hidden, tried.hidden_false) == (2, 1, 3, 3)


def test_a_model_that_has_scored_nothing_has_no_last_week(model):
    assert last_week(model, (0.5,)) is None
    assert "has not scored anything yet" in page("viewer", model).content.decode()


def test_a_rate_is_tried_without_being_kept(model):
    rng = np.random.default_rng(3)
    for k in range(6):
        answered_night(model, *scores_of(rng, 400, 20), 6 - k)
    stage.run(str(model.pk))
    answer = page("viewer", model, by="false_positive_rate", rate="5", score="")
    tried = answer.context["asked"]
    assert tried.threshold == pytest.approx(tried.found.threshold)
    assert [one.threshold for one in answer.context["week"].meant] == [0.5, tried.threshold]
    assert "By the answers it is a score of" in answer.content.decode()
    assert snapshot()["detection.threshold_by"] == "score"
    assert "Administrators choose" in answer.content.decode()


def test_what_is_not_known_yet_is_said(model):
    text = page("viewer", model, by="false_positive_rate", rate="1", score="").content.decode()
    assert "Too few answers yet" in text
    assert "detection.hidden_share" in text
    assert "nan" not in text.lower().replace("tenant", "")


def test_an_administrator_chooses_with_a_line_in_the_log_and_a_calibration_follows(model):
    assert choose("administrator", model, by="false_positive_rate", rate="2.5", score="").status_code == 302
    config = snapshot()
    assert (config["detection.threshold_by"], config["detection.asked_rate"]) == ("false_positive_rate", 0.025)
    assert config["detection.confidence_threshold"] == 0.5
    changed = AuditLog.objects.filter(action="set_configuration").values_list("change_summary", flat=True)
    assert any("detection.asked_rate: 0.01 → 0.025" in line for line in changed)
    assert ProcessingJob.objects.filter(job_type="recalibrate", entity_id=str(model.pk)).count() == 1
    assert choose("administrator", model, by="score", rate="", score="0.7").status_code == 302
    assert snapshot()["detection.confidence_threshold"] == 0.7


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"by": "false_positive_rate", "rate": "", "score": "0.5"}, "Give the share"),
        ({"by": "false_positive_rate", "rate": "90", "score": ""}, "less than or equal to 50"),
        ({"by": "missed_rate", "rate": "x", "score": ""}, "Enter a number"),
        ({"by": "score", "rate": "1", "score": ""}, "Give the score"),
        ({"by": "score", "rate": "1", "score": "nan"}, "Enter a number"),
        ({"by": "luck", "rate": "1", "score": "0.5"}, "luck"),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_words(model, asked, said):
    answer = choose("administrator", model, **asked)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert snapshot()["detection.threshold_by"] == "score"
    assert said in page("viewer", model, **asked).content.decode()


def test_only_administrators_choose_and_operators_calibrate(model):
    assert choose("operator", model, by="score", score="0.7").status_code == 403
    address = reverse("curation:recalibrate", args=[model.pk])
    assert client_of("curator").post(address).status_code == 403
    assert client_of("operator").post(address).status_code == 302
    assert ProcessingJob.objects.filter(job_type="recalibrate").count() == 1


def test_who_judges_blind_is_shown_no_answers_of_others(model):
    answered_night(model, np.array([0.9, 0.2]), np.array([True, False]), 2, share=1.0)
    stage.run(str(model.pk))
    set_value("curation.blind", True, MACHINE)
    text = page("curator", model).content.decode()
    assert "Shown: real" not in text
    assert "Rates by threshold" not in text
    assert "Automatic alerts" not in text
    assert "Shown: real" in page("viewer", model).content.decode()
