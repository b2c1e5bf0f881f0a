"""Programs that ask the REST interface, as the tests' clients."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client

from catalog.models import User
from catalog.people import audit
from catalog.people.scopes import SCOPES
from catalog.people.tokens import issue
from tests.factories import UserFactory


def account(role: str) -> User:
    """Return an account with a role."""
    user: User = UserFactory()
    user.groups.add(Group.objects.get(name=role))
    return user


def token_of(user: User, scopes: Collection[str] = tuple(SCOPES)) -> str:
    """Return the text of a token of an account."""
    return issue(user, "client", scopes, audit.MACHINE)[1]


def client_of(who: str | User, scopes: Collection[str] = tuple(SCOPES)) -> Client:
    """Return a client that shows a token of a role, or of an account."""
    user = account(who) if isinstance(who, str) else who
    return Client(headers={"Authorization": f"Token {token_of(user, scopes)}"})


def refused(answer: Any, status: int, code: str) -> str:
    """Check that an answer is a problem document; return its sentence."""
    document = json.loads(answer.content)
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.status_code, document["status"], document["code"]) == (status, status, code)
    assert document["type"] == f"urn:astrid:problem:{code}" and document["title"]
    return document["detail"]
