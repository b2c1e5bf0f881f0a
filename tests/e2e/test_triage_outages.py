"""Triage where the server is away or refuses, images do not come, or the browser has lost something."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from curation.models import LabelDefinition, ValidationEvent
from detection.models import Detection
from tests.e2e.desks import detections, verdicts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]


def test_while_the_server_is_away_answers_wait_and_none_is_lost_or_doubled(desk):
    detections(8)
    one = desk().open()
    one.press("v")
    one.saved()
    one.shown()
    expect(one.page.locator("#remaining")).to_have_text("7 left")
    one.settled()
    one.context.set_offline(True)
    seen = one.press("x", "2")
    one.page.keyboard.press("u")
    expect(one.main).to_have_attribute("data-unsaved", "3")
    expect(one.main).to_have_attribute("data-detection-id", seen[-1])
    expect(one.page.locator("#trouble")).to_contain_text("The server cannot be reached")
    assert ValidationEvent.objects.count() == 1
    one.context.set_offline(False)
    one.saved()
    assert ValidationEvent.objects.count() == 4
    assert verdicts()[seen[0]] == (False, "", "medium")
    assert ValidationEvent.objects.get(kind="withdrawal").detection_id == Detection.objects.get(pk=seen[1]).pk
    assert Detection.objects.get(pk=seen[1]).status == "validating"


def test_answers_that_wait_survive_loading_the_page_again(desk):
    detections(4)
    one = desk().open()
    one.shown()
    asked: list[str] = []

    def accept(dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    one.page.route("**/triage/answers", lambda route: route.abort())
    one.page.on("dialog", accept)
    seen = one.press("v", "x")
    expect(one.main).to_have_attribute("data-unsaved", "2")
    one.page.reload()
    assert asked == ["beforeunload"], "leaving warns"
    expect(one.main).to_have_attribute("data-unsaved", "2")
    one.page.unroute("**/triage/answers")
    one.saved()
    assert {key: said[0] for key, said in verdicts().items()} == {seen[0]: True, seen[1]: False}
    assert one.shown() not in seen


def test_an_answer_whose_receipt_was_lost_is_sent_again_and_counts_once(desk):
    detections(3)
    one = desk().open()
    one.shown()
    lost: list[int] = []

    def lose(route):
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    one.page.route("**/triage/answers", lose)
    one.press("v")
    one.saved()
    assert lost == [201]
    assert ValidationEvent.objects.count() == 1


def test_a_refused_answer_is_set_aside_with_its_reason_and_blocks_no_other(desk):
    detections(5)
    one = desk().open()
    one.shown()
    LabelDefinition.objects.filter(label="variable_star").update(is_active=False)
    refused, taken = one.press("2", "v")
    one.saved()
    assert set(verdicts()) == {taken}
    one.page.get_by_text("1 not accepted").click()
    expect(one.page.locator("#refused-list")).to_contain_text("There is no label 'variable_star'")
    one.page.reload()
    LabelDefinition.objects.filter(label="variable_star").update(is_active=True)
    one.page.get_by_text("1 not accepted").click()
    one.page.get_by_role("button", name="Try again").click()
    expect(one.page.locator("#refused")).to_be_hidden()
    one.saved()
    assert verdicts()[refused] == (True, "variable_star", "medium")


def test_without_its_cutouts_a_detection_says_so_and_is_passed_over_unjudged(desk):
    first, second = detections(2)
    Detection.objects.filter(pk=first.pk).update(cutouts_path="cutouts/gone.npy")
    one = desk().open()
    expect(one.page.get_by_text("The cutouts are no longer stored.").first).to_be_visible()
    expect(one.main).to_have_attribute("data-viewer-ready", "false")
    expect(one.page.locator("#reload")).to_be_hidden()
    one.page.keyboard.press("x")
    expect(one.page.locator("#messages")).to_contain_text("there is nothing to see")
    one.page.get_by_role("button", name="Real").click()
    expect(one.main).to_have_attribute("data-detection-id", str(first.pk))
    one.page.keyboard.press("j")
    assert one.press("x") == [str(second.pk)]
    one.saved()
    assert verdicts() == {str(second.pk): (False, "", "medium")}


def test_while_images_do_not_come_nothing_is_answered_and_they_can_be_loaded_again(desk):
    [row] = detections(1)
    one = desk(has_worker=False)
    one.page.route("**/pixels*", lambda route: route.fulfill(status=503))
    one.open()
    again = one.page.get_by_role("button", name="Load the images again")
    again.wait_for()
    one.page.keyboard.press("v")
    expect(one.page.locator("#messages")).to_contain_text("its images have not loaded. Load them again, or skip it")
    one.page.get_by_role("button", name="Bogus").click()
    one.page.keyboard.press("1")
    expect(one.main).to_have_attribute("data-unsaved", "0")
    with one.page.expect_request("**/pixels*"):
        again.click()
    again.wait_for()
    one.page.unroute("**/pixels*")
    one.page.keyboard.press("l")
    one.shown()
    expect(again).to_be_hidden()
    assert not ValidationEvent.objects.exists()
    one.page.keyboard.press("v")
    one.saved()
    [event] = ValidationEvent.objects.all()
    assert event.detection_id == row.pk
    assert event.visible_context["images"] == ["science", "reference", "difference"]
    assert event.visible_context["stretch"] == "asinh"
    assert event.visible_context["cutouts"]


def test_what_one_said_is_not_said_to_be_all_while_the_server_cannot_tell(desk):
    detections(2)
    one = desk().open()
    one.press("v")
    one.saved()
    one.shown()
    one.settled()
    one.context.set_offline(True)
    one.page.keyboard.press("k")
    said = one.page.locator("#facts [data-said]")
    expect(said).to_contain_text("what others have said meanwhile is not known")
    expect(said).not_to_contain_text("Nobody has answered")
    one.context.set_offline(False)


@pytest.mark.parametrize("damaged", ["null", "{", "17", '{"id": null}'])
def test_a_damaged_entry_is_set_aside_and_blocks_no_answer(desk, damaged: str):
    detections(3)
    one = desk().open()
    one.shown()
    key = f"astrid.answer.{one.user.pk}.0000000000000001.x"
    one.page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, damaged])
    [seen] = one.press("v")
    one.saved()
    assert set(verdicts()) == {seen}
    one.page.get_by_text("1 not accepted").click()
    expect(one.page.locator("#refused-list")).to_contain_text("damaged in this browser's storage")
    one.page.get_by_role("button", name="Discard").click()
    expect(one.page.locator("#refused")).to_be_hidden()


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_page_that_was_never_loaded_says_what_is_kept_while_the_server_is_away_and_comes_back(desk, by_hand: bool):
    detections(8)
    one = desk().open()
    one.shown()
    one.settled()
    one.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    one.page.on("dialog", lambda dialog: dialog.accept())
    one.context.set_offline(True)
    seen = one.press("v", "x")
    one.page.goto(f"{one.address}/triage/?score_min=0.5")
    expect(one.page.get_by_role("heading", name="The server cannot be reached")).to_be_visible()
    expect(one.page.locator("#kept")).to_have_text(
        "2 answers are kept in this browser and will be sent as soon as the server answers."
    )
    assert one.user.username not in one.page.content()
    if by_hand:
        # Else the page would come back by itself, maybe while the button is pressed.
        one.page.route(
            "**/triage/?*", lambda route: route.abort() if route.request.method == "HEAD" else route.continue_()
        )
    one.context.set_offline(False)
    if by_hand:
        one.page.get_by_role("button", name="Try again now").click()
    one.shown()
    one.saved()
    assert {key: said[0] for key, said in verdicts().items()} == {seen[0]: True, seen[1]: False}
