"""Who may see what others say of a detection, and from when."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import SystemConfig, User
from curation.alerts.publishing import publish_pending
from curation.judgements import visibility
from curation.models import Alert, EventKind, ValidationEvent
from detection.models import Detection, DetectionStatus
from tests import browsers
from tests.clients import account, client_of, refused
from tests.curation.looks import consider, judge, seen
from tests.factories import DetectionFactory

pytestmark = pytest.mark.django_db
EVENTS, DETECTIONS, ALERTS = "/api/v1/validation-events/", "/api/v1/detections/", "/api/v1/alerts/"


@pytest.fixture
def blind() -> None:
    SystemConfig.objects.create(key="curation.blind", value=True)


def keys(client: Client, address: str) -> set[str]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return {row["id"] for row in answer.json()["results"]}


def take_back(row: Detection, person: User, event: ValidationEvent) -> ValidationEvent:
    judge(row, None, person=person, kind=EventKind.WITHDRAWAL, supersedes_id=event.pk)
    found: ValidationEvent = ValidationEvent.objects.get(supersedes=event)
    return found


def last_of(person: User) -> ValidationEvent:
    found: ValidationEvent = ValidationEvent.objects.filter(validator=person).latest("created_at")
    return found


@pytest.mark.parametrize(
    ("role", "is_bound"), [("viewer", False), ("operator", False), ("curator", True), ("administrator", True)]
)
def test_whoever_may_judge_is_bound_while_the_mode_is_on(role: str, is_bound: bool):
    row, person = DetectionFactory(), account(role)
    judge(row, True)
    assert visibility.hidden_from(person, [row.pk]) == set()
    SystemConfig.objects.create(key="curation.blind", value=True)
    assert visibility.hidden_from(person, [row.pk]) == ({row.pk} if is_bound else set())


def test_an_answer_opens_what_it_is_about_and_nothing_else(blind: None):
    row, other, person = DetectionFactory(), DetectionFactory(), account("curator")
    judge(row, False, person=person)
    assert visibility.hidden_from(person, [row.pk, other.pk]) == {other.pk}


def test_who_takes_the_only_answer_back_judges_anew_without_the_others(blind: None):
    row, person = DetectionFactory(), account("curator")
    judge(row, False)
    judge(row, True, person=person)
    withdrawal = take_back(row, person, last_of(person))
    assert visibility.hidden_from(person, [row.pk]) == {row.pk}
    take_back(row, person, withdrawal)
    assert visibility.hidden_from(person, [row.pk]) == set(), "the answer stands again"


def test_a_change_of_mind_that_is_taken_back_leaves_the_answer_before_it(blind: None):
    row, person = DetectionFactory(), account("curator")
    judge(row, True, person=person)
    judge(row, False, person=person)
    take_back(row, person, last_of(person))
    assert visibility.hidden_from(person, [row.pk]) == set()


def test_states_that_tell_of_work_are_shown_and_those_that_tell_of_answers_are_not(blind: None):
    rows = [DetectionFactory(status=status) for status in DetectionStatus]
    visibility.veil(rows, account("curator"))
    assert [row.status for row in rows] == [
        "pending", "validating", "pending", "pending", "pending", "archived"
    ]  # fmt: skip


def test_clients_find_a_detection_by_what_they_are_shown_of_it(blind: None):
    person, hidden, known = account("curator"), DetectionFactory(), DetectionFactory()
    for row in (hidden, known):
        judge(row, True, label="comet")
    judge(known, True, label="comet", person=person)
    client, own, all_of_them = client_of(person), {str(known.pk)}, {str(hidden.pk), str(known.pk)}
    for query in ("status=validated", "status__in=validated,rejected", "human_label=comet", "label=Comet"):
        assert keys(client, f"{DETECTIONS}?{query}") == own, query
    for query in ("is_validated=true", "detection_type=transient", "human_label__in=comet,agn"):
        assert keys(client, f"{DETECTIONS}?{query}") == own, query
    for query in ("status=pending", "is_validated=false", "detection_type=unknown"):
        assert keys(client, f"{DETECTIONS}?{query}") == all_of_them - own, query
    assert keys(client, f"{DETECTIONS}?status__in=pending,validated") == all_of_them
    shown = client.get(f"{DETECTIONS}{hidden.pk}/").json()
    assert {name: shown[name] for name in visibility.DERIVED} == dict(visibility.DERIVED)
    hidden.refresh_from_db()
    assert hidden.status == "validated", "what is shown is not written"


def test_clients_read_their_own_judgements_and_those_beside_them(blind: None):
    row, other, person = DetectionFactory(), DetectionFactory(), account("curator")
    judge(row, True)
    judge(other, True)
    judge(row, False, person=person)
    client = client_of(person)
    assert keys(client, EVENTS) == {str(event.pk) for event in ValidationEvent.objects.filter(detection=row)}
    assert client.get(f"{EVENTS}{other.validation_events.get().pk}/").status_code == 404
    assert len(keys(client_of("viewer"), EVENTS)) == 3


def test_a_withdrawal_is_not_answered_with_what_others_say(blind: None):
    row, person = DetectionFactory(), account("curator")
    client, tag = client_of(person), '"another"'
    judge(row, False)
    said: dict[str, Any] = {"id": "01890000-0000-7000-8000-000000000001", "detection": str(row.pk), "is_valid": True}
    more: dict[str, Any] = {"content_type": "application/json", "headers": {"If-Match": tag}}
    assert len(client.post(EVENTS, said, **more).json()["conflicts"]) == 1
    undo = {"id": "01890000-0000-7000-8000-000000000002", "detection": str(row.pk), "kind": "withdrawal"}
    answer = client.post(EVENTS, {**undo, "supersedes": said["id"]}, **more)
    assert (answer.status_code, answer.json()["conflicts"]) == (201, [])


def test_alerts_that_tell_of_answers_wait_for_ones_own_about_all_that_was_judged(blind: None):
    first = seen(days=1.0)
    second = seen(first.source, days=2.0)
    consider(first.source)
    person = account("curator")
    client = client_of(person)
    by_score = {str(Alert.objects.get().pk)}
    judge(first, True)
    judge(second, True)
    consider(first.source)
    assert keys(client, ALERTS) == by_score
    judge(first, True, person=person)
    assert keys(client, ALERTS) == by_score
    judge(second, False, person=person)
    assert keys(client, ALERTS) == {str(alert.pk) for alert in Alert.objects.all()}
    assert Alert.objects.count() == 2


def test_alerts_without_metadata_are_taken_for_telling(blind: None):
    row = seen()
    judge(row, True)
    Alert.objects.create(detection=row, title="by hand")
    assert keys(client_of("curator"), ALERTS) == set()
    assert len(keys(client_of("viewer"), ALERTS)) == 1


def test_the_feed_is_refused_to_who_judges_blind_and_goes_on_for_all_others(blind: None):
    consider(seen().source)
    publish_pending()
    for name in ("feed/", "stream"):
        assert "follow it with an account" in refused(client_of("curator").get(f"{ALERTS}{name}"), 403, "judges_blind")
        assert client_of("viewer").get(f"{ALERTS}{name}").status_code == 200


def test_a_curator_whom_the_admin_would_open_to_has_no_way_around_through_the_admin(blind: None):
    address = "/admin/detection/detection/"
    assert browsers.onlooker("curator").get(address).status_code == 403
    for role in ("viewer", "operator", "administrator"):
        assert browsers.onlooker(role).get(address).status_code == 200


def test_the_list_says_that_something_is_hidden(blind: None):
    row = seen()
    judge(row, True, label="comet")
    for address in ("/detections/", "/sources/"):
        html = browsers.client_of("curator").get(address).content.decode()
        assert "hidden until you have answered" in html
        assert "comet" not in html
