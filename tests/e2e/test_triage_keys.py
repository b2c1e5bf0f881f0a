"""Triage by key beyond the verdict: grades, tags, putting off, second opinions, reasons, frames, keys of one's own."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from curation.models import Deferral, TriageSettings, ValidationEvent
from detection.models import Detection
from tests.e2e.desks import detections

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]


def test_grades_and_tags_go_with_one_answer_and_not_with_the_next(desk):
    rows = detections(2)
    one = desk().open()
    one.shown()
    for key in "aah":
        one.page.keyboard.press(key)
    expect(one.page.locator("#image-quality")).to_have_accessible_name("Image quality: fair a")
    one.page.keyboard.press("t")
    one.page.keyboard.type("trail, double")
    one.page.keyboard.press("Enter")
    one.press("v", "v")
    one.saved()
    first, second = (ValidationEvent.objects.get(detection=row) for row in rows)
    assert (first.tags, first.image_quality, first.detection_quality) == (["trail", "double"], "fair", "poor")
    assert (second.tags, second.image_quality, second.detection_quality) == ([], "", "")


def test_what_is_put_off_or_passed_on_is_gone_until_it_is_undone(desk):
    rows = detections(3)
    one = desk().open()
    assert one.shown() == str(rows[0].pk)
    one.page.keyboard.press("z")
    one.page.keyboard.press("3")
    one.page.locator(f'main[data-detection-id="{rows[1].pk}"][data-viewer-ready="true"]').wait_for()
    one.press("f")
    one.saved()
    assert one.shown() == str(rows[2].pk)
    expect(one.page.locator("#remaining")).to_have_text("1 left")
    assert set(Deferral.objects.values_list("detection", "kind")) == {(rows[0].pk, "snooze"), (rows[1].pk, "opinion")}
    one.page.keyboard.press("u")
    one.page.locator(f'main[data-detection-id="{rows[1].pk}"][data-viewer-ready="true"]').wait_for()
    expect(one.page.locator("#remaining")).to_have_text("2 left")
    one.saved()
    assert Deferral.objects.get(ended_at__isnull=True).detection_id == rows[0].pk


def test_a_whole_frame_is_rejected_with_two_keys_and_one_undo_brings_it_back(desk):
    rows = detections(4)
    one = desk().open()
    one.shown()
    one.page.keyboard.press("y")
    expect(one.page.locator("#reject-frame")).to_contain_text("4 detections of 4 objects will be called bogus")
    one.page.keyboard.press("v")
    assert not ValidationEvent.objects.exists(), "keys of triage are silent behind the question"
    one.page.keyboard.press("Enter")
    expect(one.page.locator("#empty-title")).to_have_text("Nothing is left to review.")
    assert set(Detection.objects.values_list("status", flat=True)) == {"rejected"}
    one.page.keyboard.press("u")
    one.page.locator(f'main[data-detection-id="{rows[0].pk}"][data-viewer-ready="true"]').wait_for()
    assert not Detection.objects.filter(status="rejected").exists()


def test_who_wants_to_is_asked_why_with_keys_of_their_own(desk):
    detections(2)
    one = desk()
    TriageSettings.objects.create(person=one.user, keys={"bogus": ";"}, asks_for_reason=True)
    one.open()
    one.shown()
    one.page.keyboard.press(";")
    expect(one.page.locator("#chooser")).to_contain_text("Bogus: why?")
    one.page.keyboard.press("2")
    one.saved()
    event = ValidationEvent.objects.get()
    assert (event.is_valid, bool(event.label)) == (False, True)
    one.shown()
    one.page.keyboard.press(";")
    one.page.keyboard.press(";")
    one.saved()
    assert ValidationEvent.objects.order_by("-created_at")[0].label == ""
