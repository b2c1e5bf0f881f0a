"""The keys of triage: each in one place, from which the page's controls and its help follow."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from curation.triage import controls
from curation.triage.controls import BY_ACTION, LABELS_ON_KEYS, LEVEL_KEYS
from tests.clients import account

pytestmark = pytest.mark.django_db


def page() -> str:
    client = Client()
    client.force_login(account("curator"))
    return client.get("/triage/").content.decode()


def test_no_two_keys_are_the_same():
    keys = [control.key for control in BY_ACTION.values()]
    keys += [*LEVEL_KEYS, *map(str, range(1, LABELS_ON_KEYS + 1))]
    assert len(set(keys)) == len(keys)


def test_every_key_has_a_control_and_a_line_in_the_help():
    text = page()
    for control in BY_ACTION.values():
        assert control.act in text, control
        line = re.compile(rf"<dt>{re.escape(control.cap)}.*?</dt><dd>{re.escape(control.help)}</dd>")
        assert control is controls.HELP or line.search(text), control


def test_no_control_of_the_page_has_a_key_of_its_own():
    known = {*LEVEL_KEYS, *(control.key for control in BY_ACTION.values())}
    assert {key for key in re.findall(r'data-key="([^"]+)"', page()) if not key.isdigit() or key == "0"} <= known
