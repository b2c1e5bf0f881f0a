"""Browsers of people with a role, for tests of pages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.test import Client

from tests.factories import UserFactory


def client_of(role: str, **account: Any) -> Client:
    """Return a browser in which somebody with this role has signed in; no member of staff unless `account` says so."""
    user = UserFactory(**account)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client
