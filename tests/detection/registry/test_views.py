"""The pages of models."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.browsers import client_of
from tests.factories import ModelFactory, ModelRunFactory

pytestmark = pytest.mark.django_db


def test_the_model_in_use_comes_first_and_a_missing_figure_is_missing():
    ModelFactory(name="a-old", version="1", precision=0.5)
    used = ModelFactory(name="z-new", version="2", is_active=True, precision=None)
    answer = client_of("viewer").get(reverse("detection:models"))
    assert [row.name for row in answer.context["models"]] == ["z-new", "a-old"]
    text = answer.content.decode()
    assert "0.500" in text
    assert "None" not in text
    assert reverse("detection:model", args=[used.pk]) in text


def test_a_model_shows_its_weights_and_its_latest_inferences():
    run = ModelRunFactory(total_predictions=7)
    text = client_of("viewer").get(reverse("detection:model", args=[run.model.pk])).content.decode()
    assert run.model.weights_sha256 in text
    assert reverse("observations:observation", args=[run.observation_id]) in text


def test_only_administrators_are_led_to_where_models_are_put_to_use():
    row = ModelFactory()
    link = reverse("admin:detection_model_change", args=[row.pk])
    address = reverse("detection:model", args=[row.pk])
    assert link not in client_of("operator").get(address).content.decode()
    assert link in client_of("administrator").get(address).content.decode()
