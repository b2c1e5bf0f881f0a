"""Why a detection has its score, over triage: words, what is most alike, and a trace in the answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from curation.models import ValidationEvent
from tests.curation.why.alike import answered, scored
from tests.factories import ModelFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]


def test_one_key_opens_and_closes_why_and_the_answer_says_that_it_was_seen(desk):
    model = ModelFactory(name="realbogus", version="2", training_dataset="64 simulated pairs")
    row = scored(model, 0.0, confidence_score=0.97, predicted_type="transient")
    for place, is_valid, label in (
        (1.0, True, "supernova_candidate"),
        (4.0, True, ""),
        (3.0, False, "cosmic_ray"),
        (9.0, False, ""),
    ):
        answered(model, place, is_valid, label=label)
    one = desk().open()
    assert one.shown() == str(row.pk)
    dialog = one.page.get_by_role("dialog", name="Why")
    one.page.keyboard.press(";")
    expect(dialog.get_by_text("about 97 were")).to_be_visible()
    expect(dialog.get_by_role("region", name="Real").get_by_role("link")).to_have_count(2)
    expect(dialog.get_by_role("region", name="Bogus").get_by_role("link")).to_have_count(2)
    one.page.keyboard.press(";")
    expect(dialog).to_be_hidden()
    one.page.keyboard.press("v")
    one.saved()
    event = ValidationEvent.objects.get(detection=row)
    assert (event.is_valid, event.visible_context["saw_why"]) == (True, True)


def test_an_answer_without_it_says_nothing_of_it(desk):
    model = ModelFactory()
    row = scored(model, 0.0)
    one = desk().open()
    one.shown()
    one.page.keyboard.press("x")
    one.saved()
    assert "saw_why" not in ValidationEvent.objects.get(detection=row).visible_context
