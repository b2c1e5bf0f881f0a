"""The second step of a log-in: none comes round it, no code is taken twice, and guessing shuts."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from catalog.models import AuditLog, User
from catalog.people import audit, factors
from tests.clients import account

pytestmark = pytest.mark.django_db
LOG_IN, STEP, PROFILE = "/accounts/login/", "/accounts/second-step/", "/profile/"
PASSWORD = "correct-horse-47"


def code_of(secret: str, later: int = 0) -> str:
    """Return what an app shows so many half minutes from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


@pytest.fixture
def vera() -> User:
    user = account("viewer")
    user.username = "vera"
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def secret(vera: User) -> str:
    """Return the secret that vera's app shares, which has shown one code already."""
    text = factors.new_secret()
    factors.add_app(vera, text, code_of(text, -1), audit.MACHINE)
    return text


def begin(client: Client | None = None) -> Client:
    client = client or Client()
    answer = client.post(LOG_IN, {"username": "vera", "password": PASSWORD, "next": "/jobs/"})
    assert (answer.status_code, answer["Location"]) == (302, STEP)
    return client


def test_a_code_after_the_password_logs_in_and_leads_where_one_wanted(vera: User, secret: str):
    client = begin()
    answer = client.post(STEP, {"code": code_of(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/jobs/")
    assert client.get(PROFILE).status_code == 200
    assert AuditLog.objects.get(action="log_in").user == "vera"
