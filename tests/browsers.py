"""Browsers of people with a role, for tests of pages and of the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from catalog.roles import MAY_OPEN_ADMIN
from tests.factories import UserFactory

BROWSER = "Browser/1.0"


def client_of(role: str, **account: Any) -> Client:
    """Return a browser in which somebody with this role has logged in."""
    user = UserFactory(**account)
    user.groups.add(Group.objects.get(name=role))
    client = Client(headers={"user-agent": BROWSER}, REMOTE_ADDR="192.0.2.7")
    client.force_login(user)
    return client


# The same, where the admin is meant: whether it opens follows from the role.
staff_of = client_of


def onlooker(role: str = "viewer") -> Client:
    """Return a browser of somebody whom the admin opens to, and who may order there no more than the role says."""
    user = UserFactory()
    user.groups.add(Group.objects.get(name=role))
    app, codename = MAY_OPEN_ADMIN.split(".")
    user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(user)
    return client


def page(model: str, kind: str = "changelist", *key: Any) -> str:
    """Return the address of a page of a model in the admin, "app.model"."""
    return reverse(f"admin:{model.replace('.', '_')}_{kind}", args=key)


def said(answer: Any) -> list[str]:
    """Return the messages that an answer leaves for the next page."""
    return [str(message) for message in get_messages(answer.wsgi_request)]
