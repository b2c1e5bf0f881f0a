"""Curators at work with the keyboard, in a real browser, also where others come."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from curation.models import Lease, ValidationEvent
from detection.models import Detection
from tests.curation.looks import judge
from tests.e2e.desks import curator, detections, verdicts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]


def test_ten_detections_by_keyboard_alone_and_one_undone(desk):
    rows = detections(12)
    one = desk().open()
    expect(one.main).to_have_attribute("data-queue-remaining", "12")
    one.shown()
    one.page.keyboard.press("e")
    seen = one.press("v", "x", "1", "7", "v", "v", "x", "3", "9", "x")
    assert seen == [str(row.pk) for row in rows[:10]]
    one.saved()
    expect(one.main).to_have_attribute("data-queue-remaining", "2")
    said = verdicts()
    assert [said[key][0] for key in seen] == [True, False, True, False, True, True, False, True, False, False]
    assert [said[key][1] for key in seen] == [
        "", "", "supernova_candidate", "satellite", "", "", "", "asteroid", "subtraction_artefact", "",
    ]  # fmt: skip
    assert [said[key][2] for key in seen] == ["high"] + ["medium"] * 9, "armed for one answer"

    one.page.keyboard.press("u")
    expect(one.main).to_have_attribute("data-detection-id", seen[-1])
    one.saved()
    expect(one.main).to_have_attribute("data-queue-remaining", "3")
    withdrawal = ValidationEvent.objects.get(kind="withdrawal")
    assert str(withdrawal.detection_id) == seen[-1]
    assert Detection.objects.get(pk=seen[-1]).status == "validating"
    expect(one.page.locator("#lapse")).to_be_hidden()
    one.press("v")
    one.saved()
    assert Detection.objects.get(pk=seen[-1]).status == "validated"
    assert one.shown() == str(rows[10].pk), "it goes on where it was"
    assert ValidationEvent.objects.count() == 12


# Fingers that bounce, hold a key and press it again, or go on to another.
# Held by looking at the clock and by nothing that may come late on a busy machine.
_PRESS_AT_ONCE = """([keys, held]) => {
    const send = (name, key) => document.body.dispatchEvent(new KeyboardEvent(name, { key, bubbles: true }));
    for (const key of keys) {
        send("keydown", key);
        for (const until = performance.now() + held; performance.now() < until; );
        send("keyup", key);
    }
}"""


def test_a_key_or_button_that_is_pressed_twice_judges_once(desk):
    detections(8)
    one = desk().open()
    seen = [one.shown()]

    def judged(twice) -> None:
        twice()
        one.page.locator(f'main:not([data-detection-id="{seen[-1]}"])').wait_for()
        seen.append(one.shown())

    def hold(key: str) -> None:
        for _ in range(3):
            one.page.keyboard.down(key)
        one.page.keyboard.up(key)

    judged(lambda: one.page.evaluate(_PRESS_AT_ONCE, ["vv", 0]))
    judged(lambda: one.page.evaluate(_PRESS_AT_ONCE, ["11", 60]))
    judged(lambda: hold("x"))
    judged(lambda: one.page.get_by_role("button", name="Real").dblclick())
    one.page.get_by_role("button", name="Bogus").focus()
    judged(lambda: hold("Enter"))
    one.saved()
    # Sent several at a time: which is stored first is no matter.
    assert set(verdicts()) == set(seen[:5])
    assert ValidationEvent.objects.count() == 5


def test_another_key_is_another_answer_however_soon_it_comes(desk):
    rows = detections(4)
    one = desk().open()
    one.shown()
    one.settled()
    one.page.evaluate(_PRESS_AT_ONCE, ["24", 60])
    expect(one.main).to_have_attribute("data-detection-id", str(rows[2].pk))
    one.saved()
    assert [label for _, label, _ in verdicts().values()] == ["variable_star", "comet"]


def test_two_people_never_see_the_same_detection(desk):
    # So many that a window keeps some free for others, also where it knows of no other one that holds something.
    rows = detections(20)
    first, second = desk().open(), desk().open()
    seen: dict[Any, list[str]] = {first: [], second: []}
    for _ in range(4):
        for person in (first, second):
            seen[person] += person.press("v")
    first.saved()
    second.saved()
    assert not set(seen[first]) & set(seen[second])
    assert first.shown() != second.shown()
    assert len({*seen[first], *seen[second]}) == 8
    assert set(verdicts()) == {*seen[first], *seen[second]} <= {str(row.pk) for row in rows}


def test_a_page_that_is_closed_gives_back_what_it_held(desk):
    detections(3)
    first = desk().open().settled()
    second = desk().open()
    expect(second.page.get_by_text("Others are reviewing the rest.")).to_be_visible()
    first.page.goto(f"{first.address}/healthz")
    second.page.reload()
    second.shown()


def test_a_lapsed_lease_is_told_and_the_answer_is_kept(desk):
    [row] = detections(1)
    late, other = desk(), desk(curator("quick"))
    # What is asked for later renews what is held.
    late.open().settled()
    Lease.objects.update(expires_at="2020-01-01T00:00:00Z")
    other.open().press("x")
    other.saved()
    late.page.keyboard.press("v")
    expect(late.page.get_by_text("quick said bogus (medium)")).to_be_visible()
    late.saved()
    assert set(ValidationEvent.objects.values_list("is_valid", flat=True)) == {False, True}
    assert Detection.objects.get().pk == row.pk


def test_keys_rest_while_somebody_types_and_text_is_shown_as_text(desk):
    detections(3)
    note = "<script>document.title = 'taken'</script> v x 1"
    one = desk().open()
    first = one.shown()
    one.page.keyboard.press("n")
    one.page.keyboard.type(note)
    assert one.shown() == first
    assert not ValidationEvent.objects.exists()
    one.page.keyboard.press("Escape")
    one.press("v")
    one.saved()
    assert ValidationEvent.objects.get().notes == note
    other = desk().open("?status=validated")
    other.shown()
    expect(other.page.locator(".said q")).to_have_text(note)
    assert other.page.title() == "Triage – AstrID"


def test_the_opposite_answer_of_somebody_else_is_told_with_a_way_back_and_shown_there(desk):
    rows = detections(3)
    late = desk().open()
    late.shown()
    bob = curator("bob")
    judge(rows[0], False, person=bob)
    late.press("v")
    told = late.page.locator("#messages")
    expect(told).to_contain_text("you said real (medium), but bob said bogus (high)")
    told.get_by_role("button", name="Look at it again").click()
    expect(late.main).to_have_attribute("data-detection-id", str(rows[0].pk))
    said = late.page.locator("#facts [data-said]")
    expect(said).to_contain_text("bob bogus (high)")
    expect(said).not_to_contain_text("Nobody has answered")
    expect(late.page.locator("#own")).to_have_text("You said: real (medium).")
    judge(rows[0], True, "low", person=curator("eve"))
    late.page.keyboard.press("j")
    expect(late.main).not_to_have_attribute("data-detection-id", str(rows[0].pk))
    late.page.keyboard.press("k")
    expect(said).to_contain_text("eve real (low)")


# Keys of French, German and Russian keyboards, as browsers report them.
_FOREIGN = [
    ({"key": "&", "code": "Digit1"}, (True, "supernova_candidate")),
    ({"key": "м", "code": "KeyV"}, (True, "")),
    ({"key": "ч", "code": "KeyX"}, (False, "")),
    ({"key": "x", "code": "KeyX"}, (False, "")),
]


def test_keys_judge_on_layouts_that_have_no_such_letter(desk):
    detections(len(_FOREIGN) + 1)
    one = desk().open()
    for press, said in _FOREIGN:
        seen = one.shown()
        one.page.evaluate(_PRESS, press)
        one.page.locator(f'main:not([data-detection-id="{seen}"])').wait_for()
        one.saved()
        assert verdicts()[seen][:2] == said
    one.shown()
    one.page.evaluate(_PRESS, {"key": "]", "code": "Digit9", "modifierAltGraph": True, "ctrlKey": True, "altKey": True})
    expect(one.page.locator("#contrast")).to_have_text("1.4×")


_PRESS = """(press) => {
    for (const name of ["keydown", "keyup"]) {
        document.body.dispatchEvent(new KeyboardEvent(name, { bubbles: true, cancelable: true, ...press }));
    }
}"""


def test_the_detection_that_another_person_has_is_said_to_be_theirs(desk):
    [row] = detections(1)
    desk(curator("alice")).open().shown()
    late = desk().open(f"?detection={row.pk}")
    expect(late.page.locator("#messages")).to_contain_text("alice is reviewing it now")


def test_who_comes_from_a_detections_page_sees_that_one_first_and_goes_on_from_there(desk):
    rows = detections(6)
    one = desk().open(f"?detection={rows[5].pk}")
    expect(one.main).to_have_attribute("data-detection-id", str(rows[5].pk))
    one.shown()
    one.press("v")
    one.saved()
    assert verdicts() == {str(rows[5].pk): (True, "", "medium")}
    gone = desk().open("?detection=00000000-0000-4000-8000-000000000000")
    expect(gone.page.get_by_text("The detection that you asked for no longer exists")).to_be_visible()
