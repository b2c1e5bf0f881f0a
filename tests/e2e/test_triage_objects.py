"""Triage by object: the strip of epochs, one key for all of them, one undo."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from curation.models import ValidationEvent
from detection.models import Detection
from tests.curation.cutouts import cutouts, detection_with_cutouts, store
from tests.factories import SourceFactory, TrackletFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]


def object_of(*scores: float) -> list[Detection]:
    """Return the detections of one source, each in a frame of its own, by time."""
    source = SourceFactory()
    rows = [detection_with_cutouts(source=source, confidence_score=score) for score in scores]
    for number, row in enumerate(rows):
        store(row, cutouts(number))
        type(row.observation).objects.filter(pk=row.observation_id).update(mjd_utc=60000.0 + number / 100)
    return rows


def test_one_key_answers_for_a_moving_object_and_one_undo_takes_it_back(desk):
    rows = object_of(0.9, 0.95, 0.8, 0.85)
    TrackletFactory(rate_arcsec_per_min=0.36).members.set([row.candidate for row in rows])
    [other] = object_of(0.5)
    one = desk().open()
    assert one.shown() == str(rows[1].pk)
    expect(one.page.locator("#remaining")).to_have_text("2 left")
    expect(one.page.locator("#facts")).to_contain_text("Moving object: 0.36″/min")
    expect(one.page.locator("#strip button.epoch")).to_have_count(4)
    expect(one.page.locator("#covers")).to_have_text("4 of 4 epochs.")
    one.press("3")
    one.saved()
    events = ValidationEvent.objects.all()
    assert {event.detection_id for event in events} == {row.pk for row in rows}
    assert len({event.group for event in events}) == 1
    assert sorted(event.shown for event in events) == ["large", "strip", "strip", "strip"]
    assert set(Detection.objects.exclude(pk=other.pk).values_list("human_label", flat=True)) == {"asteroid"}
    assert one.shown() == str(other.pk)
    one.page.keyboard.press("u")
    one.page.locator(f'main[data-detection-id="{rows[1].pk}"]').wait_for()
    one.saved()
    assert not Detection.objects.exclude(human_label="").exists()
    assert ValidationEvent.objects.filter(kind="withdrawal").count() == 4


def test_the_epochs_are_turned_through_with_a_key_or_pressed_and_the_answer_begins_with_the_one_on_screen(desk):
    rows = object_of(0.9, 0.95, 0.8)
    one = desk().open()
    one.shown()
    one.page.keyboard.press("g")
    one.page.locator(f'main[data-detection-id="{rows[2].pk}"][data-viewer-ready="true"]').wait_for()
    one.page.locator("#strip button.epoch").first.click()
    one.page.locator(f'main[data-detection-id="{rows[0].pk}"][data-viewer-ready="true"]').wait_for()
    one.page.keyboard.press("v")
    one.saved()
    assert {event.detection_id: event.shown for event in ValidationEvent.objects.all()} == {
        rows[0].pk: "large", rows[1].pk: "strip", rows[2].pk: "strip"
    }  # fmt: skip


def test_an_epoch_is_left_out_by_hand_and_comes_again_by_itself(desk):
    rows = object_of(0.9, 0.95, 0.8)
    one = desk().open()
    one.shown()
    one.page.get_by_role("button", name="Leave out").click()
    one.page.locator("#strip button.epoch").last.click()
    expect(one.page.locator("#covers")).to_have_text("2 of 3 epochs.")
    one.page.keyboard.press("x")
    one.saved()
    assert set(ValidationEvent.objects.values_list("detection", flat=True)) == {rows[0].pk, rows[1].pk}
    one.page.reload()
    assert one.shown() == str(rows[2].pk)
    expect(one.page.locator("#strip button.epoch")).to_have_count(3)
    expect(one.page.locator("[data-said]")).to_contain_text("bogus (medium), 2 epochs")


def test_an_epoch_whose_images_are_gone_is_left_out_and_said_to_be(desk):
    rows = object_of(0.9, 0.95, 0.8)
    Detection.objects.filter(pk=rows[2].pk).update(cutouts_path="cutouts/gone.npy")
    one = desk().open()
    one.shown()
    expect(one.page.locator("#covers")).to_have_text("2 of 3 epochs. Without images: 1 left out.")
    one.press("v")
    one.saved()
    assert set(ValidationEvent.objects.values_list("detection", flat=True)) == {rows[0].pk, rows[1].pk}


def test_single_detections_are_answered_one_by_one_where_that_is_asked_for(desk):
    rows = object_of(0.9, 0.95)
    one = desk().open("?by=detection")
    assert one.press("v") == [str(rows[1].pk)]
    one.saved()
    assert ValidationEvent.objects.get().group is None
    assert one.shown() == str(rows[0].pk)


def test_of_an_object_that_one_looks_at_nobody_else_is_given_another_epoch(desk):
    object_of(0.9, 0.95)
    one, other = desk().open(), desk().open()
    one.shown()
    expect(other.page.locator("#empty-title")).to_have_text("Others are reviewing the rest.")
