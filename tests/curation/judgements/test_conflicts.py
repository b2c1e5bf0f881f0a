"""Several people about one detection: how many are asked, and what experts are given when they do not agree."""

from __future__ import annotations

import pytest

from catalog.models import SystemConfig, User
from curation.judgements import visibility
from curation.models import Conflict, EventKind, ValidationEvent
from detection.models import Detection
from tests.clients import account
from tests.curation.looks import consider, judge, seen
from tests.curation.triage.windows import Window, ids
from tests.factories import DetectionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def configured(**values: float) -> None:
    for key, value in values.items():
        SystemConfig.objects.create(key=f"curation.{key}", value=value)


def in_conflict() -> Detection:
    """Return a detection about which two people contradict each other, where two are enough for a conflict."""
    configured(conflict_after=2)
    row = DetectionFactory()
    judge(row, True, label="comet")
    judge(row, False, label="cosmic_ray")
    return row


def test_what_requires_two_answers_waits_for_the_second_and_raises_no_alert_before():
    configured(required_answers=2)
    row = seen(score=0.5)
    judge(row, True, label="comet")
    assert (row.status, row.human_label, row.validation_confidence) == ("pending", "", None)
    assert consider(row.source) == []
    judge(row, True, label="comet")
    assert (row.status, row.human_label, row.validation_confidence) == ("validated", "comet", 1.0)
    assert consider(row.source) == ["new"]


def test_who_has_answered_is_not_asked_again_and_somebody_else_is():
    configured(required_answers=2)
    row, first = DetectionFactory(), account("curator")
    judge(row, True, person=first)
    window = Window(first)
    given = window.take()
    assert (ids(given), given["empty"]["code"]) == ([], "answered")
    assert ids(Window().take()) == [str(row.pk)]


def test_one_answer_decides_where_nothing_is_switched_on():
    row = DetectionFactory()
    judge(row, True)
    judge(row, False)
    assert (row.status, Conflict.objects.count()) == ("pending", 0)
    assert ids(Window().take()) == [str(row.pk)], "anybody decides"


def test_a_conflict_is_given_to_experts_and_to_nobody_else():
    row = in_conflict()
    assert Conflict.objects.get().detection == row
    curator, expert = Window(), Window(account("expert"))
    assert ids(curator.take()) == []
    assert ids(expert.take()) == [], "nor among what everybody is given"
    assert ids(expert.take(query="by=conflict")) == [str(row.pk)]
    assert "by=conflict" not in curator.page().content.decode()
    assert ids(curator.take(query="by=conflict")) == []


def test_an_answer_about_an_object_leaves_its_epochs_in_conflict_to_experts():
    row = in_conflict()
    other = DetectionFactory(source=row.source)
    [item] = Window().take()["items"]
    assert item["id"] == str(other.pk)
    assert {epoch["id"]: epoch["is_open"] for epoch in item["epochs"]} == {str(row.pk): False, str(other.pk): True}


def test_the_page_tells_experts_how_many_conflicts_there_are_to_settle():
    in_conflict()
    assert "1 conflict to settle" in Window(account("expert")).page().content.decode()
    assert "to settle" not in Window().page().content.decode()


def test_a_conflict_of_two_ends_as_soon_as_one_of_them_agrees_with_the_other():
    configured(conflict_after=2)
    row = DetectionFactory()
    judge(row, True, label="comet")
    second = judge(row, False, label="cosmic_ray")
    assert Conflict.objects.exists()
    said = ValidationEvent.objects.get(validator=second)
    judge(row, True, person=second, label="comet", supersedes_id=said.pk)
    assert (row.status, Conflict.objects.exists()) == ("validated", False)


def test_what_an_expert_says_of_a_conflict_settles_it_whoever_answers_then():
    row, expert = in_conflict(), account("expert")
    judge(row, False, "low", person=expert, label="cosmic_ray")
    assert (row.status, row.human_label, Conflict.objects.exists()) == ("rejected", "cosmic_ray", False)
    judge(row, True, "expert")
    assert row.status == "rejected"
    settling = ValidationEvent.objects.get(settles=True)
    judge(row, None, person=expert, kind=EventKind.WITHDRAWAL, supersedes_id=settling.pk)
    assert row.status == "validated", "5 and 3 against 3"


def test_an_expert_who_changes_their_mind_settles_it_the_other_way():
    row, expert = in_conflict(), account("expert")
    judge(row, False, "low", person=expert)
    judge(row, True, "low", person=expert)
    assert row.status == "validated"


def test_who_is_party_to_a_conflict_settles_nothing():
    configured(conflict_after=2)
    row, expert = DetectionFactory(), account("expert")
    judge(row, True)
    judge(row, False, person=expert)
    judge(row, False, "high", person=expert, label="cosmic_ray")
    assert not ValidationEvent.objects.filter(settles=True).exists()
    assert Conflict.objects.filter(detection=row).exists()


def test_an_expert_sees_who_said_what_once_they_have_answered_themselves():
    row, expert = in_conflict(), account("expert")
    window = Window(expert)
    [item] = window.take(query="by=conflict")["items"]
    assert "hidden until you have answered" in item["html"]
    assert item["context"]["blind"] is True
    told = window.answer(row, True).json()
    assert len(told["others"]) == 2 and len(told["opposed"]) == 1
    assert visibility.hidden_from(expert, [row.pk]) == set()
    assert row.pk in visibility.hidden_from(account("administrator"), [row.pk]) or not Conflict.objects.exists()


def test_the_answers_of_experts_weigh_what_is_configured_when_they_are_given():
    configured(expert_weight=3.0)
    row = DetectionFactory()
    judge(row, True, "high")
    judge(row, False, "medium", person=account("expert"))
    assert (row.status, row.validation_confidence) == ("rejected", pytest.approx(6 / 9))
    SystemConfig.objects.update(value=1.0)
    judge(row, True, "low")
    assert row.status == "rejected", "6 against 4"


@pytest.mark.parametrize("role", ["curator", "operator", "viewer"])
def test_only_experts_and_administrators_settle_conflicts(role: str):
    configured(conflict_after=2)
    person: User = account(role)
    assert not visibility.settles_conflicts(person)
    assert visibility.settles_conflicts(account("expert")) and visibility.settles_conflicts(account("administrator"))
