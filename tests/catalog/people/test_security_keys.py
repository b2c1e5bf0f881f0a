"""A security key lets in where it is touched for this site and this log-in, and nothing else does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client

from catalog.models import User
from catalog.people import factors
from tests.catalog.people.software_key import SoftwareKey
from tests.clients import account

pytestmark = pytest.mark.django_db
LOG_IN, STEP, PROFILE, ADD = "/accounts/login/", "/accounts/second-step/", "/profile/", "/profile/second-factor/key/"
PASSWORD, SITE = "correct-horse-47", "https://astrid.example.org"


@pytest.fixture
def vera(settings: Any) -> User:
    settings.ASTRID_ADDRESS = f"{SITE}/sky"
    user = account("viewer")
    user.username = "vera"
    user.set_password(PASSWORD)
    user.save()
    return user


def asked(page: Any) -> dict[str, Any]:
    text = re.search(r'<script id="key-options" type="application/json">(.*?)</script>', page.content.decode())[1]
    return json.loads(text)


def add(user: User, key: SoftwareKey) -> Any:
    client = Client()
    client.force_login(user)
    assert client.get(ADD)["Location"] == PROFILE, "the password is asked for first"
    client.post("/profile/second-factor/new-key/", {"password": PASSWORD})
    return client.post(ADD, {"name": "blue", "credential": key.create(asked(client.get(ADD)))})


def begin() -> Client:
    client = Client()
    client.post(LOG_IN, {"username": "vera", "password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return client.get(PROFILE).status_code == 200


def test_a_key_is_added_with_recovery_codes_and_logs_in(vera: User):
    key = SoftwareKey(SITE)
    assert "<li><code>" in add(vera, key).content.decode()
    client = begin()
    options = asked(client.get(STEP))
    assert options["publicKey"]["rpId"] == "astrid.example.org", "keys belong to the configured address"
    assert not is_in(client)
    assert client.post(STEP, {"credential": key.get(options)}).status_code == 302
    assert is_in(client)
    assert "Security key “blue”" in client.get(PROFILE).content.decode()


def test_an_answer_to_another_log_in_or_site_or_of_another_key_lets_nobody_in(vera: User):
    key = SoftwareKey(SITE)
    add(vera, key)
    earlier = begin()
    old = key.get(asked(earlier.get(STEP)))
    assert earlier.post(STEP, {"credential": old}).status_code == 302
    for wrong in (lambda _: old, SoftwareKey(SITE).get, lambda _: "{}", lambda _: "x", lambda _: "[1]"):
        client = begin()
        assert client.post(STEP, {"credential": wrong(asked(client.get(STEP)))}).status_code == 200
        assert not is_in(client)
        AccessAttempt.objects.all().delete()  # Five shut the log-in, and what counts is why each is wrong.
    elsewhere = SoftwareKey("https://astrid.example.net")
    assert add(vera, elsewhere).status_code == 400
    assert [row.wrap().name for row in factors.of(vera)] == ["blue"]


@pytest.mark.parametrize("answer", ["", "{}", "[]", '{"id": "x", "rawId": "x", "type": "public-key", "response": {}}'])
def test_what_is_no_answer_of_a_key_adds_none(vera: User, answer: str):
    client = Client()
    client.force_login(vera)
    client.post("/profile/second-factor/new-key/", {"password": PASSWORD})
    client.get(ADD)
    assert client.post(ADD, {"name": "blue", "credential": answer}).status_code == 400
    assert not factors.has(vera)
