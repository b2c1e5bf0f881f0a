"""Alerts by a score alone stay off until people's answers have shown how many are false."""

from __future__ import annotations

import pytest
from django.urls import reverse

from catalog.configuration.values import set_value, snapshot
from catalog.people.audit import MACHINE
from curation.alerts.automatic import automatic
from curation.rates import stage
from detection.models import Calibration, CandidateScore, Detection, Model
from tests import factories
from tests.browsers import client_of
from tests.curation.looks import consider, judge, seen

pytestmark = pytest.mark.django_db


@pytest.fixture
def model():
    return factories.ModelFactory(is_active=True)


def known(model, **more) -> None:
    given = {"automatic_objects": 59, "automatic_false": 0, "automatic_false_high": 0.0495} | more
    factories.CalibrationFactory(model=model, **given)


def test_nothing_is_automatic_before_anything_is_known(model):
    found = automatic(snapshot())
    assert (found.is_on, found.lacking) == (False, 59)
    assert "59 objects" in found.why


def test_fifty_nine_right_ones_of_three_nights_are_enough(model):
    known(model)
    assert automatic(snapshot()).model == model


def test_two_nights_are_not(model):
    known(model, automatic_nights=2)
    found = automatic(snapshot())
    assert not found.is_on
    assert "1 more must be reviewed" in found.why


@pytest.mark.parametrize(
    ("objects", "false", "high", "said"),
    [(40, 0, 0.072, "About 19 more"), (100, 3, 0.076, "more must be reviewed"), (130, 25, 0.26, "Too many")],
)
def test_what_is_not_certain_enough_says_how_many_lack(model, objects, false, high, said):
    known(model, automatic_objects=objects, automatic_false=false, automatic_false_high=high)
    found = automatic(snapshot())
    assert not found.is_on
    assert said in found.why


def test_other_conditions_than_those_that_were_measured_are_unknown_again(model):
    known(model)
    set_value("alerts.automatic_threshold", 0.95, MACHINE)
    assert not automatic(snapshot()).is_on


def test_another_model_is_unknown_again_and_raises_nothing(model):
    known(model)
    row = seen(model=model)
    assert consider(row.source) == ["new"]
    Model.objects.filter(pk=model.pk).update(is_active=False)
    other = factories.ModelFactory(is_active=True)
    assert consider(seen(model=other).source) == []
    assert other.version in automatic(snapshot()).why


def test_scores_of_a_model_that_is_not_in_use_any_more_raise_nothing(model):
    known(model)
    former = factories.ModelFactory()
    assert consider(seen(model=former).source) == []


def test_what_people_judge_real_is_told_all_the_same(model):
    row = seen(model=model)
    assert consider(row.source) == []
    judge(row, True)
    assert consider(row.source) == ["new"]


def test_objects_are_counted_once_by_their_first_detection_and_dim_ones_not_at_all(model):
    first = seen(model=model)
    rows = [first, seen(first.source, days=1.0, model=model), seen(days=2.0, model=model), seen(snr=5.0, model=model)]
    for row in rows:
        CandidateScore.objects.create(
            candidate=row.candidate, model=model, model_run=row.model_run, score=0.999,
            weights_sha256=model.weights_sha256,
        )  # fmt: skip
    judge(rows[0], True)
    judge(rows[1], False)
    judge(rows[2], False)
    judge(rows[3], False)
    stage.run(str(model.pk))
    found = Calibration.objects.get()
    assert (found.automatic_objects, found.automatic_false, found.automatic_nights) == (2, 1, 2)
    assert Detection.objects.filter(status="rejected").count() == 3


def test_the_first_page_and_the_alerts_say_why(model):
    for name in ("home", "curation:alerts"):
        text = client_of("viewer").get(reverse(name)).content.decode()
        assert "No alert is automatic." in text
        assert "59 objects" in text
    known(model)
    assert "No alert is automatic." not in client_of("viewer").get(reverse("home")).content.decode()
