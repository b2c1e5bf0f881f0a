"""The keys of triage: each in one place, from which the page's controls and its help follow."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from curation.models import TriageSettings
from curation.triage.controls import EVERY, GROUPS, LABELS_ON_KEYS, KeyRefused, Keys, choose
from tests.clients import account

pytestmark = pytest.mark.django_db


def client_of(role: str = "curator") -> Client:
    client = Client()
    client.force_login(account(role))
    return client


def page() -> str:
    return client_of().get("/triage/").content.decode()


def test_no_two_keys_are_the_same():
    keys = [control.key for control in EVERY]
    keys += map(str, range(1, LABELS_ON_KEYS + 1))
    assert len(set(keys)) == len(keys)


def test_every_key_has_a_control_and_a_line_in_the_help():
    text = page()
    for control in EVERY:
        is_level = control in GROUPS["levels"]
        assert (f'data-key="{control.key}"' if is_level else control.act) in text, control
        line = re.compile(rf"<dt>{re.escape(control.cap)}.*?</dt><dd>{re.escape(control.help)}</dd>")
        assert control in GROUPS["help"] or line.search(text), control


def test_no_control_of_the_page_has_a_key_of_its_own():
    known = {control.key for control in EVERY}
    assert {key for key in re.findall(r'data-key="([^"]+)"', page()) if not key.isdigit() or key == "0"} <= known


def test_a_key_of_ones_own_stands_on_the_control_and_in_the_help_of_nobody_else():
    own = client_of()
    answer = own.post("/triage/keys/", {"real": "ö", "asks_for_reason": "on"})
    assert answer.status_code == 302, answer.content
    text = own.get("/triage/").content.decode()
    assert 'data-action="real" data-key="ö"' in text
    assert "<dt><kbd>ö</kbd>" in text
    assert 'data-asks-for-reason="true"' in text
    other = client_of("administrator").get("/triage/").content.decode()
    assert 'data-action="real" data-key="v"' in other
    assert 'data-asks-for-reason="false"' in other


def test_the_page_of_keys_says_which_two_are_the_same_and_keeps_neither():
    answer = client_of().post("/triage/keys/", {"real": "b"})
    assert answer.status_code == 400
    assert "“b” is already the key for: real" in answer.content.decode()
    assert not TriageSettings.objects.exists()


def test_usual_keys_are_not_stored_and_come_back_with_an_empty_form():
    own = client_of()
    own.post("/triage/keys/", {"real": "ö", "undo": "U"})
    assert TriageSettings.objects.get().keys == {"real": "ö"}
    own.post("/triage/keys/", {})
    assert TriageSettings.objects.get().keys == {}


def test_keys_may_change_places():
    keys = choose({"real": "x", "bogus": "v"})
    assert (keys.by_action["real"].key, keys.by_action["bogus"].key) == ("x", "v")


@pytest.mark.parametrize("key", ["ab", "3", " ", "\t", "u"])
def test_a_key_that_cannot_be_pressed_alone_is_refused(key: str):
    with pytest.raises(KeyRefused) as refused:
        choose({"real": key})
    assert refused.value.action in ("real", "undo")


def test_a_key_of_a_control_that_is_gone_does_no_harm():
    assert Keys({"levitate": "y"}).by_action["real"].key == "v"
