"""Browsers of people with a role, for tests of pages and of the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory

BROWSER = "Browser/1.0"


def client_of(role: str, **account: Any) -> Client:
    """Return a browser in which somebody with this role has signed in; no member of staff unless `account` says so."""
    user = UserFactory(**account)
    user.groups.add(Group.objects.get(name=role))
    client = Client(headers={"user-agent": BROWSER}, REMOTE_ADDR="192.0.2.7")
    client.force_login(user)
    return client


def staff_of(role: str, **account: Any) -> Client:
    """Return a browser in which a member of staff with this role has signed in."""
    return client_of(role, is_staff=True, **account)


def page(model: str, kind: str = "changelist", *key: Any) -> str:
    """Return the address of a page of a model in the admin, "app.model"."""
    return reverse(f"admin:{model.replace('.', '_')}_{kind}", args=key)


def said(answer: Any) -> list[str]:
    """Return the messages that an answer leaves for the next page."""
    return [str(message) for message in get_messages(answer.wsgi_request)]
